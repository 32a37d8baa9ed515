"""Whose things are in the places that everybody shares."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.world import World
from sandbox.world.files.owners import HOUSE
from sandbox.world.files.paths import Names, names_of
from sandbox.world.files.tree import Trees

SITE = "/sites/files.sandbox.test"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    loaded = World.load(None, tmp_path)
    yield loaded
    loaded.close()


@pytest.fixture
def trees(world: World) -> Trees:
    return world.open_files(1_000_000, 1_000)


class Person:
    """What one person does, by paths as they write them."""

    def __init__(self, trees: Trees, login: str) -> None:
        self.tree = trees.person(login)

    def put(self, path: str, content: bytes = b"work", **options: bool) -> None:
        writing = self.tree.write(names_of(path), **options)
        try:
            writing.truncate(0)
            writing.write(content, 0)
        finally:
            writing.commit()

    def listed(self, path: str) -> dict[str, str]:
        return {entry.name: entry.owner for entry in self.tree.entries(names_of(path))}

    def may(self, path: str) -> tuple[bool, bool]:
        """Whether they could change it, and move it."""
        names = names_of(path)
        entry = self.tree.entry(names)
        return self.tree.writable(names, entry), self.tree.movable(names, entry)


@pytest.fixture
def alice(trees: Trees) -> Person:
    return Person(trees, "alice")


@pytest.fixture
def bob(trees: Trees) -> Person:
    return Person(trees, "bob")


@pytest.fixture
def teacher(trees: Trees) -> Person:
    return Person(trees, "teacher")


def refuses(work: Callable[[], object]) -> None:
    with pytest.raises(PermissionError):
        work()


@pytest.mark.parametrize("place", [SITE, "/public"])
@pytest.mark.parametrize("replace", [True, False])
def test_the_work_of_one_is_not_changed_by_another(alice: Person, bob: Person, place: str, replace: bool) -> None:
    path = f"{place}/essay.txt"
    names: Names = names_of(path)
    alice.put(path, replace=replace)
    bob.put(f"{place}/bob.txt")
    refuses(lambda: bob.put(path, b"mine", replace=replace))
    refuses(lambda: bob.tree.remove(names))
    refuses(lambda: bob.tree.rename(names, names_of(f"{place}/other")))
    refuses(lambda: bob.tree.rename(names, ("stolen",)))
    refuses(lambda: bob.tree.rename(names_of(f"{place}/bob.txt"), names))
    refuses(lambda: bob.tree.set_mode(names, 0o777))
    refuses(lambda: bob.tree.set_times(names, 0))
    with pytest.raises(FileExistsError):
        bob.tree.write(names, exclusive=True)
    descriptor = bob.tree.read(names)
    assert os.pread(descriptor, 100, 0) == b"work"
    os.close(descriptor)
    for person in (alice, bob):
        listed = person.listed(place)
        assert (listed["essay.txt"], listed["bob.txt"]) == ("alice", "bob")
    assert (alice.may(path), bob.may(path)) == ((True, True), (False, False))
    alice.put(path, b"better", replace=replace)
    alice.tree.remove(names)


def test_the_teacher_may_do_all_and_the_owner_stays(alice: Person, teacher: Person) -> None:
    alice.put(f"{SITE}/essay.txt")
    teacher.put(f"{SITE}/essay.txt", b"corrected", replace=True)
    assert alice.listed(SITE)["essay.txt"] == "alice"
    alice.tree.make_directory(names_of(f"{SITE}/alice"))
    teacher.put(f"{SITE}/alice/note.txt")
    assert alice.listed(f"{SITE}/alice") == {"note.txt": "teacher"}
    teacher.tree.remove(names_of(f"{SITE}/alice/note.txt"))
    teacher.tree.remove_directory(names_of(f"{SITE}/alice"))
    teacher.tree.rename(names_of(f"{SITE}/essay.txt"), names_of(f"{SITE}/best.txt"))
    assert alice.listed(SITE)["best.txt"] == "alice"


def test_a_folder_of_ones_own_is_closed_to_others_and_the_teacher_s_is_open(
        alice: Person, bob: Person, teacher: Person) -> None:
    alice.tree.make_directory(names_of(f"{SITE}/alice"))
    teacher.tree.make_directory(names_of(f"{SITE}/handed-in"))
    refuses(lambda: bob.put(f"{SITE}/alice/x"))
    refuses(lambda: bob.tree.make_directory(names_of(f"{SITE}/alice/x")))
    refuses(lambda: bob.tree.remove_directory(names_of(f"{SITE}/handed-in")))
    refuses(lambda: bob.tree.remove_directory(names_of(f"{SITE}/alice")))
    bob.put(f"{SITE}/handed-in/bob.txt")
    refuses(lambda: alice.tree.rename(names_of(f"{SITE}/handed-in/bob.txt"), names_of(f"{SITE}/alice/bob.txt")))
    assert bob.may(f"{SITE}/handed-in") == (True, False)
    assert bob.may(f"{SITE}/alice") == (False, False)


def test_what_was_put_there_by_hand_is_the_house_s(world: World, alice: Person, teacher: Person) -> None:
    folder = world.files.site("files.sandbox.test")
    (folder / "task.txt").write_text("read me")
    (folder / "handed-in").mkdir()
    assert {alice.listed(SITE)[name] for name in ("task.txt", "handed-in")} == {HOUSE}
    refuses(lambda: alice.tree.remove(names_of(f"{SITE}/task.txt")))
    refuses(lambda: alice.put(f"{SITE}/task.txt", replace=True))
    alice.put(f"{SITE}/handed-in/essay.txt")
    (folder / "handed-in" / "more").mkdir()
    teacher.put(f"{SITE}/task.txt", b"read me twice", replace=True)
    assert alice.listed(SITE)["task.txt"] == HOUSE
    alice.tree.make_directory(names_of(f"{SITE}/alice"))
    (folder / "alice" / "by-hand.txt").write_text("in her folder")
    assert alice.listed(f"{SITE}/alice") == {"by-hand.txt": "alice"}


def test_what_comes_from_a_home_is_its_owner_s(alice: Person, bob: Person) -> None:
    alice.tree.make_directory(("drafts",))
    alice.put("/drafts/essay.txt")
    alice.put("/single.txt")
    alice.tree.set_mode(("single.txt",), 0o444)
    alice.tree.rename(("drafts",), names_of(f"{SITE}/drafts"))
    alice.tree.rename(("single.txt",), names_of(f"{SITE}/single.txt"))
    assert bob.listed(SITE) | bob.listed(f"{SITE}/drafts") == bob.listed(SITE) | {"essay.txt": "alice"}
    assert bob.listed(SITE)["single.txt"] == bob.listed(SITE)["drafts"] == "alice"
    refuses(lambda: bob.tree.remove(names_of(f"{SITE}/drafts/essay.txt")))
    alice.tree.rename(names_of(f"{SITE}/drafts/essay.txt"), names_of(f"{SITE}/essay.txt"))
    assert bob.listed(SITE)["essay.txt"] == "alice", "it takes its owner along"


def test_who_is_slower_does_not_replace(alice: Person, bob: Person) -> None:
    """Nobody had a file of that name when either began."""
    names = names_of(f"{SITE}/essay.txt")
    slow = bob.tree.write(names, replace=True)
    slow.write(b"bob's", 0)
    alice.put(f"{SITE}/essay.txt", b"alice's", replace=True)
    refuses(slow.commit)
    assert alice.listed(SITE) == {"essay.txt": "alice"}


def test_owners_are_there_after_a_restart(tmp_path: Path) -> None:
    for count in range(2):
        world = World.load(None, tmp_path)
        trees = world.open_files(1_000_000, 1_000)
        if not count:
            Person(trees, "alice").put(f"{SITE}/essay.txt")
        bob = Person(trees, "bob")
        refuses(lambda bob=bob: bob.tree.remove(names_of(f"{SITE}/essay.txt")))  # type: ignore[misc]
        assert bob.listed(SITE) == {"essay.txt": "alice"}
        world.close()


def test_anonymous_sees_whose_it_is(trees: Trees, alice: Person) -> None:
    alice.put("/public/note.txt")
    listed = {entry.name: entry.owner for entry in trees.anonymous().entries(())}
    assert listed == {"note.txt": "alice", "welcome.txt": HOUSE}


def test_all_that_is_at_home_is_ones_own(world: World, alice: Person) -> None:
    (world.files.home("alice") / "by-hand.txt").write_text("x")
    alice.put("/mine.txt")
    assert alice.listed("/") == {"by-hand.txt": "alice", "mine.txt": "alice", "www": "alice", "public": HOUSE,
                                 "sites": HOUSE}
