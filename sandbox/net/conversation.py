"""A conversation over a real connection: buffers, limits, deadlines, recording. See the contract it implements,
`sandbox.protocols.contract.conversation`.

Theory of operation. Reading and writing first try the socket and wait only when they must; every `BURST` successes
in a row the task gives way. A wait is bounded not by a cancel scope of its own but by the `Watch` of its listener,
which looks at all its conversations a few times a second and interrupts those that are past a deadline: a wait then
costs nothing but the wait. Bytes are recorded when they are received and when they are queued; if the client goes
before queued bytes were sent, how many stays behind as the fact "unsent".
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from time import time
from typing import TYPE_CHECKING, Protocol

import trio

from sandbox.address import Address
from sandbox.config import Limits
from sandbox.journal.journal import Journal
from sandbox.journal.recorder import Recorder
from sandbox.journal.records import Stream
from sandbox.net.exchange import Departures, RunningExchange, RunningStream
from sandbox.net.layers.channel import BULK_SIZE, READ_SIZE, Channel
from sandbox.net.script import Script
from sandbox.net.striking import Strikeable
from sandbox.net.watch import Watch
from sandbox.protocols.contract.conversation import (
    Closed,
    ConversationError,
    DataConversation,
    DataPort,
    EndOfStream,
    TimedOut,
    TooLong,
)

if TYPE_CHECKING:
    from sandbox.net.layers.deflate import DeflateChannel
    from sandbox.net.layers.struck import StruckChannel
    from sandbox.net.layers.tls.channel import TlsChannel, TlsSettings

__all__ = ["Conversation"]

BURST = 16
"""Reads and writes that succeed at once before the task gives way to others."""

QUEUE_SIZE = 65_536
"""Octets of queued replies that are sent without waiting for a flush."""


class DataMaker(Protocol):
    """Makes the data connections of a conversation (`sandbox.net.data`)."""

    def listen(self, owner: Conversation) -> DataPort: ...
    async def connect_back(self, owner: Conversation, port: int, from_port: int) -> DataConversation: ...


class Conversation(Strikeable):
    """One connection. Built by a listener, which closes the channel when the session returns."""

    __slots__ = ("_burst", "_data", "_eager", "_encryption", "_ended", "_journal", "_limits", "_pending",
                 "_pending_size", "_sending", "_since", "_tls", "_warned", "_watch", "_why", "active",
                 "buffer", "channel", "client", "departures", "due", "encrypted", "expired", "failed",
                 "open_exchange", "owner", "patience", "recorder", "resetting", "scope", "secure", "server",
                 "service", "space", "streams", "waiting")
    appetite = READ_SIZE
    """Octets asked for when nothing is known of what comes."""

    def __init__(self, channel: Channel, recorder: Recorder, journal: Journal, limits: Limits, watch: Watch,
                 tls: TlsSettings | None = None, data: DataMaker | None = None,
                 script: Script | None = None) -> None:
        session = recorder.session
        self.channel: Channel | TlsChannel | DeflateChannel | StruckChannel = channel

        self._encryption: TlsChannel | None = None
        """The one among the channels that encrypts."""
        self.encrypted: Mapping[str, str] = {}
        """The fact that every exchange has, once octets are encrypted."""
        self._tls = tls
        self._data = data
        super().__init__(script or Script())
        self._journal = journal
        self._limits = limits
        self._watch = watch
        self._pending: list[bytes] = []
        self._pending_size = 0
        self.departures = Departures()
        self._burst = 0
        self._sending = False
        self._eager = True
        """Whether there is probably something to receive already: at the start, and after a read that was full. Else
        to try before waiting would be a system call for nothing."""
        self._ended = False
        self._since = session.opened
        self.recorder = recorder
        self.buffer = bytearray()
        self.client: Address = session.client
        self.server: Address = session.server
        self.service, self.space = session.service, session.space
        self.secure = False
        self.due = math.inf
        self.patience = limits.idle
        self.resetting = False
        self.open_exchange: RunningExchange | None = None
        self.streams: set[RunningStream] = set()
        """Exchanges under way beside one another."""
        self.failed = ""
        """Why it cannot go on: a term of the tcp knowledge."""
        self.owner: Conversation | None = None
        """The conversation whose data this one carries."""
        self.active = watch.now
        """When bytes last passed, by the watch's clock."""
        self.waiting = 0
        """How many tasks wait for the client."""
        self._why = ""
        """Why the watch interrupts the wait under way. The client may have spoken in that very moment: then nothing
        has expired."""
        self.expired = ""
        """Why the watch ended a wait: a term of the tcp knowledge."""
        self._warned = math.inf
        """When the first wait was ended for a deadline, by the watch's clock."""
        self.scope = trio.CancelScope()
        """What the session runs in."""

    @property
    def alpn(self) -> str:
        return "" if self._encryption is None else self._encryption.engine.alpn

    @property
    def consumed(self) -> int:
        """How many octets of the client's stream the session has taken."""
        return self.recorder.offset(Stream.CLIENT) - len(self.buffer)

    # -- reading ----------------------------------------------------------------------------------------------

    async def fill(self) -> bool:
        data = await self._receive()
        self.buffer += data
        return bool(data)

    async def _receive(self) -> bytes:
        """Flush, then the next bytes from the wire, recorded; b"" at end of stream."""
        if self._pending:
            await self.flush()
        if self._ended:
            return b""
        if self._journal.full:
            await self._journal.room()
        channel = self.channel
        data = channel.receive_now(BULK_SIZE) if self._eager else None
        while data is None:
            self._burst = 0
            await self._wait(channel.readable)
            data = channel.receive_now(self.appetite)
        self._eager = len(data) >= READ_SIZE or channel.at_end
        self.active = self._watch.now
        if not data:
            self._ended = True
            return b""
        if not self.buffer:
            self._since = time()
        self.recorder.chunk(Stream.CLIENT, data)
        await self._breathe()                                # last: what is recorded is not lost if this is cancelled
        return data

    def take(self, count: int) -> bytes:
        data = bytes(memoryview(self.buffer)[:count])
        del self.buffer[:count]
        return data

    def untake(self, data: bytes) -> None:
        self.buffer[:0] = data

    async def read_line(self, limit: int = 0) -> bytes:
        limit = limit or self._limits.line
        searched = 0
        while (end := self.buffer.find(b"\n", searched, limit)) < 0:
            searched = len(self.buffer)
            if searched >= limit:
                raise TooLong(f"a line longer than {limit} octets")
            if not await self.fill():
                raise EndOfStream("the client closed in the middle of a line")
        return self.take(end + 1)

    async def read_exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            if not await self.fill():
                raise EndOfStream(f"the client closed after {len(self.buffer)} of {count} octets")
        return self.take(count)

    async def read_some(self, limit: int = 65536) -> bytes:
        if not self.buffer:
            data = await self._receive()
            if len(data) <= limit:
                return data
            self.buffer += data
        return self.take(min(limit, len(self.buffer)))

    # -- writing ----------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        if data:
            self._pending.append(data)
            self._pending_size += len(data)
            self.recorder.chunk(Stream.SERVER, data)

    async def send(self, data: bytes) -> None:
        self.write(data)
        if self._pending_size >= QUEUE_SIZE:
            await self.flush()

    async def flush(self) -> None:
        # Where another task is sending already, it takes along what was queued meanwhile: two at once would mix.
        while (self._pending or self.channel.behind) and not self._sending:
            pending, self._pending = self._pending, []
            self._sending = True
            try:
                await self._send_all(pending[0] if len(pending) == 1 else b"".join(pending))
            finally:
                self._sending = False
        if self._journal.full:
            await self._journal.room()

    async def _send_all(self, data: bytes) -> None:
        """What is not sent when this ends early stays the next to be sent: a farewell must not come in the middle of
        a reply, a GOAWAY not in the middle of a frame."""
        channel = self.channel
        rest: bytes | memoryview = data
        try:
            while True:
                sent = channel.send_now(rest)
                rest = memoryview(data)[len(data) - len(rest) + sent:] if sent < len(rest) else b""
                self._pending_size -= sent
                self.departures.passed(self.left)
                self.active = self._watch.now
                await self._breathe()
                if not rest and not channel.behind:
                    return
                await self._wait(channel.writable)
        except BaseException:
            if rest and not channel.reset:
                self._pending.insert(0, bytes(rest))
            raise

    async def end_writing(self) -> None:
        await self.flush()
        self.channel.end_writing()

    def reset(self) -> None:
        self.resetting = True
        self._pending.clear()

    async def start_tls(self) -> None:
        below = self._uncovered()
        if self._tls is None or not isinstance(below, Channel):
            raise RuntimeError("this service has no TLS to start, or has started it already")
        from sandbox.net.layers.tls.channel import TlsChannel
        await self.flush()
        exchange = self.begin("TLS")
        if self.buffer:
            # Commands slipped in before the handshake must not run after it as if they were protected (RFC 3207 §5,
            # CVE-2011-0411). They are recorded, and belong to no one.
            exchange.note("thrown-away", f"{len(self.buffer)} octets")
            self.buffer.clear()
        self._encryption = channel = TlsChannel(below, self.recorder, self._tls)
        self._cover(channel)
        self.due = trio.current_time() + self._limits.handshake
        try:
            await channel.handshake(self._wait, partial(self._meet, exchange))
        except ConversationError:
            self.failed = "tls-failed"
            channel.tell(exchange)
            raise
        self.due = math.inf
        self.secure = True
        self._eager = True  # a client may say something right behind its Finished
        channel.tell(exchange)
        self.encrypted = {"encrypted": channel.engine.version}

    def channel_binding(self, kind: str) -> bytes | None:
        return None if self._encryption is None else self._encryption.binding(kind)

    async def start_compression(self) -> None:
        from sandbox.net.layers.deflate import DeflateChannel
        below = self._uncovered()
        if isinstance(below, DeflateChannel):
            raise RuntimeError("this conversation is compressed already")
        await self.flush()
        self._cover(DeflateChannel(below, self.recorder))
        self._eager = True  # a client may say something right behind our answer

    # -- data connections -------------------------------------------------------------------------------------

    def listen(self) -> DataPort:
        return self._maker().listen(self)

    async def connect_back(self, port: int, *, from_port: int = 0) -> DataConversation:
        return await self._maker().connect_back(self, port, from_port)

    def _maker(self) -> DataMaker:
        if self._data is None:
            raise RuntimeError("a data connection has no data connections of its own")
        return self._data

    # -- exchanges --------------------------------------------------------------------------------------------

    def begin(self, verb: str, asked: str = "", facts: Mapping[str, str] | None = None) -> RunningExchange:
        if self.open_exchange is not None:
            self.open_exchange.end("", "", "end.superseded")
        self.open_exchange = exchange = RunningExchange(self, self._since, verb, asked, facts)
        if self.strikes is not None:
            self.strikes.begins(exchange)
        self._journal.begun(self.recorder.session, exchange)
        return exchange

    def begin_stream(self, verb: str, asked: str = "", facts: Mapping[str, str] | None = None) -> RunningStream:
        exchange = RunningStream(self, verb, asked, facts)
        self.streams.add(exchange)
        self._journal.begun(self.recorder.session, exchange)
        return exchange

    def touch(self) -> None:
        """Something happened that is as good as octets that passed."""
        self.active = self._watch.now

    # -- ending -----------------------------------------------------------------------------------------------

    @property
    def left(self) -> int:
        """How many octets of the server's stream the system has taken; 0 while TLS or compression holds any."""
        return 0 if self.channel.behind else self.recorder.offset(Stream.SERVER) - self._pending_size

    @property
    def unsent(self) -> int:
        """Octets queued that the kernel has not taken."""
        return self._pending_size

    # -- waiting ----------------------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """Whether the client has closed its side."""
        return self._ended

    @property
    def idle(self) -> bool:
        """Whether it waits for a next exchange that has not begun."""
        return bool(self.waiting) and self.open_exchange is None and not self.streams and not self.buffer \
            and not self._pending

    def interrupt(self, why: str) -> None:
        """End the waits: with TimedOut the first time for a deadline, else with Closed. why: a tcp knowledge term."""
        self._why = why
        if why != "idle-timeout":
            self.expired = why
        self.channel.interrupt()

    async def _wait(self, until: Callable[[], Awaitable[None]]) -> None:
        """Wait for the socket, interruptible by the watch. Raises TimedOut, Closed."""
        if self.expired == "stopped":
            raise Closed("the sandbox is stopping")
        self._why = ""
        self.waiting += 1
        try:
            await until()
        except Closed:
            if self._why == "idle-timeout":
                if not self.expired:
                    self.expired = "idle-timeout"
                    # What the session says as a farewell gets a last, short deadline.
                    self._warned = self._watch.now
                    self.due = self._warned + self._limits.grace
                if self._warned == self._watch.now:  # whoever waits beside is told the same
                    raise TimedOut("nothing passed in time") from None
            raise
        finally:
            self.waiting -= 1

    async def _breathe(self) -> None:
        self._burst += 1
        if self._burst >= BURST:
            self._burst = 0
            await trio.lowlevel.checkpoint()
