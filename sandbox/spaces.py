"""The spaces of a sandbox: the main one, and those that are opened and closed while it runs.

Who answers is chosen when a connection, or the first datagram of a flow, is accepted: by the listener, for a space
that has listeners of its own (other ports, or an own loopback address); on the main one's listeners by the client's
address, where a space was opened for it, and for a connection that the sandbox itself has dialled by who dialled.
"""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import trio
from msgspec import structs

from sandbox.address import Address
from sandbox.config import Config
from sandbox.net.dial import check
from sandbox.net.server import LazyService
from sandbox.plan import Planned, plan
from sandbox.protocols.contract.registry import PROTOCOLS
from sandbox.space import MAIN, Common, Space
from sandbox.starting import StartError, explained
from sandbox.world import World

__all__ = ["SpaceError", "SpaceSpec", "Spaces"]

FOLDER = "spaces"
"""In the data folder: a folder for each space but the main one, removed when it is closed."""

NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?", re.ASCII)
OPEN = 1_000
"""Spaces at once: with what else is bounded, what strangers can open is."""


class SpaceError(StartError):
    """A space cannot be opened, closed or found; the text says why and what to do."""


@dataclass(frozen=True)
class SpaceSpec:
    """What a space is to be.

    world: its file, "" for the built-in one; bind: addresses to listen on, none for no listeners of its own; ports:
    by service, for the others any free ones; clients: addresses whose connections to the main space's listeners it
    answers; services: by role, () for all that the configuration turns on.
    """

    name: str
    world: str = ""
    bind: tuple[str, ...] = ("127.0.0.1",)
    ports: Mapping[str, int] = field(default_factory=dict)
    clients: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


class Spaces:
    """All that are open, by name. main: is there for as long as `serving` is."""

    def __init__(self, main: Space, common: Common) -> None:
        self.main = main
        self.version = 0
        """Rises when another space may answer a client than did before."""
        self._common = common
        self._open: dict[str, Space] = {MAIN: main}
        self._specs: dict[str, SpaceSpec] = {}
        self._clients: dict[str, Space] = {}
        self._nursery: trio.Nursery | None = None

    def __iter__(self) -> Iterator[Space]:
        return iter(list(self._open.values()))

    def get(self, name: str) -> Space:
        """Raises SpaceError."""
        space = self._open.get(name)
        if space is None:
            raise SpaceError(f"there is no space {name!r}; those that are open are {', '.join(self._open)}")
        return space

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """The main space answers for the length of the block; at its end all are closed."""
        shutil.rmtree(self._common.data / FOLDER, ignore_errors=True)  # what a kill has left
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                await nursery.start(self.main.run, self._door)
                yield
                for space in self:
                    if space is not self.main:
                        await self.close(space.name)
                await self.main.stop()
        finally:
            for name in list(self._specs):  # the block was left in a hurry, and nothing runs any more
                discard(self._open.pop(name, None), self._folder(name))

    async def open(self, spec: SpaceSpec) -> Space:
        """Open a space; it answers when this returns. Raises SpaceError, StartError, WorldError."""
        self._check(spec)
        folder = self._folder(spec.name)
        self._specs[spec.name] = spec  # the name is taken from now on
        space: Space | None = None
        try:
            with explained(folder):
                world = await trio.to_thread.run_sync(new_world, spec.world, folder)
            space = Space(spec.name, self._config(spec), world, self._common)
            self._common.opened(spec.name, world)
            self._open[spec.name] = space
            if spec.bind:
                space.bind()
                space.plan()
            else:
                space.share(self.main.endpoints)
                space.plan(self.main.addresses)
            assert self._nursery is not None
            await self._nursery.start(space.run, self._door)
        except BaseException:
            with trio.CancelScope(shield=True):
                self._forget(spec.name)
                await self._discard(spec.name, space)
            raise
        self._clients.update(dict.fromkeys(spec.clients, space))
        self.version += 1
        return space

    def own_address(self, name: str) -> SpaceSpec:
        """What a space is to be that has the main one's ports at a loopback address of its own: each address of
        127.0.0.0/8 is this machine, on Linux without set-up (RFC 6890 §2.2.2)."""
        taken = {host for space in self for host in space.config.bind} | set(self._clients)
        host = next(host for host in own_hosts() if host not in taken)
        return SpaceSpec(name, bind=(host,),
                         ports={role: address.port for role, address in self.main.endpoints.items()})

    async def close(self, name: str) -> None:
        """Close a space: connections get `limits.grace` seconds, what it kept is gone. Raises SpaceError."""
        space = self.get(name)
        if space is self.main:
            raise SpaceError(f"the space {MAIN} is there as long as the sandbox is; stop that instead")
        self._forget(name)
        with trio.CancelScope(shield=True):
            await space.stop()
            await self._discard(name, space)

    async def reset(self, name: str) -> Space:
        """A space as it was when it was opened, in the same place: it is built anew. Raises as `open`."""
        spec = self._specs.get(name)
        ports = {role: address.port for role, address in self.get(name).endpoints.items()}
        await self.close(name)
        assert spec is not None
        return await self.open(replace(spec, ports=ports) if spec.bind else spec)

    def answering(self, listening: Space, client: Address) -> Space:
        """The space that answers a client on the listeners of one."""
        if listening is not self.main:
            return listening
        if dialled := self._common.journal.space_of(client):
            return self._open.get(dialled, listening)
        return self._clients.get(client.host, listening)

    def _door(self, space: Space, planned: Planned) -> SpaceDoor:
        return SpaceDoor(self, space, planned)

    def _folder(self, name: str) -> Path:
        return self._common.data / FOLDER / name

    def _check(self, spec: SpaceSpec) -> None:
        if not NAME.fullmatch(spec.name):
            raise SpaceError(f"{spec.name[:80]!r} cannot be the name of a space; use up to 64 small letters, digits, "
                             "and in between hyphens, dots and underscores")
        if spec.name == MAIN or spec.name in self._specs:
            raise SpaceError(f"there is a space {spec.name} already; close it first, or use another name")
        if len(self._specs) >= OPEN:
            raise SpaceError(f"there are {OPEN} spaces open already; close some first")
        for host in spec.clients:
            if host in self._clients:
                raise SpaceError(f"the client {host} is in the space {self._clients[host].name} already; close that "
                                 "first")
        if not spec.bind and not spec.clients:
            raise SpaceError(f"the space {spec.name} would answer nobody; give it an address to listen on, or "
                             "clients")
        for host in spec.bind:
            try:
                check(Address(host, 0), (*self.main.config.bind, *self.main.addresses))
            except PermissionError:
                raise SpaceError(f"a space cannot listen on {host}; use a loopback address, such as 127.0.0.2, or "
                                 "one that the sandbox listens on") from None

    def _config(self, spec: SpaceSpec) -> Config:
        """The sandbox's own configuration, with what makes this space another. Nothing is kept, so nothing waits for
        the disk."""
        config = self.main.config
        # With listeners of its own a space has no name servers of the hierarchy unless they are named: on one port
        # their addresses are taken once.
        on = set(spec.services or (planned.role.name for planned in plan(config)
                                   if not (planned.host and spec.bind)))
        roles = [role.name for protocol in PROTOCOLS for role in protocol.roles]
        services: dict[str, bool | int] = {name: name in on for name in roles}
        services |= {name: port for name, port in spec.ports.items() if name in on}
        return structs.replace(config, bind=spec.bind, advertise=(), ports="ephemeral", world=spec.world,
                               services=services, mail=structs.replace(config.mail, durability="memory"))

    def _forget(self, name: str) -> None:
        """Nobody comes to it any more. Its name stays taken until what it kept is gone."""
        space = self._open.pop(name, None)
        self._common.closed(name)
        self._clients = {host: other for host, other in self._clients.items() if other is not space}
        self.version += 1

    async def _discard(self, name: str, space: Space | None) -> None:
        await trio.to_thread.run_sync(discard, space, self._folder(name))
        del self._specs[name]


@dataclass(frozen=True)
class SpaceDoor:
    """What a listener of a space is opened for; it implements `net`'s `Door`."""

    spaces: Spaces
    space: Space
    planned: Planned

    @property
    def version(self) -> int:
        return self.spaces.version

    def choose(self, client: Address) -> LazyService:
        return self.spaces.answering(self.space, client).service(self.planned)


def own_hosts() -> Iterator[str]:
    """Loopback addresses in no order: another sandbox on this machine may be giving them away too."""
    while True:
        number = random.randrange(1 << 16, 1 << 24)
        yield f"127.{number >> 16}.{number >> 8 & 255}.{number & 254 | 1}"


def new_world(file: str, folder: Path) -> World:
    """A world in a folder of its own. For a worker thread."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    return World.load(Path(file) if file else None, folder, kept=False)


def discard(space: Space | None, folder: Path) -> None:
    """Close what a space kept, and remove it. For a worker thread."""
    if space is not None:
        space.close()
    shutil.rmtree(folder, ignore_errors=True)
