"""HTTP/2 in tests: the real session in memory or over a socket, with `h2` as the client."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)

from sandbox.config import Config, Limits
from sandbox.protocols.contract.conversation import Conversation
from sandbox.protocols.http.http2.session import converse
from sandbox.protocols.http.messages import Site
from sandbox.protocols.http.session import HttpService
from tests.support.conversation import MemoryConversation, Step
from tests.support.http import context, hello
from tests.support.network import Bench, serving

Fields = list[tuple[str, str]]


@dataclass
class Answer:
    """What a client got on one stream. reset: the error code, -1 for none."""

    status: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    trailers: dict[str, str] = field(default_factory=dict)
    informational: list[str] = field(default_factory=list)
    ended: bool = False
    reset: int = -1


@dataclass
class Heard:
    """All that a client has heard. goaway: the error code, -1 for none."""

    answers: dict[int, Answer] = field(default_factory=lambda: defaultdict(Answer))
    goaway: int = -1

    def take(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case ResponseReceived() | TrailersReceived() | InformationalResponseReceived():
                    fields = {_text(name): _text(value) for name, value in event.headers or ()}
                    answer = self.answers[event.stream_id or 0]
                    if isinstance(event, TrailersReceived):
                        answer.trailers = fields
                    elif isinstance(event, InformationalResponseReceived):
                        answer.informational.append(fields[":status"])
                    else:
                        answer.headers, answer.status = fields, fields[":status"]
                case DataReceived():
                    self.answers[event.stream_id or 0].body += event.data or b""
                case StreamEnded():
                    self.answers[event.stream_id or 0].ended = True
                case StreamReset():
                    self.answers[event.stream_id or 0].reset = int(event.error_code or 0)
                case ConnectionTerminated():
                    self.goaway = int(event.error_code or 0)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def client() -> H2Connection:
    connection = H2Connection(H2Configuration(client_side=True, header_encoding=None, validate_outbound_headers=False,
                                              normalize_outbound_headers=False))
    connection.initiate_connection()
    return connection


def request(path: str = "/", method: str = "GET", *more: tuple[str, str],
            authority: str = "www.example.com") -> Fields:
    return [(":method", method), (":scheme", "https"), (":authority", authority), (":path", path), *more]


async def in_memory(say: Callable[[H2Connection], None], site: Site = hello, *, config: Config | None = None,
                    cut: Callable[[bytes], Sequence[bytes]] = lambda data: [data], extra: bytes = b"",
                    ) -> tuple[MemoryConversation, Heard]:
    """One connection from its preface to its end. say: what the client does; extra: octets after that."""
    connection = client()
    say(connection)
    steps: list[Step] = [*cut(connection.data_to_send() + extra)]
    talk = MemoryConversation(steps, secure=True, alpn="h2", service="https")
    await converse(HttpService(context(config), site).engine, talk)
    heard = Heard()
    heard.take(connection.receive_data(talk.sent))
    return talk, heard


class Client:
    """A client over a socket that acknowledges what it takes, unless told otherwise."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self.h2 = client()
        self.heard = Heard()
        self.greedy = True
        self.sent = bytearray()
        self.received = bytearray()

    async def send(self) -> None:
        if data := self.h2.data_to_send():
            self.sent += data
            await self.stream.send_all(data)

    async def hear(self, until: Callable[[Heard], bool]) -> Heard:
        """Listen until it is so, or the connection ends."""
        with trio.fail_after(10):
            await self.send()
            while not until(self.heard):
                data = await self.stream.receive_some(65536)
                if not data:
                    break
                self.received += data
                events = self.h2.receive_data(data)
                self.heard.take(events)
                for event in events:
                    if isinstance(event, DataReceived) and self.greedy and event.flow_controlled_length:
                        self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id or 0)
                await self.send()
        return self.heard


@asynccontextmanager
async def connected(site: Site, folder: Path, *, limits: Limits | None = None) -> AsyncIterator[tuple[Client, Bench]]:
    """A client of a site over a real connection, in clear, as if both had agreed on HTTP/2."""
    config = Config(limits=limits or Limits(grace=0.1))
    engine = HttpService(context(config), site).engine

    async def session(talk: Conversation) -> None:
        await converse(engine, talk)

    async with serving(session, folder, limits=config.limits) as bench:
        stream = await bench.connect()
        async with stream:
            yield Client(stream), bench
