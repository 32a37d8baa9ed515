"""Open files: what was read ahead, what was gathered and waits to be written, and how much has passed.

Sequential reads are served from a piece read ahead, and sequential writes gathered into one: a request is 32 KiB,
and a visit to a thread costs as much as copying ten of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Callable
from typing import TypeVar

from sandbox.world.files.paths import Names
from sandbox.world.files.writing import Writing

__all__ = ["DATA_LIMIT", "PIECE", "Changing", "Reading", "Total", "in_thread"]

PIECE = 524_288
"""Octets read ahead, or gathered before they are written."""

DATA_LIMIT = 261_120
"""Octets of one answer to READ, and of one WRITE, as limits@openssh.com tells: what fits into the 262,144 of a packet
that OpenSSH takes, and as much as OpenSSH's own server says. Clients ask again for the rest."""

Value = TypeVar("Value")


async def in_thread(work: Callable[..., Value], *values: object) -> Value:
    """Run it in one of trio's worker threads."""
    return await asyncio.get_running_loop().run_in_executor(None, work, *values)


class Total:
    """What passed through one open file. octets: those that passed; sha256: "" where they did not go in one sweep
    from the first octet on."""

    def __init__(self) -> None:
        self.octets = 0
        self._hashed = 0
        self._digest = hashlib.sha256()

    def hash(self, data: bytes, offset: int) -> None:
        """In a worker thread. What has been hashed already is passed over."""
        if offset <= self._hashed < offset + len(data):
            self._digest.update(memoryview(data)[self._hashed - offset:])
            self._hashed = offset + len(data)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest() if self._hashed == self.octets else ""


class Reading:
    """A file open for reading, with the piece that was read ahead."""

    def __init__(self, path: str, names: Names, descriptor: int, owner: str) -> None:
        self.path = path
        self.names = names
        self.owner = owner
        self.total = Total()
        self._descriptor = descriptor
        self._piece = b""
        self._start = 0

    async def read(self, offset: int, size: int) -> bytes:
        """Never less than was asked for but at the end: OpenSSH's client takes a short answer for a limit of the
        server, and asks for no more than that ever after."""
        inside = offset - self._start
        if inside < 0 or inside + size > len(self._piece):
            self._piece, self._start, inside = await in_thread(self._fetch, offset), offset, 0
        data = self._piece[inside:inside + size]
        self.total.octets += len(data)
        return data

    def _fetch(self, offset: int) -> bytes:
        data = os.pread(self._descriptor, PIECE, offset)
        self.total.hash(data, offset)
        return data

    def stat(self) -> os.stat_result:
        return os.fstat(self._descriptor)

    def give_up(self) -> None:
        """Once is enough; more does no harm."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class Changing:
    """A file open for writing, with what was gathered.

    The room for what a WRITE brings is set aside before it is answered, so that one that does not fit is refused
    itself. The disk may still fail when what was gathered is written: from then on every WRITE is refused, and CLOSE
    fails as it does after any refusal.
    """

    def __init__(self, path: str, names: Names, writing: Writing, append: bool) -> None:
        self.path = path
        self.names = names
        self.owner = writing.owner
        self.total = Total()
        self.writing = writing
        self._append = append
        self._gathered = bytearray()
        self._start = 0
        self._broken: Exception | None = None
        """What the disk said."""
        self.problem: Exception | None = None
        """Why not all that was sent is in the file; None while it is."""

    async def write(self, offset: int, data: bytes) -> None:
        """Raises OSError."""
        try:
            await self._write(offset, data)
        except OSError as error:
            self.problem = self.problem or error
            raise

    async def _write(self, offset: int, data: bytes) -> None:
        if self._append:
            offset = max(self.writing.size, self._start + len(self._gathered) if self._gathered else 0)
        if self._broken is not None:
            raise self._broken
        if not data:
            return
        if not self.writing.reserve_now(offset + len(data)):
            await in_thread(self.writing.reserve, offset + len(data))
        if self._gathered and offset != self._start + len(self._gathered):
            await self.settle()
        if not self._gathered:
            self._start = offset
        self._gathered += data
        if len(self._gathered) >= PIECE:
            await self.settle()

    async def read(self, offset: int, size: int) -> bytes:
        await self.settle()
        return await in_thread(self.writing.read, size, offset)

    def give_up(self) -> None:
        """What has come is kept where nothing is replaced by it."""
        if self._gathered:
            with contextlib.suppress(OSError):
                self._put_gathered()
        if self.writing.replacing or self.problem is not None:
            self.writing.abandon()
        else:
            self.writing.commit()

    async def settle(self) -> None:
        """Write what was gathered. Raises OSError, at first and ever after."""
        if self._broken is not None:
            raise self._broken
        if self._gathered:
            await in_thread(self._put_gathered)

    def _put_gathered(self) -> None:
        try:
            self._put(bytes(self._gathered), self._start)
        except OSError as error:
            self._broken = self.problem = error
            raise
        finally:
            self._gathered = bytearray()

    def _put(self, data: bytes, offset: int) -> None:
        self.writing.write(data, offset)
        self.total.octets += len(data)
        if offset + len(data) <= self.total.octets:
            self.total.hash(data, offset)
