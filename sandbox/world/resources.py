"""Resources: named collections of JSON objects, for learners and tests that need a REST service to talk to.

They are kept in SQLite, one row an item. Everything here is synchronous and may wait for the disk: call it from a
worker thread. One lock serves all callers, so that reading an item, judging its tag and writing it back are one step.

Every item carries its own name under "id". Its tag changes whenever it does, and two states of one item never share
one, even when the item is removed and made again.
"""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import NamedTuple

from sandbox.errors import StoreError, remedy
from sandbox.world.database import Database

__all__ = ["Changed", "Full", "Invalid", "Item", "Json", "Missing", "Page", "Resources", "merge_patch"]

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

COLLECTION = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)
ITEM = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._~-]{0,62}[A-Za-z0-9_~-])?", re.ASCII)

MAX_SIZE = 65_536
"""Octets of one item as JSON: a form, not a film."""
MAX_DEPTH = 32
"""Levels of one item: far below what makes a recursive reader fail."""
MAX_ITEMS = 10_000
"""Items of one collection."""
MAX_COLLECTIONS = 100
"""Collections in all: with the other two, what strangers can fill is bounded."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS item (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (collection, id)
);
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class Missing(LookupError):
    """There is no such item."""


class Changed(Exception):
    """The item is not in the state the caller expected. tag: the one it has now, "" when there is none."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag


class Full(Exception):
    """A limit was reached; the message says which."""


class Invalid(ValueError):
    """A value cannot be kept. pointer: where in it the trouble is (RFC 6901); the message says what."""

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.pointer = pointer


class Item(NamedTuple):
    """One resource. tag: names this state of it, safe inside an entity tag; created: whether it is new."""

    id: str
    tag: str
    value: dict[str, Json]
    created: bool = False


class Page(NamedTuple):
    """Part of a collection, in the order its items were made. total: how many it has in all."""

    items: list[Item]
    total: int


class Resources:
    """All collections. path: the database file; ":memory:" keeps nothing."""

    def __init__(self, path: Path | str = ":memory:") -> None:
        try:
            self._database = Database(path)
            try:
                with self._database.alone() as database:
                    database.execute("PRAGMA journal_mode = WAL")
                    database.execute("PRAGMA synchronous = NORMAL")
                    database.executescript(SCHEMA)
            except BaseException:
                self._database.close()
                raise
        except sqlite3.Error as error:
            raise StoreError(f"{path}: the resources cannot be used ({error}); {remedy(error)}, or use another "
                             "--data DIR") from error

    def close(self) -> None:
        self._database.close()

    def collections(self) -> list[tuple[str, int]]:
        """Every collection that has items, with how many."""
        with self._database.alone() as database:
            return database.execute(
                "SELECT collection, count(*) FROM item GROUP BY collection ORDER BY collection").fetchall()

    def page(self, collection: str, limit: int, offset: int = 0) -> Page:
        """Up to `limit` items after the first `offset`. A collection nobody filled yet is empty."""
        with self._database.alone() as database:
            total = database.execute(
                "SELECT count(*) FROM item WHERE collection = ?", (collection,)).fetchone()[0]
            rows = database.execute(
                "SELECT id, revision, value FROM item WHERE collection = ? ORDER BY serial LIMIT ? OFFSET ?",
                (collection, limit, offset)).fetchall()
        return Page([Item(name, str(revision), json.loads(value)) for name, revision, value in rows], total)

    def get(self, collection: str, name: str) -> Item:
        """Raises Missing."""
        with self._database.alone() as database:
            item = self._find(database, collection, name)
        if item is None:
            raise Missing(name)
        return item

    def create(self, collection: str, value: Json) -> Item:
        """Add an item under a new number, or under the "id" the value brings. Raises Invalid, Full, Changed (the
        "id" is taken)."""
        with self._database.transaction() as database:
            name = value.get("id") if isinstance(value, dict) else None
            if name is None:
                name = self._unused(database, collection)
            elif not isinstance(name, str):
                raise Invalid("an id is a string; leave it out to be given one", "/id")
            if (present := self._find(database, collection, name)) is not None:
                raise Changed(present.tag)
            return self._store(database, collection, name, value, None)

    def put(self, collection: str, name: str, value: Json, expected: frozenset[str] | None = None,
            *, absent: bool = False) -> Item:
        """Make or replace an item. expected: the tags it may have now; absent: it must not exist.

        Raises Invalid, Full, Changed.
        """
        with self._database.transaction() as database:
            present = self._find(database, collection, name)
            self._check(present, expected)
            if absent and present is not None:
                raise Changed(present.tag)
            return self._store(database, collection, name, value, present)

    def patch(self, collection: str, name: str, patch: Json, expected: frozenset[str] | None = None) -> Item:
        """Apply a merge patch (RFC 7396). Raises Missing, Invalid, Changed."""
        if not isinstance(patch, dict):
            raise Invalid("a merge patch for a resource is an object")
        if too_deep(patch):
            raise Invalid(f"the value is nested more than {MAX_DEPTH} levels deep")
        with self._database.transaction() as database:
            present = self._find(database, collection, name)
            self._check(present, expected)
            if present is None:
                raise Missing(name)
            if "id" in patch and patch["id"] != name:
                raise Invalid("the id of a resource is its address and cannot change", "/id")
            return self._store(database, collection, name, merge_patch(present.value, patch), present)

    def delete(self, collection: str, name: str, expected: frozenset[str] | None = None) -> None:
        """Raises Missing, Changed."""
        with self._database.transaction() as database:
            present = self._find(database, collection, name)
            self._check(present, expected)
            if present is None:
                raise Missing(name)
            database.execute("DELETE FROM item WHERE collection = ? AND id = ?", (collection, name))

    def _find(self, database: sqlite3.Connection, collection: str, name: str) -> Item | None:
        row = database.execute("SELECT revision, value FROM item WHERE collection = ? AND id = ?",
                               (collection, name)).fetchone()
        return None if row is None else Item(name, str(row[0]), json.loads(row[1]))

    @staticmethod
    def _check(present: Item | None, expected: frozenset[str] | None) -> None:
        """RFC 9110 §13.1.1: "*" means whatever it is, as long as it is there."""
        if expected is None:
            return
        if present is None or ("*" not in expected and present.tag not in expected):
            raise Changed("" if present is None else present.tag)

    def _store(self, database: sqlite3.Connection, collection: str, name: str, value: Json,
               present: Item | None) -> Item:
        text, kept = validate(collection, name, value)
        if present is None:
            self._check_room(database, collection)
        revision = next_number(database, "revision")
        database.execute(
            "INSERT INTO item (collection, id, revision, value) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (collection, id) DO UPDATE SET revision = excluded.revision, value = excluded.value",
            (collection, name, revision, text))
        return Item(name, str(revision), kept, created=present is None)

    @staticmethod
    def _check_room(database: sqlite3.Connection, collection: str) -> None:
        count = database.execute("SELECT count(*) FROM item WHERE collection = ?", (collection,)).fetchone()[0]
        if count >= MAX_ITEMS:
            raise Full(f"a collection holds at most {MAX_ITEMS} items; delete some first")
        if count == 0:
            others = database.execute("SELECT count(DISTINCT collection) FROM item").fetchone()[0]
            if others >= MAX_COLLECTIONS:
                raise Full(f"there are {MAX_COLLECTIONS} collections already; empty one of them first")

    def _unused(self, database: sqlite3.Connection, collection: str) -> str:
        """The next number of the collection; numbers that a PUT has taken are passed over."""
        while True:
            name = str(next_number(database, f"id {collection}"))
            if self._find(database, collection, name) is None:
                return name


def next_number(database: sqlite3.Connection, counter: str) -> int:
    """Count on. A number is never given twice, so an old tag or id never names something new."""
    row = database.execute("INSERT INTO counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 "
                           "RETURNING value", (counter,)).fetchone()
    number: int = row[0]
    return number


def validate(collection: str, name: str, value: Json) -> tuple[str, dict[str, Json]]:
    """The item as it is kept, in text and as a value. Raises Invalid."""
    if COLLECTION.fullmatch(collection) is None:
        raise Invalid("a collection's name is a small letter, then small letters, digits, - or _ (64 at most)")
    if ITEM.fullmatch(name) is None:
        raise Invalid("an id is letters, digits and . _ ~ - inside (64 at most)", "/id")
    if not isinstance(value, dict):
        raise Invalid("a resource is an object, in curly brackets")
    if value.get("id", name) != name:
        raise Invalid(f"the id in the value is not the {name!r} of the address", "/id")
    if too_deep(value):
        raise Invalid(f"the value is nested more than {MAX_DEPTH} levels deep")
    kept: dict[str, Json] = {"id": name, **value}
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise Invalid("a string holds half of a surrogate pair, which is no character") from None
    if size > MAX_SIZE:
        raise Invalid(f"a resource is at most {MAX_SIZE} octets as JSON; this one has {size}")
    return text, kept


def too_deep(value: Json) -> bool:
    level: list[Json] = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level if isinstance(outer, (dict, list))
                 for inner in (outer.values() if isinstance(outer, dict) else outer)]
        if not level:
            return False
    return True


def merge_patch(target: Json, patch: Json) -> Json:
    """RFC 7396 §2: members of the patch replace those of the target, null removes them."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result
