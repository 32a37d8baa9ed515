"""Transcripts: a conversation in memory that is alive on both ends, so that a test reads as client and server spoke.

A transcript is a list of lines, `C: ` what the client sends, `S: ` what it must hear. `...` in an expected line
stands for anything. `C| ` sends without a line end (Python escapes are understood), `C:` lines in a row are
pipelined.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Awaitable, Callable
from math import inf

import trio

from sandbox.address import Address
from sandbox.protocols.contract.conversation import Closed, EndOfStream, TimedOut, TooLong
from tests.support.memory import CLIENT, Memory

SERVER = Address("127.0.0.1", 25)

__all__ = ["Talk", "dialogue"]


class Talk(Memory):
    """Both ends of a connection in one object: the session's side is the contract, the test's side is below it.

    idle: seconds the client may be silent; injected: what had come before TLS was ready.
    """

    def __init__(self, service: str = "test", *, secure: bool = False) -> None:
        super().__init__(service, client=CLIENT, server=SERVER, secure=secure)
        self.idle = inf
        self.injected = b""
        self.closed = False
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

    async def flush(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.closed:
            raise Closed
        if self.queue:
            self._to_client.send_nowait(bytes(self.queue))
            self.queue.clear()

    async def end_writing(self) -> None:
        await self.flush()
        self._to_client.close()

    def reset(self) -> None:
        self.queue.clear()
        self.closed = True

    async def start_tls(self) -> None:
        self.injected = bytes(self.buffer)
        await super().start_tls()

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
