"""Hashing beside the loop: one thread takes SHA-256 of what passes, in large pieces.

hashlib gives up the interpreter's lock while it works, so the loop carries the next bytes meanwhile. How much may
wait for the thread is bounded: over it the journal is `full`, and whoever carries bytes waits. So the end of a long
exchange waits for the thread a few milliseconds at most.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from queue import SimpleQueue

__all__ = ["PIECE", "Digest", "Hasher"]

PIECE = 262_144
"""Octets that are handed to the thread at once. Shorter sides of exchanges are not hashed unless somebody asks."""

BACKLOG = 4_194_304
"""Octets that may wait for the thread. Whoever waits for room is told when half of them are hashed: each piece would
be a trip through the scheduler."""


class Hasher:
    """The thread, started when there is something to hash. on_room: called in it when the backlog has gone down and
    somebody waits for that."""

    def __init__(self) -> None:
        self.on_room: Callable[[], None] = lambda: None
        self.awaited = False
        """Whether somebody waits until `full` is over."""
        self._queue: SimpleQueue[tuple[Digest, list[bytes], int] | threading.Event | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._given = 0
        self._done = 0
        """Octets; one is counted by the loop and one by the thread, so that they need no lock."""

    @property
    def full(self) -> bool:
        return self._given - self._done > BACKLOG

    def give(self, digest: Digest, pieces: list[bytes], size: int) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._hash_all, name="hashes", daemon=True)
            self._thread.start()
        self._given += size
        self._queue.put((digest, pieces, size))

    def settle(self) -> None:
        """Wait until everything given so far is hashed."""
        if self._given != self._done:
            reached = threading.Event()
            self._queue.put(reached)
            reached.wait()

    def close(self) -> None:
        """Hash what is left, and stop the thread."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _hash_all(self) -> None:
        while (work := self._queue.get()) is not None:
            if isinstance(work, threading.Event):
                work.set()
                continue
            digest, pieces, size = work
            for piece in pieces:
                digest.sha256.update(piece)
            self._done += size
            if self.awaited and self._given - self._done <= BACKLOG // 2:
                self.awaited = False
                self.on_room()


class Digest:
    """SHA-256 of a stream's part, as it grows."""

    __slots__ = ("_given", "_hasher", "_pieces", "_size", "sha256")

    def __init__(self, hasher: Hasher, pieces: list[bytes]) -> None:
        self.sha256 = hashlib.sha256()
        self._hasher = hasher
        self._pieces = list(pieces)
        self._size = sum(map(len, pieces))
        self._given = False

    def update(self, data: bytes) -> None:
        """Takes no time; the bytes are kept until they are hashed."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= PIECE:
            self._hasher.give(self, self._pieces, self._size)
            self._pieces, self._size, self._given = [], 0, True

    def hexdigest(self) -> str:
        """Of everything so far. Waits for what is under way."""
        if self._given:
            self._hasher.settle()
            self._given = False
        for piece in self._pieces:
            self.sha256.update(piece)
        self._pieces, self._size = [], 0
        return self.sha256.hexdigest()
