"""The contract of a conversation over in-memory buffers: for tests of sessions without a network.

It keeps the rules of `sandbox.protocols.conversation`: queued replies leave when the session waits or flushes,
exchanges partition both streams, errors are `ConversationError`. The client is a list of steps:

    talk = MemoryConversation([b"GET / HTTP/1.1\\r\\n", b"Host: x\\r\\n\\r\\n"])
    await session(talk)
    assert talk.sent.startswith(b"HTTP/1.1 200")

A step is octets that arrive, or a function from what the client has seen so far to octets. After the last step the
client closes its side, or with ending="silence" says nothing more until a limit strikes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import trio

from sandbox.address import Address
from sandbox.protocols.conversation import (
    Closed,
    Conversation,
    DataConversation,
    DataPort,
    EndOfStream,
    TimedOut,
    TooLong,
)

Step = bytes | Callable[[bytes], bytes]

LINE = 8192
CLIENT = Address("127.0.0.1", 50000)
SERVER = Address("127.0.0.1", 8080)


@dataclass
class Recorded:
    """An exchange. client, server: the octets it covers."""

    verb: str
    asked: str = ""
    outcome: str = ""
    answered: str = ""
    key: str = ""
    notes: dict[str, str] = field(default_factory=dict)
    client: bytes = b""
    server: bytes = b""
    ended: bool = False


class MemoryExchange:
    def __init__(self, talk: MemoryConversation, verb: str, asked: str) -> None:
        self._talk = talk
        self._recorded = Recorded(verb, asked)
        self.verb = verb
        self.asked = asked

    def note(self, name: str, value: str) -> None:
        assert isinstance(name, str)
        assert isinstance(value, str)
        self._recorded.notes[name] = value

    def end(self, outcome: str, answered: str = "", key: str = "") -> None:
        assert not self._recorded.ended, "an exchange ends once"
        recorded = self._recorded
        recorded.verb, recorded.asked = self.verb, self.asked
        recorded.outcome, recorded.answered, recorded.key, recorded.ended = outcome, answered, key, True
        self._talk._claim(recorded)


class MemoryStream(MemoryExchange):
    """An exchange beside others."""

    def __init__(self, talk: MemoryConversation, verb: str, asked: str) -> None:
        super().__init__(talk, verb, asked)
        self._ranges = [[0, 0], [0, 0]]

    def received(self, count: int) -> None:
        self._extend(0, len(self._talk._consumed), count)

    def sent(self, count: int) -> None:
        self._extend(1, len(self._talk._produced), count)

    def _extend(self, side: int, end: int, count: int) -> None:
        found = self._ranges[side]
        if not found[1]:
            found[0] = end - count
        found[1] = end

    def end(self, outcome: str, answered: str = "", key: str = "") -> None:
        talk, recorded = self._talk, self._recorded
        super().end(outcome, answered, key)
        recorded.client = bytes(talk._consumed[slice(*self._ranges[0])])
        recorded.server = bytes(talk._produced[slice(*self._ranges[1])])


class MemoryConversation:
    """steps: what the client does; gone_after: octets the client takes before it is gone, None for all."""

    def __init__(self, steps: Iterable[Step] = (), *, ending: str = "close", service: str = "http",
                 client: Address = CLIENT, server: Address = SERVER,
                 secure: bool = False, alpn: str = "", gone_after: int | None = None) -> None:
        self._steps = list(steps)
        self._ending = ending
        self._gone_after = gone_after
        self._queue = bytearray()
        self._consumed = bytearray()
        self._produced = bytearray()
        self._claimed = [0, 0]
        self._writing = True
        self._sent = bytearray()
        self.client = client
        self.server = server
        self.service = service
        self.secure = secure
        self.compressed = False
        self.alpn = alpn
        self.buffer = bytearray()
        self.due = math.inf
        self.patience = 300.0
        self.segments: list[bytes] = []
        self.exchanges: list[Recorded] = []
        self.was_reset = False
        self.waited_until: list[float] = []
        """`due`, each time the session waited for the client."""

    @property
    def sent(self) -> bytes:
        """What the client has received."""
        return bytes(self._sent)

    @property
    def sent_and_queued(self) -> bytes:
        return bytes(self._sent + self._queue)

    async def fill(self) -> bool:
        await self.flush()
        self.waited_until.append(self.due)
        while self._steps:
            step = self._steps.pop(0)
            data = step(self.sent) if callable(step) else step
            if data:
                self.buffer += data
                return True
        if self._ending == "silence":
            raise TimedOut("nothing arrived in time")
        return False

    def take(self, count: int) -> bytes:
        assert 0 <= count <= len(self.buffer)
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        self._consumed += data
        return data

    def untake(self, data: bytes) -> None:
        assert self._consumed.endswith(data)
        del self._consumed[len(self._consumed) - len(data):]
        self.buffer[:0] = data

    async def read_line(self, limit: int = 0) -> bytes:
        limit = limit or LINE
        while True:
            end = self.buffer.find(b"\n", 0, limit)
            if end >= 0:
                return self.take(end + 1)
            if len(self.buffer) >= limit:
                raise TooLong(f"a line longer than {limit} octets")
            if not await self.fill():
                raise EndOfStream("the line has no end")

    async def read_exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            if not await self.fill():
                raise EndOfStream(f"{len(self.buffer)} of {count} octets")
        return self.take(count)

    async def read_some(self, limit: int = 65536) -> bytes:
        if not self.buffer and not await self.fill():
            return b""
        return self.take(min(limit, len(self.buffer)))

    def write(self, data: bytes) -> None:
        assert isinstance(data, bytes)
        assert self._writing, "written after the end"
        self._queue += data
        self._produced += data

    async def send(self, data: bytes) -> None:
        self.write(data)
        if len(self._queue) >= 65536:
            await self.flush()

    async def flush(self) -> None:
        await trio.lowlevel.checkpoint()
        if self._queue and not self.was_reset:
            if self._gone_after is not None and len(self._sent) + len(self._queue) > self._gone_after:
                raise Closed("the client is gone")
            self.segments.append(bytes(self._queue))
            self._sent += self._queue
        self._queue.clear()

    async def end_writing(self) -> None:
        await self.flush()
        self._writing = False

    def reset(self) -> None:
        self._queue.clear()
        self.was_reset = True

    async def start_tls(self) -> None:
        await self.flush()
        self.take(len(self.buffer))
        self.secure = True

    def listen(self) -> DataPort:
        raise NotImplementedError("there is no network in memory")

    async def connect_back(self, port: int, *, from_port: int = 0) -> DataConversation:
        raise NotImplementedError("there is no network in memory")

    async def start_compression(self) -> None:
        await self.flush()
        self.compressed = True

    def channel_binding(self, kind: str) -> bytes | None:
        return None

    def begin(self, verb: str, asked: str = "") -> MemoryExchange:
        return MemoryExchange(self, verb, asked)

    def begin_stream(self, verb: str, asked: str = "") -> MemoryStream:
        return MemoryStream(self, verb, asked)

    def _claim(self, recorded: Recorded) -> None:
        recorded.client = bytes(self._consumed[self._claimed[0]:])
        recorded.server = bytes(self._produced[self._claimed[1]:])
        self._claimed = [len(self._consumed), len(self._produced)]
        self.exchanges.append(recorded)

    async def finish(self) -> None:
        """What the network does once a session has returned."""
        if self._writing:
            await self.flush()


def as_conversation(talk: MemoryConversation) -> Conversation:
    """Says to a type checker that this is one."""
    return talk
