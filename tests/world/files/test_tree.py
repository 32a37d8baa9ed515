"""What a person sees of the files, and what becomes of what they put there."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.world import Change, World
from sandbox.world.files.paths import names_of
from sandbox.world.files.tree import Tree, Trees
from sandbox.world.files.usage import TEMPORARY
from sandbox.world.files.writing import Writing

QUOTA = 10_000
ENTRIES = 12


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "handout").mkdir()
    (tmp_path / "handout" / "task.txt").write_text("read me")
    (tmp_path / "world.toml").write_text('[[site]]\nhost = "handout.example.com"\nfolder = "handout"\n')
    (tmp_path / "data").mkdir()
    loaded = World.load(tmp_path / "world.toml", tmp_path / "data")
    yield loaded
    loaded.close()


@pytest.fixture
def trees(world: World) -> Trees:
    return world.open_files(QUOTA, ENTRIES)


@pytest.fixture
def tree(trees: Trees) -> Tree:
    return trees.person("alice")


def put(tree: Tree, path: str, content: bytes, **options: bool) -> None:
    writing = tree.write(names_of(path), **options)
    writing.write(content, 0)
    writing.commit()


def get(tree: Tree, path: str) -> bytes:
    descriptor = tree.read(names_of(path))
    try:
        return os.pread(descriptor, 1 << 20, 0)
    finally:
        os.close(descriptor)


def names(tree: Tree, path: str) -> list[str]:
    return [entry.name for entry in tree.entries(names_of(path))]


def refuses(code: int, work: Callable[[], object]) -> bool:
    try:
        work()
    except OSError as error:
        return error.errno == code
    return False


def test_a_home_and_what_stands_in_it(tree: Tree) -> None:
    assert names(tree, "/") == ["public", "sites", "www"]
    assert names(tree, "/sites") == ["files.sandbox.test", "handout.example.com"]
    assert names(tree, "/public") == ["welcome.txt"]


def test_what_one_puts_into_public_all_see(trees: Trees, tree: Tree) -> None:
    put(tree, "/public/note.txt", b"for all")
    assert get(trees.person("bob"), "/public/note.txt") == b"for all"
    assert get(trees.anonymous(), "/note.txt") == b"for all"


def test_anonymous_only_reads(trees: Trees) -> None:
    nobody = trees.anonymous()
    assert b"anonymous" in get(nobody, "/welcome.txt")
    assert refuses(errno.EROFS, lambda: put(nobody, "/x", b""))
    assert refuses(errno.EROFS, lambda: nobody.remove(("welcome.txt",)))
    assert refuses(errno.EROFS, lambda: nobody.rename(("welcome.txt",), ("x",)))
    assert refuses(errno.EROFS, lambda: nobody.make_directory(("x",)))
    assert refuses(errno.EROFS, lambda: nobody.set_times(("welcome.txt",), 0))
    assert refuses(errno.EROFS, lambda: nobody.set_mode(("welcome.txt",), 0))


def test_homes_are_apart(trees: Trees, tree: Tree) -> None:
    put(tree, "/mine.txt", b"mine")
    bob = trees.person("bob")
    for path in ("/mine.txt", "/../alice/mine.txt", "/www/../../alice/mine.txt"):
        assert refuses(errno.ENOENT, lambda path=path: get(bob, path))  # type: ignore[misc]


def test_a_site_from_elsewhere_is_for_reading(tree: Tree) -> None:
    assert get(tree, "/sites/handout.example.com/task.txt") == b"read me"
    assert refuses(errno.EROFS, lambda: put(tree, "/sites/handout.example.com/x", b""))
    site = ("sites", "handout.example.com")
    assert not tree.writable(site, tree.entry(site))
    put(tree, "/sites/files.sandbox.test/index.html", b"hello")


@pytest.mark.parametrize("path", ["/", "/public", "/sites", "/sites/files.sandbox.test"])
def test_places_stay_where_they_are(tree: Tree, path: str) -> None:
    assert refuses(errno.EBUSY, lambda: tree.rename(names_of(path), ("x",)))
    assert refuses(errno.EBUSY, lambda: tree.remove_directory(names_of(path)))
    assert refuses(errno.EBUSY, lambda: tree.remove(names_of(path)))
    assert refuses(errno.EBUSY, lambda: put(tree, path, b""))


def test_a_file_is_replaced_whole_or_not_at_all(tree: Tree) -> None:
    put(tree, "/a.txt", b"old")
    writing = tree.write(("a.txt",), replace=True)
    writing.write(b"ne", 0)
    assert get(tree, "/a.txt") == b"old"
    assert TEMPORARY not in "".join(names(tree, "/"))
    writing.write(b"w", 2)
    writing.commit()
    assert get(tree, "/a.txt") == b"new"


def test_an_upload_broken_off_leaves_the_old_file(tree: Tree) -> None:
    put(tree, "/a.txt", b"old")
    writing = tree.write(("a.txt",), replace=True)
    writing.write(b"half", 0)
    writing.abandon()
    assert get(tree, "/a.txt") == b"old"
    assert names(tree, "/") == ["a.txt", "public", "sites", "www"]


def test_an_upload_broken_off_can_be_gone_on_with(tree: Tree) -> None:
    writing = tree.write(("a.txt",), replace=True)
    writing.write(b"half", 0)
    writing.abandon()
    assert get(tree, "/a.txt") == b"half"
    more = tree.write(("a.txt",))
    more.write(b" and half", more.size)
    more.commit()
    assert get(tree, "/a.txt") == b"half and half"


def test_two_at_once_leave_one_whole_file(tree: Tree) -> None:
    first, second = (tree.write(("a.txt",), replace=True) for _ in range(2))
    first.write(b"first", 0)
    second.write(b"second one", 0)
    second.commit()
    first.commit()
    assert get(tree, "/a.txt") == b"first"


def test_names_of_uploads_are_nobodys(tree: Tree, world: World) -> None:
    (world.files.home("alice") / f"{TEMPORARY}x").write_text("half")
    assert names(tree, "/") == ["public", "sites", "www"]
    for work in (
        lambda: get(tree, f"/{TEMPORARY}x"),
        lambda: tree.remove((f"{TEMPORARY}x",)),
        lambda: put(tree, f"/{TEMPORARY}y", b""),
        lambda: tree.rename(("www",), (f"{TEMPORARY}z",)),
    ):
        assert refuses(errno.ENOENT, work)


def test_uploads_that_a_crash_left_are_removed(tree: Tree, world: World) -> None:
    left = world.files.home("alice") / "www" / f"{TEMPORARY}x"
    left.write_text("half")
    put(tree, "/a.txt", b"")
    assert not left.exists()


@pytest.mark.parametrize("replace", [True, False])
def test_a_place_can_be_full(tree: Tree, replace: bool) -> None:
    put(tree, "/a", bytes(QUOTA - 10))
    writing = tree.write(("b",), replace=replace)
    writing.write(bytes(10), 0)
    with pytest.raises(OSError, match="quota"):
        writing.write(b"x", 10)
    writing.abandon()
    tree.remove(("a",))
    put(tree, "/c", bytes(QUOTA - 10))
    assert refuses(errno.EDQUOT, lambda: put(tree, "/d", b"x"))


def test_replacing_gives_the_old_room_back(tree: Tree) -> None:
    for _ in range(5):
        put(tree, "/a", bytes(QUOTA // 2), replace=True)
    writing = tree.write(("a",))
    writing.truncate(0)
    writing.commit()
    put(tree, "/b", bytes(QUOTA))


def test_a_place_takes_only_so_many_entries(tree: Tree) -> None:
    for number in range(ENTRIES - 1):  # www is there
        tree.make_directory((f"d{number}",))
    assert refuses(errno.EDQUOT, lambda: tree.make_directory(("more",)))
    assert refuses(errno.EDQUOT, lambda: put(tree, "/more", b""))
    tree.remove_directory(("d0",))
    put(tree, "/more", b"")
    tree.rename(("more",), ("again",))
    tree.remove(("again",))
    tree.make_directory(("d0",))


def test_moving_to_another_place_moves_the_room_too(trees: Trees, tree: Tree) -> None:
    tree.make_directory(("d",))
    put(tree, "/d/a", bytes(QUOTA // 2 + 1))
    tree.rename(("d",), ("public", "d"))
    put(tree, "/b", bytes(QUOTA))
    assert refuses(errno.EDQUOT, lambda: tree.rename(("b",), ("public", "b")))
    assert refuses(errno.EDQUOT, lambda: put(trees.person("bob"), "/public/c", bytes(QUOTA // 2)))


def test_renaming(tree: Tree) -> None:
    put(tree, "/a", b"a")
    put(tree, "/b", b"b")
    assert refuses(errno.EEXIST, lambda: tree.rename(("a",), ("b",), replace=False))
    tree.rename(("a",), ("b",))
    assert get(tree, "/b") == b"a"
    tree.make_directory(("d",))
    tree.make_directory(("d", "e"))
    assert refuses(errno.EINVAL, lambda: tree.rename(("d",), ("d", "e", "f")))
    assert refuses(errno.ENOENT, lambda: tree.rename(("nothing",), ("x",)))


def test_links_do_not_help(tree: Tree, world: World, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("nobody may read this")
    home = world.files.home("alice")
    (home / "out").symlink_to(tmp_path / "secret")
    (home / "www" / "key").symlink_to(tmp_path / "secret" / "key")
    assert names(tree, "/") == ["public", "sites", "www"]
    for work in (
        lambda: get(tree, "/out/key"),
        lambda: get(tree, "/www/key"),
        lambda: put(tree, "/out/new", b""),
        lambda: tree.stat(("out",)),
        lambda: tree.remove(("out", "key")),
        lambda: tree.set_mode(("out",), 0o777),
        lambda: tree.rename(("out", "key"), ("mine",)),
        lambda: tree.rename(("www",), ("out", "www")),
        lambda: tree.make_directory(("out", "d")),
        lambda: put(tree, "/www/key", b"", replace=True),
    ):
        with pytest.raises(OSError):  # noqa: PT011
            work()
    tree.rename(("www", "key"), ("moved",))  # the link itself
    with pytest.raises(OSError):  # noqa: PT011
        get(tree, "/moved")
    tree.remove(("moved",))
    assert (tmp_path / "secret" / "key").read_text() == "nobody may read this"
    assert os.listdir(tmp_path / "secret") == ["key"]


def test_modes_are_kept_or_refused(tree: Tree) -> None:
    """What the sandbox could not read or enter itself, and what has no meaning here, is refused, not changed."""
    put(tree, "/a", b"a")
    tree.make_directory(("d",), 0o750)
    for path, mode in [("/a", 0o400), ("/a", 0o777), ("/a", 0o604), ("/d", 0o700), ("/d", 0o770)]:
        tree.set_mode(names_of(path), mode)
        assert tree.stat(names_of(path)).st_mode & 0o7777 == mode
    for path, mode in [("/a", 0o200), ("/a", 0o4644), ("/a", 0), ("/d", 0o600), ("/d", 0o1777)]:
        before = tree.stat(names_of(path)).st_mode
        assert refuses(errno.ENOTSUP, lambda path=path, mode=mode: tree.set_mode(names_of(path), mode))  # type: ignore[misc]
        assert tree.stat(names_of(path)).st_mode == before
    assert refuses(errno.ENOTSUP, lambda: tree.make_directory(("e",), 0o500))
    assert refuses(errno.ENOTSUP, lambda: tree.write(("e",), mode=0o100))
    assert names(tree, "/") == ["a", "d", "public", "sites", "www"]


@pytest.mark.parametrize("replace", [True, False])
def test_what_is_for_reading_is_not_written_to(tree: Tree, replace: bool) -> None:
    put(tree, "/a", b"a")
    tree.set_mode(("a",), 0o444)
    assert refuses(errno.EACCES, lambda: put(tree, "/a", b"b", replace=replace))
    assert not tree.takes_file(("a",))
    assert get(tree, "/a") == b"a"


def test_a_new_version_keeps_the_permissions(tree: Tree) -> None:
    put(tree, "/a", b"a", replace=True)
    tree.set_mode(("a",), 0o640)
    put(tree, "/a", b"b", replace=True)
    assert tree.stat(("a",)).st_mode & 0o7777 == 0o640


def test_times_are_kept_apart(tree: Tree) -> None:
    put(tree, "/a", b"a")
    tree.set_times(("a",), 86400.0, 172800.0)
    tree.set_times(("a",), 259200.0)
    status = tree.stat(("a",))
    assert (status.st_mtime, status.st_atime) == (259200, 172800)


@pytest.mark.parametrize("replace", [True, False])
def test_what_nothing_came_of_is_not_left_behind(tree: Tree, replace: bool) -> None:
    writing = tree.write(("a",), replace=replace)
    writing.abandon()
    assert names(tree, "/") == ["public", "sites", "www"]
    put(tree, "/old", b"")
    tree.write(("old",)).abandon()
    assert "old" in names(tree, "/"), "one that was there stays, empty as it is"


def test_room_that_was_set_aside_is_given_back(tree: Tree) -> None:
    writing = tree.write(("a",))
    writing.reserve(QUOTA)
    assert refuses(errno.EDQUOT, lambda: put(tree, "/b", b"x"))
    assert not writing.reserve_now(QUOTA + 1)
    assert refuses(errno.EFBIG, lambda: writing.reserve(2**63))
    writing.write(b"1", 0)
    writing.abandon()
    tree.remove(("b",))
    put(tree, "/b", bytes(QUOTA - 1))


def test_a_writing_ends_once(tree: Tree) -> None:
    writing: Writing = tree.write(("a",), replace=True)
    writing.commit()
    writing.commit()
    writing.abandon()
    assert get(tree, "/a") == b""


def test_changes_are_announced(tree: Tree, world: World) -> None:
    heard: list[Change] = []
    world.changes.observe(heard.append)
    tree.make_directory(("d",))
    tree.rename(("d",), ("e",))
    tree.remove_directory(("e",))
    assert [(change.action, change.name) for change in heard] == [
        ("added", "alice:/d/"),
        ("removed", "alice:/d"),
        ("added", "alice:/e"),
        ("removed", "alice:/e/"),
    ]


def test_somebody_new_has_a_home_and_a_website(world: World, trees: Trees) -> None:
    world.build_zones(["127.0.0.1"])
    world.accounts.add("mei", "secret")
    assert names(trees.person("mei"), "/") == ["public", "sites", "www"]
    site = world.sites.find("mei.example.com")
    assert site is not None
    assert site.value == str(world.files.home("mei") / "www")
    assert world.sites.find("nobody.example.com") is None
    zone = world.zones.zone_at("example.com")
    assert zone is not None
    assert [str(record.owner) for record in zone.records() if str(record.owner).startswith("mei.")]


def test_the_host_key_is_kept_and_private(world: World) -> None:
    key = world.host_key
    assert os.stat(world.files.host_key).st_mode & 0o777 == 0o600
    assert key.fingerprint.startswith("SHA256:")
    del world.host_key
    assert world.host_key == key
