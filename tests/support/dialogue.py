"""Transcripts: a conversation in memory that is alive on both ends, so that a test reads as client and server spoke.

A transcript is a list of lines, `C: ` what the client sends, `S: ` what it must hear. `...` in an expected line
stands for anything. `C| ` sends without a line end (Python escapes are understood), `C:` lines in a row are
pipelined.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf

import trio

from sandbox.address import Address
from sandbox.protocols.conversation import (
    Closed,
    DataConversation,
    DataPort,
    EndOfStream,
    OpenStream,
    TimedOut,
    TooLong,
)

CLIENT, SERVER = Address("127.0.0.1", 50_000), Address("127.0.0.1", 25)

__all__ = ["Heard", "Talk", "dialogue"]


@dataclass(slots=True)
class Heard:
    """An exchange as a session left it. client, server: ranges over the two streams."""

    conversation: Talk
    verb: str
    asked: str
    start: tuple[int, int]
    notes: dict[str, str] = field(default_factory=dict)
    outcome: str = ""
    answered: str = ""
    key: str = ""
    ended: bool = False
    client: tuple[int, int] = (0, 0)
    server: tuple[int, int] = (0, 0)

    def note(self, name: str, value: str) -> None:
        self.notes[name] = value

    def end(self, outcome: str, answered: str = "", key: str = "") -> None:
        assert not self.ended, "an exchange ends once"
        self.outcome, self.answered, self.key, self.ended = outcome, answered, key, True
        talk = self.conversation
        self.client = (self.start[0], talk.consumed)
        self.server = (self.start[1], talk.written)
        talk.mark = (talk.consumed, talk.written)


class Talk:
    """Both ends of a connection in one object: the session's side is the contract, the test's side is below it."""

    alpn = ""

    def __init__(self, service: str = "test", *, secure: bool = False, line: int = 8192,
                 client: Address = CLIENT, server: Address = SERVER) -> None:
        self.client = client
        self.server = server
        self.service = service
        self.secure = secure
        self.compressed = False
        self.buffer = bytearray()
        self.due = inf
        self.line = line
        self.idle = inf
        self.patience = inf
        self.exchanges: list[Heard] = []
        self.consumed = self.written = 0
        self.mark = (0, 0)
        self.injected = b""
        self.closed = False
        self._queued = bytearray()
        self._ended = False
        self._to_session, self._from_client = trio.open_memory_channel[bytes](inf)
        self._to_client, self._from_session = trio.open_memory_channel[bytes](inf)
        self.heard = bytearray()

    async def fill(self) -> bool:
        await self.flush()
        if self._ended:
            return False
        with trio.move_on_at(min(self.due, trio.current_time() + self.idle)) as scope:
            try:
                self.buffer += await self._from_client.receive()
            except trio.EndOfChannel:
                self._ended = True
                return False
        if scope.cancelled_caught:
            raise TimedOut
        return True

    def take(self, count: int) -> bytes:
        assert count <= len(self.buffer)
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        self.consumed += count
        return data

    def untake(self, data: bytes) -> None:
        self.buffer[:0] = data
        self.consumed -= len(data)

    async def read_line(self, limit: int = 0) -> bytes:
        limit = limit or self.line
        while (end := self.buffer.find(b"\n", 0, limit)) < 0:
            if len(self.buffer) >= limit:
                raise TooLong
            if not await self.fill():
                raise EndOfStream
        return self.take(end + 1)

    async def read_exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            if not await self.fill():
                raise EndOfStream
        return self.take(count)

    async def read_some(self, limit: int = 65536) -> bytes:
        if not self.buffer and not await self.fill():
            return b""
        return self.take(min(limit, len(self.buffer)))

    def write(self, data: bytes) -> None:
        self._queued += data
        self.written += len(data)

    async def send(self, data: bytes) -> None:
        self.write(data)
        if len(self._queued) > 65536:
            await self.flush()

    async def flush(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.closed:
            raise Closed
        if self._queued:
            self._to_client.send_nowait(bytes(self._queued))
            self._queued.clear()

    async def end_writing(self) -> None:
        await self.flush()
        self._to_client.close()

    def reset(self) -> None:
        self._queued.clear()
        self.closed = True

    async def start_tls(self) -> None:
        await self.flush()
        self.injected = bytes(self.buffer)
        self.buffer.clear()
        self.secure = True

    def begin_stream(self, verb: str, asked: str = "") -> OpenStream:
        raise NotImplementedError("a line protocol has one exchange at a time")

    def listen(self) -> DataPort:
        raise NotImplementedError("a conversation in memory has no other ports")

    async def connect_back(self, port: int, *, from_port: int = 0) -> DataConversation:
        raise NotImplementedError("a conversation in memory has no other ports")

    async def start_compression(self) -> None:
        await self.flush()
        self.compressed = True

    def channel_binding(self, kind: str) -> bytes | None:
        return None

    def begin(self, verb: str, asked: str = "") -> Heard:
        exchange = Heard(self, verb, asked, self.mark)
        self.exchanges.append(exchange)
        return exchange

    # The test's side

    def feed(self, data: bytes) -> None:
        """The client sends."""
        self._to_session.send_nowait(data)

    def hang_up(self) -> None:
        """The client closes its side."""
        self._to_session.close()

    async def hear_line(self) -> str:
        """The next line from the server, without its end; "<end>" once it has closed."""
        while (end := self.heard.find(b"\n")) < 0:
            try:
                self.heard += await self._from_session.receive()
            except trio.EndOfChannel:
                return "<end>"
        line = bytes(self.heard[:end + 1])
        del self.heard[:end + 1]
        assert line.endswith(b"\r\n"), line
        return line[:-2].decode("utf-8", "backslashreplace")

    async def serve(self, session: Callable[[], Awaitable[None]]) -> None:
        """Run a session to its end, then close."""
        try:
            await session()
            await self.flush()
        except (Closed, EndOfStream, TimedOut, TooLong):
            pass
        finally:
            self._to_client.close()

    async def play(self, script: str) -> None:
        """Send and check the lines of a transcript. Fails with the transcript as it really went."""
        went: list[str] = []
        for line in filter(None, (row.strip() for row in script.splitlines())):
            if line.startswith("C:"):
                went.append(line)
                self.feed(line[3:].encode() + b"\r\n")
            elif line.startswith("C|"):
                went.append(line)
                self.feed(codecs.escape_decode(line[3:].encode())[0])
            else:
                assert line.startswith("S:"), line
                with trio.fail_after(10):
                    heard = await self.hear_line()
                went.append(f"S: {heard}")
                pattern = ".*".join(re.escape(part) for part in line[3:].split("..."))
                assert re.fullmatch(pattern, heard), f"expected {line!r}\n" + "\n".join(went)


async def dialogue(conversation: Talk, session: Callable[[], Awaitable[None]], script: str) -> None:
    """Run a session against a transcript, hang up at its end, and wait for the session to leave."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(conversation.serve, session)
        await conversation.play(script)
        conversation.hang_up()
    trail = [exchange for exchange in conversation.exchanges if exchange.ended]
    for earlier, later in pairwise(trail):
        assert earlier.client[1] == later.client[0], "exchanges partition the stream"
        assert earlier.server[1] == later.server[0], "exchanges partition the stream"
