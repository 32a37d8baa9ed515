"""How much the journal keeps: over its size, what is oldest leaves, whole sessions first.

It belongs to the store's thread, and works inside its transactions.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from time import monotonic

from sandbox.journal.bodies import Bodies

__all__ = ["Retention"]

SPARE = 0.9
"""Room is made until this share of the allowed size is left, so that it is not made with every batch."""

MOMENT = 0.02
"""Seconds that a batch may take to make more room than has to be: all clients wait for the writer."""

STEP = 64
"""Sessions, or pages, that leave at a time."""


class Retention:
    """Counts what is there. limit: octets that may be."""

    def __init__(self, db: sqlite3.Connection, bodies: Bodies, limit: int) -> None:
        self._db = db
        self._bodies = bodies
        self._limit = limit
        self._pinned: set[int] = set()
        """Numbers of blobs and bodies that the loop may still mention."""
        self._dropped: list[int] = []
        self._making_room = False
        self.size = self._count()

    def _count(self) -> int:
        (size,) = self._db.execute("SELECT (SELECT COALESCE(SUM(size), 0) FROM sessions)"
                                   " + (SELECT COALESCE(SUM(LENGTH(data)), 0) FROM blobs)"
                                   " + (SELECT COALESCE(SUM(size), 0) FROM bodies)").fetchone()
        return int(size)

    def recover(self) -> None:
        """Drop what a kill left behind: blobs and bodies that no session mentions, and files that no row does."""
        self._drop_unmentioned(number for (number,) in self._db.execute(
            "SELECT id FROM bodies UNION SELECT id FROM blobs").fetchall())
        self.sweep()
        self._bodies.keep_only({number for (number,) in self._db.execute("SELECT id FROM bodies")})

    def rolled_back(self, bodies: Iterable[int]) -> None:
        """A transaction came to nothing, in which there were pieces of these bodies: what it dropped is there still,
        and what was new to it is not."""
        self._dropped = [body for body in {*self._dropped, *bodies}
                         if not self._db.execute("SELECT 1 FROM bodies WHERE id = ?", (body,)).fetchone()]
        self.size = self._count()

    def pin(self, pinned: Iterable[int], released: Iterable[int]) -> None:
        self._pinned.update(pinned)
        released = set(released)
        self._pinned -= released
        self._drop_unmentioned(released)

    def make_room(self) -> None:
        """Where there is too much: whole sessions that are over leave first, oldest first; then the oldest pages of
        open ones. What has to leave does so at once, what makes spare room a little with each batch: of small
        sessions there may be hundreds of thousands."""
        if self.size > self._limit:
            self._making_room = True
        until = monotonic() + MOMENT
        while self._making_room and (self.size > self._limit or monotonic() < until):
            self._making_room = self._drop_sessions() or self._drop_pages()

    def _drop_sessions(self) -> bool:
        """Drop the oldest that are over, no more than need be. Whether there may be more to drop."""
        gone = []
        for session, size in self._db.execute(
                "SELECT id, size FROM sessions WHERE closed > 0 ORDER BY id LIMIT ?", (STEP,)).fetchall():
            if self.size <= self._spare:
                break
            gone.append((session,))
            self.size -= size
            self._end_mentions("session = ?", session)
        self._db.executemany("DELETE FROM pages WHERE session = ?", gone)
        self._db.executemany("DELETE FROM sessions WHERE id = ?", gone)
        return bool(gone) and self.size > self._spare

    def _drop_pages(self) -> bool:
        """The same for the oldest pages, where all sessions are open."""
        rows = self._db.execute("SELECT id, session, batch, size FROM pages ORDER BY id LIMIT ?", (STEP,)).fetchall()
        for page, session, batch, size in rows:
            if self.size <= self._spare:
                return False
            self._db.execute("DELETE FROM pages WHERE id = ?", (page,))
            self._db.execute("UPDATE sessions SET size = size - ? WHERE id = ?", (size, session))
            self.size -= size
            self._end_mentions("session = ? AND batch <= ?", session, batch)
        return bool(rows) and self.size > self._spare

    @property
    def _spare(self) -> int:
        return int(self._limit * SPARE)

    def sweep(self) -> None:
        """Remove the files of bodies that were dropped: after the commit, as a transaction may come to nothing."""
        while self._dropped:
            self._bodies.drop(self._dropped.pop())

    def _end_mentions(self, where: str, *values: int) -> None:
        """Forget mentions, and drop the blobs and bodies that had no other."""
        numbers = [number for (number,) in self._db.execute(f"SELECT body FROM mentions WHERE {where}", values)]
        if numbers:
            self._db.execute(f"DELETE FROM mentions WHERE {where}", values)
            self._drop_unmentioned(numbers)

    def _drop_unmentioned(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            if number in self._pinned or self._db.execute("SELECT 1 FROM mentions WHERE body = ? LIMIT 1",
                                                          (number,)).fetchone():
                continue
            for (size,) in self._db.execute("SELECT LENGTH(data) FROM blobs WHERE id = ?", (number,)).fetchall():
                self.size -= size
                self._db.execute("DELETE FROM blobs WHERE id = ?", (number,))
            for (size,) in self._db.execute("SELECT size FROM bodies WHERE id = ?", (number,)).fetchall():
                self.size -= size
                self._db.execute("DELETE FROM bodies WHERE id = ?", (number,))
                self._db.execute("DELETE FROM holes WHERE body = ?", (number,))
                self._dropped.append(number)
