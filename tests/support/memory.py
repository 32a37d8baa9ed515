"""The contract of a conversation over buffers in memory: what the two kinds of it share.

It keeps the rules of `sandbox.protocols.contract.conversation`, which `tests/conformance/test_conversation.py` holds
it to: queued replies leave when the session waits or flushes, exchanges partition both streams, errors are
`ConversationError`. How octets come and go is for a subclass to say: `MemoryConversation` (`conversation.py`) has its
client's steps from the start, `Talk` (`dialogue.py`) a client that hears and answers.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.address import Address
from sandbox.protocols.contract.conversation import DataConversation, DataPort, EndOfStream, OpenExchange, TooLong
from sandbox.protocols.contract.script import NO_FACTS, ScriptedAnswer

__all__ = ["CLIENT", "SERVER", "Memory", "Recorded"]

CLIENT = Address("127.0.0.1", 50000)
SERVER = Address("127.0.0.1", 8080)
LINE = 8192
QUEUED = 65_536


@dataclass
class Recorded:
    """An exchange. client, server: the octets it covers, once it has ended; start: where they begin."""

    talk: Memory = field(repr=False, compare=False)
    verb: str
    asked: str = ""
    outcome: str = ""
    answered: str = ""
    key: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    client: bytes = b""
    server: bytes = b""
    ended: bool = False
    start: tuple[int, int] = (0, 0)
    id: int = 0

    def note(self, name: str, value: str) -> None:
        assert isinstance(name, str)
        assert isinstance(value, str)
        self.facts[name] = value

    def end(self, outcome: str, answered: str = "", key: str = "") -> None:
        assert not self.ended, "an exchange ends once"
        self.outcome, self.answered, self.key, self.ended = outcome, answered, key, True
        self.claim()

    def claim(self) -> None:
        talk = self.talk
        assert self.start == talk.mark or talk.has_streams, "exchanges partition the streams"
        self.client, self.server = bytes(talk.consumed[talk.mark[0]:]), bytes(talk.produced[talk.mark[1]:])
        talk.mark = len(talk.consumed), len(talk.produced)


class RecordedStream(Recorded):
    """An exchange beside others: it covers what it was told of."""

    def __init__(self, talk: Memory, verb: str, asked: str) -> None:
        super().__init__(talk, verb, asked)
        self._ranges = [[0, 0], [0, 0]]

    def received(self, count: int) -> None:
        self._extend(0, len(self.talk.consumed), count)

    def sent(self, count: int) -> None:
        self._extend(1, len(self.talk.produced), count)

    def _extend(self, side: int, end: int, count: int) -> None:
        found = self._ranges[side]
        if not found[1]:
            found[0] = end - count
        found[1] = end

    def claim(self) -> None:
        talk = self.talk
        self.client = bytes(talk.consumed[slice(*self._ranges[0])])
        self.server = bytes(talk.produced[slice(*self._ranges[1])])
        talk.mark = len(talk.consumed), len(talk.produced)


class Memory(ABC):
    """What does not depend on where octets come from. consumed, produced: both streams; mark: up to where exchanges
    cover them."""

    def __init__(self, service: str, *, client: Address = CLIENT, server: Address = SERVER, secure: bool = False,
                 alpn: str = "") -> None:
        self.service = service
        self.client = client
        self.server = server
        self.secure = secure
        self.alpn = alpn
        self.compressed = False
        self.buffer = bytearray()
        self.queue = bytearray()
        self.consumed = bytearray()
        self.produced = bytearray()
        self.mark = (0, 0)
        self.has_streams = False
        self.exchanges: list[Recorded] = []
        self.script: Callable[[str, str], ScriptedAnswer | None] | None = None
        self.due = math.inf
        self.patience = math.inf

    @abstractmethod
    async def fill(self) -> bool: ...

    @abstractmethod
    async def flush(self) -> None: ...

    def take(self, count: int) -> bytes:
        assert 0 <= count <= len(self.buffer)
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        self.consumed += data
        return data

    def untake(self, data: bytes) -> None:
        assert self.consumed.endswith(data)
        del self.consumed[len(self.consumed) - len(data):]
        self.buffer[:0] = data

    async def read_line(self, limit: int = 0) -> bytes:
        limit = limit or LINE
        while (end := self.buffer.find(b"\n", 0, limit)) < 0:
            if len(self.buffer) >= limit:
                raise TooLong(f"a line longer than {limit} octets")
            if not await self.fill():
                raise EndOfStream("the line has no end")
        return self.take(end + 1)

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
        self.queue += data
        self.produced += data

    async def send(self, data: bytes) -> None:
        self.write(data)
        if len(self.queue) >= QUEUED:
            await self.flush()

    async def start_tls(self) -> None:
        await self.flush()
        self.take(len(self.buffer))
        self.secure = True

    async def start_compression(self) -> None:
        await self.flush()
        self.compressed = True

    def channel_binding(self, kind: str) -> bytes | None:
        return None

    def begin(self, verb: str, asked: str = "", facts: Mapping[str, str] | None = None) -> Recorded:
        exchange = Recorded(self, verb, asked, start=self.mark, facts=dict(facts or {}))
        self.exchanges.append(exchange)
        return exchange

    def begin_stream(self, verb: str, asked: str = "", facts: Mapping[str, str] | None = None) -> RecordedStream:
        self.has_streams = True
        exchange = RecordedStream(self, verb, asked)
        exchange.facts.update(facts or {})
        self.exchanges.append(exchange)
        return exchange

    def unscripted(self) -> bool:
        return self.script is None

    async def scripted(self, verb: str, asked: str = "", facts: Mapping[str, str] = NO_FACTS,
                       exchange: OpenExchange | None = None) -> ScriptedAnswer | None:
        return None if self.script is None else self.script(verb, asked)

    def listen(self) -> DataPort:
        raise NotImplementedError("a conversation in memory has no other ports")

    async def connect_back(self, port: int, *, from_port: int = 0) -> DataConversation:
        raise NotImplementedError("a conversation in memory has no other ports")
