"""One service of the registry on free loopback ports, over the real net and journal rooms."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from sandbox.address import Address
from sandbox.config import Config
from sandbox.journal.bus import Observer
from sandbox.journal.journal import Journal
from sandbox.journal.store import Store
from sandbox.net.binding import bind
from sandbox.net.datagrams import answer_from
from sandbox.net.server import LazyService, Server
from sandbox.protocols.contract.conversation import Cause, Wire
from sandbox.protocols.contract.registry import Context, find_role
from sandbox.world import World

__all__ = ["STORE", "serving"]

STORE = "journal.sqlite3"


async def no_dial(address: Address, cause: Cause | int = 0) -> Wire:
    raise PermissionError(f"nothing here dials, not even {address}")


@asynccontextmanager
async def serving(role: str, data: Path, config: Config | None = None, observer: Observer | None = None,
                  ) -> AsyncIterator[Address]:
    """Run the service `role`, at the address given. The journal is in `data`; `observer` is told what happens."""
    config = config or Config()
    protocol, found = find_role(role)
    world = World.load(None, data)
    journal = Journal(Store(data / STORE, size=config.journal.size), queue=config.journal.queue,
                      body_limit=config.journal.body_limit)
    if observer is not None:
        journal.bus.watch(observer)
    server = Server(journal, config.limits)
    sockets = bind(["127.0.0.1"], 0, found.transports)
    context = Context(world, found, config, {role: sockets.address}, no_dial)
    service = LazyService(role, protocol.name, lambda: protocol.serve(context))
    async with trio.open_nursery() as keepers:
        await keepers.start(journal.run)
        keepers.start_soon(server.watch.run)
        async with trio.open_nursery() as connections, trio.open_nursery() as listeners:
            for listener in sockets.streams:
                listeners.start_soon(server.accept_from, listener, service, connections)
            for sock in sockets.datagrams:
                listeners.start_soon(answer_from, sock, service, journal)
            yield sockets.address
            listeners.cancel_scope.cancel()
            await server.watch.stop(config.limits.grace)
        keepers.cancel_scope.cancel()
    world.close()
