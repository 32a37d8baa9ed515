"""People: who may log in, and what happens when that changes."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.world import Account, Change, World, WorldError


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    loaded = World.load(None, tmp_path)
    yield loaded
    loaded.close()


def reopened(world: World) -> World:
    world.close()
    return World.load(None, world.files.data)


@pytest.mark.parametrize(("name", "password", "right"), [
    ("alice", "wonderland", True),
    ("Alice", "wonderland", True),
    ("alice@example.com", "wonderland", True),
    ("ALICE@SANDBOX.TEST", "wonderland", True),
    ("alice@example.com.", "wonderland", True),
    ("alice@elsewhere.com", "wonderland", False),
    ("alice@", "wonderland", False),
    ("@example.com", "", False),
    ("alice", "Wonderland", False),
    ("alice", "wonderland ", False),
    ("alice", "", False),
    ("alice", "\ud800", False),
    ("nobody", "", False),
    ("", "", False),
    ("a@b@example.com", "", False),
])
def test_logging_in(world: World, name: str, password: str, right: bool) -> None:
    account = world.accounts.check(name, password)
    assert (account is not None) == right
    if account:
        assert account.login == "alice"


def test_addresses(world: World) -> None:
    assert Account("bob", "x", "Bob").address("example.org") == "bob@example.org"
    bob = world.accounts.get("bob@example.org")
    assert bob is not None
    assert bob.name == "Bob Mason"


def test_changes_are_kept_and_announced(world: World) -> None:
    told: list[Change] = []
    world.changes.observe(told.append)
    world.accounts.add("Dora", "vans")
    world.accounts.change("alice", password="looking-glass")
    world.accounts.change("bob", name="Robert")
    world.accounts.remove("carol")
    world.accounts.add("erin", "x")
    world.accounts.remove("erin")
    assert told == [
        Change("account", "added", "dora"), Change("account", "changed", "alice"),
        Change("account", "changed", "bob"), Change("account", "removed", "carol"),
        Change("account", "added", "erin"), Change("account", "removed", "erin")]
    again = reopened(world)
    try:
        assert {one.login: one.password for one in again.accounts} == {
            "alice": "looking-glass", "bob": "builder", "teacher": "chalk", "dora": "vans"}
        assert [one.name for one in again.accounts if one.login == "bob"] == ["Robert"]
        again.accounts.add("carol", "back")
        assert again.accounts.check("carol", "back")
    finally:
        again.close()


@pytest.mark.parametrize(("login", "password", "words"), [
    ("alice", "x", "already"),
    ("a b", "x", "small letters"),
    ("../x", "x", "small letters"),
    ("", "x", "small letters"),
    (".x", "x", "small letters"),
    ("x" * 65, "x", "small letters"),
    ("dora", "", "printable"),
    ("dora", "a\0b", "printable"),
    ("dora", "x" * 257, "printable"),
])
def test_people_that_cannot_be(world: World, login: str, password: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        world.accounts.add(login, password)
    assert len(world.accounts) == 4


def test_changing_nobody(world: World) -> None:
    with pytest.raises(KeyError):
        world.accounts.change("nobody", password="x")
    with pytest.raises(KeyError):
        world.accounts.remove("nobody")


def test_an_observer_that_fails_is_not_told_again(world: World, caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []

    def failing(change: Change) -> None:
        told.append("failing")
        raise RuntimeError("oops")

    world.changes.observe(failing)
    stop = world.changes.observe(lambda change: told.append(change.name))
    world.accounts.add("dora", "x")
    world.accounts.add("erin", "x")
    stop()
    world.accounts.add("fred", "x")
    assert told == ["failing", "dora", "erin"]
    assert "oops" in caplog.text


def test_a_store_from_the_future_is_left_alone(world: World) -> None:
    world.close()
    database = sqlite3.connect(world.files.store)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(WorldError, match="newer Sandbox"):
        World.load(None, world.files.data)


def test_passwords_are_for_the_owners_eyes(world: World) -> None:
    world.accounts.add("dora", "vans")
    for file in world.files.data.glob("world.sqlite3*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_store_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "world.sqlite3").write_bytes(b"this is no database" * 100)
    with pytest.raises(WorldError, match="Move it away"):
        World.load(None, tmp_path)
