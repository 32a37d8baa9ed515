"""A message while it arrives: small ones stay in memory, large ones go to disk piece by piece."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO
from uuid import uuid4

__all__ = ["INLINE", "Spool"]

INLINE = 131_072
"""Octets up to which a message lives in the database. Above it SQLite's pages cost more than a file does."""

BATCH = 262_144
"""Octets that wait in memory before they are written."""


class Spool:
    """`add` pieces; whenever it says so, `drain` in a thread; at the end `seal` in a thread, or `discard`.

    size: octets so far; text: all of it, for a small sealed one; file: where a large sealed one is, None else.
    """

    def __init__(self, folder: Path, *, safe: bool) -> None:
        self._folder = folder
        self._safe = safe
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._handle: IO[bytes] | None = None
        self.size = 0
        self.file: Path | None = None

    @property
    def text(self) -> bytes:
        return b"".join(self._pieces)

    def add(self, piece: bytes) -> bool:
        """Whether it is time to drain."""
        self._pieces.append(piece)
        self._waiting += len(piece)
        self.size += len(piece)
        return self._waiting >= BATCH

    @property
    def must_seal(self) -> bool:
        """Whether `seal` has something to write, and so belongs into a thread."""
        return self.size > INLINE

    def drain(self) -> None:
        """Write what waits. Blocks. Raises OSError."""
        if self._handle is None:
            self.file = self._folder / uuid4().hex
            self._handle = open(self.file, "xb", buffering=0)  # noqa: SIM115 - `seal` and `discard` close it
        data = memoryview(b"".join(self._pieces))
        while data:
            data = data[self._handle.write(data):]
        self._pieces.clear()
        self._waiting = 0

    def seal(self) -> None:
        """Nothing more comes: make a large one safe on disk. Blocks. Raises OSError."""
        if not self.must_seal:
            return
        self.drain()
        assert self._handle is not None
        if self._safe:
            os.fsync(self._handle.fileno())
        self._handle.close()

    def discard(self) -> None:
        """Forget it. Harmless after it was stored. Blocks for as long as removing a file does."""
        self._pieces.clear()
        if self._handle is not None:
            self._handle.close()
        if self.file is not None:
            self.file.unlink(missing_ok=True)
