"""Moving data between a data connection and a file, in large pieces that worker threads read, write and hash.

While one piece is on the wire the next is read, or those before are written; so a few pieces are in memory for each
transfer, never more. Small files take one visit to a worker thread, with their opening.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Callable

import trio

from sandbox.protocols.contract.conversation import DataConversation, EndOfStream
from sandbox.world.files.signature import Signature, signature_of
from sandbox.world.files.writing import Writing

__all__ = [
    "LITTLE", "PIECE", "SHORT_WORK", "Count", "Download", "Upload", "from_network", "one_error", "size_in_ascii",
    "to_network",
]

PIECE = 524_288
"""Octets read at once: enough that a visit to a worker thread costs little beside them, and few enough that they are
still in the processor's cache when they are sent, hashed or written."""

GATHERED = 2 * PIECE
"""Octets of an upload that are written with one visit."""


SHORT_WORK = trio.CapacityLimiter(1)
"""Short work with files is done by one thread at a time: it is all system calls, and threads that do such work
together spend most of it on handing the interpreter's lock to one another."""

LITTLE = 16_384
"""Octets that a connection's buffer takes, whatever the system (Linux begins with as many)."""


class Count:
    """What has passed: how many octets, and in what time."""

    def __init__(self) -> None:
        self.octets = 0
        self.seconds = 0.0
        self.start()

    def start(self) -> None:
        """The time runs from now."""
        self._started = time.monotonic()

    def stop(self) -> None:
        self.seconds = time.monotonic() - self._started

    def add(self, octets: int) -> None:
        self.octets += octets

    @property
    def summary(self) -> str:
        """Such as "1048576 octets in 0.021 s, 49.9 MB/s"."""
        seconds = max(self.seconds, 1e-6)
        rate = self.octets / seconds
        return (f"{self.octets} octets in {seconds:.3f} s, "
                + (f"{rate / 1e6:.1f} MB/s" if rate >= 1e6 else f"{rate / 1e3:.1f} kB/s"))


def to_network(data: bytes, after_cr: bool) -> bytes:
    """Line ends as TYPE A has them on the wire (RFC 959 §3.1.1.1): LF becomes CRLF; CRLF stays.

    after_cr: whether the octet before was a CR.
    """
    head = b""
    if after_cr and data.startswith(b"\n"):
        head, data = b"\n", data[1:]
    return head + data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def from_network(data: bytes) -> tuple[bytes, bytes]:
    """Line ends as they are kept here: CRLF becomes LF. Also gives a CR at the end, which may be half of one."""
    rest = b"\r" if data.endswith(b"\r") else b""
    return data[:len(data) - len(rest)].replace(b"\r\n", b"\n"), rest


def size_in_ascii(descriptor: int) -> int:
    """How many octets a file takes in TYPE A. In a worker thread."""
    total = position = 0
    after_cr = False
    while data := os.pread(descriptor, PIECE, position):
        position += len(data)
        total += len(to_network(data, after_cr))
        after_cr = data.endswith(b"\r")
    return total


class Download:
    """A file on its way out. `open` in a worker thread, before anything is promised."""

    def __init__(self, ascii: bool) -> None:  # noqa: A002
        self.count = Count()
        self._ascii = ascii
        self._after_cr = False
        self._position = 0
        self._descriptor = -1
        self._first = b""
        self._whole: Signature | None = None
        """The file's, where all of it goes out as it is, and there is much of it."""
        self.size = 0

    def open(self, descriptor: int, position: int) -> None:
        """Take over a file's descriptor, and read its first piece. In a worker thread."""
        self._descriptor = descriptor
        self._position = position
        status = os.fstat(descriptor)
        self.size = status.st_size
        if self.size > PIECE and not position and not self._ascii:
            self._whole = signature_of(status)
            return
        self._first = self._read()
        if self._position >= self.size:
            self.close()

    def hold(self, content: bytes) -> None:
        """Take all that a file holds, instead of the file."""
        self.size = len(content)
        self._first = to_network(content, after_cr=False) if self._ascii else content

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _read(self) -> bytes:
        data = os.pread(self._descriptor, PIECE, self._position)
        self._position += len(data)
        if self._ascii:
            after_cr, self._after_cr = self._after_cr, data.endswith(b"\r")
            data = to_network(data, after_cr)
        return data

    async def send(self, data: DataConversation) -> None:
        """Raises OSError where the file cannot be read, ConversationError where the client is gone."""
        if self._whole is not None:
            opened = time.time_ns()
            if not await data.send_known(self._descriptor, self.count.add):
                await self._send_rest(data)
                after = os.fstat(self._descriptor)
                if signature_of(after) == self._whole and self._whole.settled(opened):
                    data.remember(after, sent=True)
            return
        first, self._first = self._first, b""
        await self._give(data, first)
        if self._descriptor >= 0:
            await self._send_rest(data)

    async def _send_rest(self, data: DataConversation) -> None:
        async with trio.open_nursery() as nursery:
            giving, taking = trio.open_memory_channel[bytes](1)
            nursery.start_soon(self._read_ahead, giving)
            async for piece in taking:
                await self._give(data, piece)

    async def _give(self, data: DataConversation, piece: bytes) -> None:
        await data.send(piece)
        self.count.add(len(piece))

    async def _read_ahead(self, giving: trio.MemorySendChannel[bytes]) -> None:
        async with giving:
            while piece := await trio.to_thread.run_sync(self._read):
                await giving.send(piece)


class Upload:
    """A file on its way in.

    opening: opens it in a worker thread, `open` or the arrival of data; start: from where on it is written, None for
    its end; written: called in a worker thread when all of it is there. `abandon` when it is over before that.
    """

    def __init__(self, opening: Callable[[], Writing], start: int | None, ascii: bool,  # noqa: A002
                 written: Callable[[Writing], None]) -> None:
        self.count = Count()
        self.writing: Writing | None = None
        self._unwritten: deque[list[bytes]] = deque()
        """What has come and is not in the file yet."""
        self._opening = opening
        self._start = start
        self._written = written
        self._position = 0
        self._ascii = ascii
        self._rest = b""

    def open(self) -> Writing:
        """In a worker thread. Raises OSError."""
        if self.writing is None:
            self.writing = self._opening()
            self._position = self.writing.size if self._start is None else self._start
        return self.writing

    def abandon(self) -> None:
        """Write what has come, and no more. In a worker thread."""
        with contextlib.suppress(OSError):  # the disk's own words were the reason, or nobody hears them any more
            while self._unwritten:
                self._write()
            if self._rest and self.writing is not None:
                self.writing.write(self._rest, self._position)
        if self.writing is not None:
            self.writing.abandon()

    async def receive(self, data: DataConversation) -> None:
        """Everything up to the end of stream. Raises OSError where it cannot be written, ConversationError."""
        whole = await self._gather(data)
        if whole:
            await trio.to_thread.run_sync(self._write_last, limiter=SHORT_WORK)
            return
        async with trio.open_nursery() as nursery:
            giving, taking = trio.open_memory_channel[None](1)
            nursery.start_soon(self._write_behind, taking)
            async with giving:
                await giving.send(None)
                while not whole:
                    whole = await self._gather(data)
                    await giving.send(None)

    async def _gather(self, data: DataConversation) -> bool:
        """Put together what comes next, at least GATHERED octets unless it is the last. Whether it is.

        Raises EndOfStream where the client's last words are missing.
        """
        pieces: list[bytes] = []
        self._unwritten.append(pieces)
        size = 0
        while size < GATHERED:
            received = await data.read_some(PIECE)
            if not received:
                if data.cut_off:
                    raise EndOfStream("the client's TLS ended without close_notify")
                return True
            pieces.append(received)
            size += len(received)
            self.count.add(len(received))
        return False

    async def _write_behind(self, taking: trio.MemoryReceiveChannel[None]) -> None:
        async for _ in taking:
            await trio.to_thread.run_sync(self._write)
        await trio.to_thread.run_sync(self._write_last)

    def _write(self) -> None:
        """Write the first of what was put together."""
        pieces = self._unwritten.popleft()
        if not pieces:
            return
        writing = self.open()
        try:
            for piece in pieces:
                if self._ascii:
                    piece, self._rest = from_network(self._rest + piece)
                writing.write(piece, self._position)
                self._position += len(piece)
        except OSError:
            self._unwritten.clear()  # what comes after a gap is of no use
            self._rest = b""
            raise

    def _write_last(self) -> None:
        writing = self.open()
        while self._unwritten:
            self._write()
        if self._rest:
            writing.write(self._rest, self._position)
            self._position += 1
        if self._position < writing.size:  # it was longer before (RFC 3659 §5: what is sent replaces the rest)
            writing.truncate(self._position)
        self._written(writing)


def unwrapped(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What went wrong in a nursery: the first error, rather than what was cancelled because of it."""
    _, errors = group.split(trio.Cancelled)
    error: BaseException = errors or group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


@contextlib.asynccontextmanager
async def one_error() -> AsyncIterator[None]:
    """Let a single plain error out of the nurseries inside."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise unwrapped(group) from None
