"""A space: a world and the services that answer for it.

What spaces have in common (`Common`) is the journal, the certificate authority, the limits and the scripts. A
space with listeners of its own answers whoever comes to them; one without answers those clients that `spaces` has it
answer on the listeners of the main one.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from sandbox.address import Address
from sandbox.config import Config
from sandbox.journal.journal import Journal
from sandbox.net.addresses import reachable
from sandbox.net.binding import BindError, Bound, bind
from sandbox.net.datagrams import answer_from
from sandbox.net.dial import Dialer
from sandbox.net.joining import Listening
from sandbox.net.script import Script
from sandbox.net.server import Door, LazyService, Server
from sandbox.pki import ca_folder
from sandbox.plan import Planned, plan
from sandbox.protocols.contract.conversation import Answer, Conversation, DatagramHandler, Description
from sandbox.protocols.contract.registry import Context, Role, Service, Tls
from sandbox.starting import StartError
from sandbox.world import World
from sandbox.world.state import Kept

if TYPE_CHECKING:
    from sandbox.net.layers.tls.contexts import Contexts
    from sandbox.net.layers.tls.settings import TlsSettings

__all__ = ["BESIDE_AFTER", "MAIN", "Common", "Space"]

log = logging.getLogger(__name__)

MAIN = "main"
"""The space that is there from the start to the end."""

BESIDE_AFTER = 0.01
"""Seconds from the start to what services do beside answering: whoever waits for the start is told first."""


@dataclass
class Common:
    """What all spaces share. data: the data folder; contexts: for TLS, None where no service encrypts; live_page:
    where it is listened for, None while it is not."""

    data: Path
    journal: Journal
    server: Server
    script: Script
    contexts: Contexts | None = None
    opened: Callable[[str, World], None] = lambda name, world: None
    """Told of each space before it answers, with its name and world. Raises StartError where it shall not open."""
    closed: Callable[[str], None] = lambda name: None
    live_page: Address | None = None
    listening: dict[str, Listening] = field(default_factory=dict)
    """How the main space's services, and the live page, answer on further listeners."""


class Space:
    """See the module. config: its own, of which the world, the addresses and the services may differ from others';
    endpoints: each service by role, as clients reach it; services: likewise, each built when its first client comes
    or with `open`; failures: services that did not start, with the reason; skipped: addresses this machine has not.
    """

    def __init__(self, name: str, config: Config, world: World, common: Common) -> None:
        self.name = name
        self.config = config
        self.world = world
        self.endpoints: dict[str, Address] = {}
        self.services: dict[str, LazyService] = {}
        self.failures: dict[str, str] = {}
        self.skipped: list[str] = []
        self.over = trio.Event()
        self.kept: dict[str, Kept] = {}
        """States of its world that somebody wanted kept, by name."""
        self._common = common
        self._bound: list[tuple[Planned, Bound]] = []
        self._planned: list[Planned] = []
        self._tasks: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        self._nursery: trio.Nursery | None = None
        self._stopping = trio.Event()

    # -- before it answers ------------------------------------------------------------------------------------

    def bind(self) -> None:
        """Open every service's sockets, and fill in its endpoints, or the reasons why not.

        With standard ports a port that is taken ends the start; otherwise the other services start without it. Raises
        StartError.
        """
        planned_all = plan(self.config)
        bound: dict[str, tuple[Planned, Bound]] = {}
        try:
            # Those with a port of their own come first: any free one that another is given might be just that.
            # Last come those that share the port of another, on an address of their own.
            for planned in sorted(planned_all, key=lambda planned: (planned.host != "", planned.port == 0)):
                try:
                    if planned.host and planned.role.beside not in bound:
                        continue
                    hosts, port = ([planned.host], bound[planned.role.beside][1].port) if planned.host else (
                        list(self.config.bind), planned.port)
                    sockets = bind(hosts, port, planned.transports, planned.role.name)
                except BindError as error:
                    if self.config.ports == "standard" and not planned.host:
                        raise StartError(f"{planned.role.name}: {error}") from error
                    self.failures[planned.role.name] = str(error)
                    continue
                bound[planned.role.name] = planned, sockets
                self.skipped += [host for host in sockets.skipped if host not in self.skipped]
            if not bound:
                raise StartError("no service could start:\n" + "\n".join(
                    f"  {name}: {reason}" for name, reason in self.failures.items()))
        except BaseException:
            for _, sockets in bound.values():
                sockets.close()
            raise
        self._bound = [bound[planned.role.name] for planned in planned_all if planned.role.name in bound]
        self._planned = [planned for planned, _ in self._bound]
        self.endpoints.update((planned.role.name, sockets.address) for planned, sockets in self._bound)

    def share(self, endpoints: Mapping[str, Address]) -> None:
        """Answer on the listeners of another space. endpoints: where those are."""
        self._planned = [planned for planned in plan(self.config) if planned.role.name in endpoints]
        self.endpoints.update((planned.role.name, endpoints[planned.role.name]) for planned in self._planned)

    def plan(self, addresses: Sequence[str] = ()) -> None:
        """Say how the zones and the services are made, now that every port is known. addresses: those that names lead
        to, by default those it listens on."""
        config, common = self.config, self._common
        found = list(addresses or config.advertise) or reachable(
            [host for host in config.bind if host not in self.skipped])
        self.world.plan_zones(found, self.endpoints, config.dns.unknown, config.dns.ttl)
        own = [*found, *(planned.host for planned in self._planned if planned.host)]
        dialer = Dialer(common.journal, self.name, own, common.contexts.client if common.contexts else None)
        for planned in self._planned:
            role = planned.role
            context = Context(self.world, role, config, self.endpoints, dialer, self._ask, ca_folder(common.data),
                              self.name, lambda: common.live_page)
            self.services[role.name] = LazyService(
                role.name, planned.protocol.name, partial(self._build, planned, context),
                tls_settings(role, common.contexts), role.tls is Tls.IMPLICIT, common.script, space=self.name)
        self.addresses = found

    def _ask(self, role: str) -> DatagramHandler | None:
        return self.services[role].built.message if role in self.services else None

    def _build(self, planned: Planned, context: Context) -> Service:
        made = planned.protocol.serve(context)
        if made.task is not None:
            self._tasks.append((planned.role.name, made.task))
        if self._nursery is not None:
            # Mail that is submitted is carried by the service beside it: one of a protocol needs all of them.
            self._nursery.start_soon(self._open_beside, planned)
        return made

    async def _open_beside(self, planned: Planned) -> None:
        try:
            for other in self._planned:
                if other.protocol is planned.protocol:
                    self.services[other.role.name].open()
        except Exception:  # it is tried again when a client comes
            log.exception("a %s service of the space %s cannot be built", planned.protocol.name, self.name)
        self._start_tasks()

    def _start_tasks(self) -> None:
        assert self._nursery is not None
        while self._tasks:
            self._nursery.start_soon(beside, *self._tasks.pop())

    def open(self) -> Iterator[None]:
        """Build everything now, in steps. Raises what is wrong with the stores: UserError, OSError, sqlite3.Error."""
        self.world.open_zones()
        for service in self.services.values():
            yield
            service.open()

    # -- while it answers -------------------------------------------------------------------------------------

    async def run(self, door: Callable[[Space, Planned], Door], *,
                  task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Answer until `stop`; then open connections get `limits.grace` seconds. door: for each listener."""
        server, journal = self._common.server, self._common.journal
        async with trio.open_nursery() as connections:
            async with trio.open_nursery() as listeners:
                self._nursery = listeners
                for planned, sockets in self._bound:
                    own = door(self, planned)
                    if self.name == MAIN:
                        self._common.listening[planned.role.name] = Listening(server, own, connections)
                    for listener in sockets.streams:
                        listeners.start_soon(server.accept_from, listener, own, connections)
                    for sock in sockets.datagrams:
                        listeners.start_soon(answer_from, sock, own, journal)
                self._bound = []
                self._start_tasks()
                await trio.lowlevel.checkpoint()
                task_status.started()
                await self._stopping.wait()
                listeners.cancel_scope.cancel()
            await server.watch.stop(self.config.limits.grace, self.name)
        self.over.set()

    def service(self, planned: Planned) -> LazyService:
        """Who answers here where `planned` is asked for."""
        name = planned.role.name
        found = self.services.get(name)
        if found is None:
            found = self.services[name] = LazyService(name, planned.protocol.name, absent, space=self.name)
        return found

    async def stop(self) -> None:
        """Stop answering, and wait until it has."""
        self._stopping.set()
        await self.over.wait()

    def close(self) -> None:
        """Close the sockets nobody listens on yet, and the world. Waits for the disk."""
        for _, sockets in self._bound:
            sockets.close()
        self.world.close()


def absent() -> Service:
    """Stands for a service that a space does not have: connections are reset, datagrams not answered."""
    async def session(conversation: Conversation) -> None:
        conversation.reset()

    silence = Answer(None, Description("", "", "", "no such service in this space", "end.refused"))
    return Service(session, lambda data, client: silence)


async def beside(name: str, task: Callable[[], Awaitable[None]]) -> None:
    """What a service does beside answering. Where it fails, the others go on."""
    await trio.sleep(BESIDE_AFTER)
    try:
        await task()
    except Exception:
        log.exception("the %s service has stopped what it does beside answering; start the sandbox again", name)


def tls_settings(role: Role, contexts: Contexts | None) -> TlsSettings | None:
    """How a role encrypts, None where it never does."""
    if contexts is None or role.tls is Tls.NEVER:
        return None
    from sandbox.net.layers.tls.contexts import Strength
    from sandbox.net.layers.tls.settings import TlsSettings
    return TlsSettings(contexts, role.alpn, Strength.LEGACY if role.legacy else Strength.MODERN)
