"""Helpers for tests that talk to a running sandbox over real sockets."""

from __future__ import annotations

import random
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import trio

from sandbox.address import Address
from sandbox.app import Sandbox
from sandbox.config import Limits
from sandbox.journal.bus import Happened
from sandbox.journal.journal import Journal
from sandbox.journal.reader import Reader
from sandbox.journal.records import Exchange, Session
from sandbox.journal.store import FILE, Store
from sandbox.net.binding import bind
from sandbox.net.conversation import Conversation
from sandbox.net.layers.tls.channel import TlsSettings
from sandbox.net.script import Script
from sandbox.net.server import LazyService, Server
from sandbox.protocols.contract.conversation import SessionHandler
from sandbox.protocols.contract.registry import Service


class Watcher:
    """What a journal has told: sessions closed and exchanges ended, to wait for."""

    def __init__(self) -> None:
        self.closed: list[Session] = []
        self.exchanges: list[tuple[Session, Exchange]] = []
        self._news = trio.Event()

    def __call__(self, happened: Happened) -> None:
        self.closed += happened.closed
        self.exchanges += happened.exchanges
        self._news.set()
        self._news = trio.Event()

    async def news(self) -> None:
        """Until anything happens."""
        await self._news.wait()

    async def wait_closed(self, count: int = 1) -> Session:
        """The latest closed session, once `count` have been closed."""
        with trio.fail_after(10):
            while len(self.closed) < count:
                await self._news.wait()
        return self.closed[-1]

    async def wait_exchanges(self, count: int = 1) -> list[Exchange]:
        with trio.fail_after(10):
            while len(self.exchanges) < count:
                await self._news.wait()
        return [exchange for _, exchange in self.exchanges]

    async def wait_for(self, wanted: Callable[[Session, Exchange], bool]) -> Exchange:
        """The first exchange that is wanted, once there is one."""
        with trio.fail_after(30):
            while not (found := [told[1] for told in self.exchanges if wanted(*told)]):
                await self._news.wait()
        return found[0]


@contextmanager
def watching(journal: Journal) -> Iterator[Watcher]:
    watcher = Watcher()
    journal.bus.watch(watcher)
    try:
        yield watcher
    finally:
        journal.bus.unwatch(watcher)


@dataclass
class Bench:
    """A server for one session function of a test, with its journal."""

    address: Address
    journal: Journal
    server: Server
    path: Path
    watcher: Watcher
    script: Script

    async def connect(self) -> trio.SocketStream:
        return await trio.open_tcp_stream(self.address.host, self.address.port)

    async def read(self) -> Reader:
        """The store, with all that was recorded so far."""
        await self.journal.settle()
        return Reader(self.path)


@asynccontextmanager
async def serving(session: SessionHandler, folder: Path, *, limits: Limits | None = None, body_limit: int = 1 << 20,
                  queue: int = 1 << 24, busy: bytes = b"", tls: TlsSettings | None = None,
                  encrypted: bool = False) -> AsyncIterator[Bench]:
    """Serve one session function on a free port."""
    limits = limits or Limits(grace=0.1)
    journal = Journal(Store(folder / FILE, size=1 << 30), queue=queue, body_limit=body_limit)
    server = Server(journal, limits)
    bound = bind(["127.0.0.1"], 0, ("tcp",))
    async with trio.open_nursery() as nursery:
        await nursery.start(journal.run)
        nursery.start_soon(server.watch.run)
        service = LazyService("test", "tcp", lambda: Service(session=session, busy=busy), tls, encrypted)
        nursery.start_soon(server.accept_from, bound.streams[0], service, nursery)
        with watching(journal) as watcher:
            yield Bench(bound.address, journal, server, folder / FILE, watcher, service.script)
        nursery.cancel_scope.cancel()


def narrowed(bench: Bench, stream: trio.SocketStream) -> Conversation:
    """The server's side of the only connection, whose two kernels keep little of what nobody reads from now on."""
    [conversation] = bench.server.watch.conversations
    assert isinstance(conversation, Conversation)
    conversation.channel.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    return conversation


def reader(sandbox: Sandbox) -> Reader:
    """The store of a running sandbox; `settle` its journal first."""
    return Reader(sandbox.data / FILE)


def pieces(data: bytes, seed: int) -> Sequence[bytes]:
    """Cut bytes at random places; seed 0 leaves them whole, seed 1 gives single octets where that is not too many."""
    if seed == 0 or not data:
        return [data]
    if seed == 1 and len(data) < 2000:
        return [data[index:index + 1] for index in range(len(data))]
    chosen = random.Random(seed)
    cuts = sorted({0, len(data), *(chosen.randrange(len(data)) for _ in range(chosen.randint(1, 12)))})
    return [data[start:end] for start, end in pairwise(cuts)]


async def read_all(stream: trio.abc.ReceiveStream) -> bytes:
    """Until end of stream or reset."""
    found = bytearray()
    try:
        async for data in stream:
            found += data
    except trio.BrokenResourceError:
        pass
    return bytes(found)
