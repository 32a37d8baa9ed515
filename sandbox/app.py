"""Puts it together: a world, a journal and services from one configuration, running until told to stop."""

from __future__ import annotations

import errno
import logging
import os
import resource
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from sandbox.address import Address
from sandbox.config import Config
from sandbox.datafolder import Endpoint, Running
from sandbox.errors import UserError
from sandbox.journal.journal import Journal
from sandbox.journal.store import FILE, Store
from sandbox.net.addresses import reachable
from sandbox.net.binding import BindError, Bound, bind
from sandbox.net.data import DataRules
from sandbox.net.datagrams import answer_from
from sandbox.net.dial import Dialer
from sandbox.net.script import Script
from sandbox.net.server import LazyService, Server
from sandbox.pki import ca_folder, ca_path
from sandbox.plan import Planned, plan
from sandbox.protocols.contract.conversation import DatagramHandler
from sandbox.protocols.contract.later import Later
from sandbox.protocols.contract.registry import Context, Role, Tls
from sandbox.world import World

__all__ = ["Sandbox", "StartError", "running"]

if TYPE_CHECKING:
    from sandbox.net.layers.tls.channel import TlsSettings
    from sandbox.net.layers.tls.contexts import Contexts

log = logging.getLogger(__name__)

PREPARE_AFTER = 0.01
"""Seconds from the start to importing what first clients need: whoever waits for the start is told first."""

KEYLOG = "tls-keys.log"
"""In the data folder: the secrets of each TLS connection, in the NSS format that Wireshark reads."""

class StartError(UserError):
    """The sandbox cannot start; the text says why and what to do."""


class Sandbox:
    """A running sandbox. endpoints: each service by name, as clients reach it; failures: services that did not
    start, with the reason; script: decides which of the services' answers are scripted."""

    def __init__(self, config: Config, data: Path, world: World, journal: Journal) -> None:
        self.config = config
        self.data = data
        self.world = world
        self.journal = journal
        self.endpoints: dict[str, Address] = {}
        self.failures: dict[str, str] = {}
        self.skipped: list[str] = []
        self.script = Script()

    def facts(self) -> Running:
        """What the ready file says."""
        ca = ca_path(self.data)  # made before the start is over, where any service encrypts
        return Running(pid=os.getpid(), started=time.time(), ca=str(ca) if ca.exists() else "",
                       services={name: Endpoint(address.host, address.port)
                                 for name, address in self.endpoints.items()})


@asynccontextmanager
async def running(config: Config, data: Path) -> AsyncIterator[Sandbox]:
    """Run a sandbox for the length of the block; when it begins every service is built and accepts.

    Open connections get `limits.grace` seconds at its end; then the journal is flushed. Raises StartError,
    StoreError, WorldError, AuthorityError.
    """
    raise_descriptor_limit()
    file = Path(config.world) if config.world else None
    with unwrapped(), ExitStack() as stack:
        with explained(data):
            world = stack.enter_context(closing(World.load(file, data)))
            store = stack.enter_context(closing(Store(data / FILE, size=config.journal.size)))
        journal = Journal(store, queue=config.journal.queue, body_limit=config.journal.body_limit)
        async with serving(Sandbox(config, data, world, journal)) as sandbox:
            yield sandbox


@contextmanager
def explained(data: Path) -> Iterator[None]:
    """What the disk refuses while the sandbox starts becomes a StartError that says what to do."""
    try:
        yield
    except OSError as error:
        where = error.filename or data
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            said = f"there is no room left for {where}. Free some space"
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            said = f"{where} is not ours to use ({error.strerror}). Make it yours"
        else:
            said = f"{where} cannot be used ({error.strerror or error}). Move it away"
        raise StartError(f"{said}, or choose another data folder with --data DIR.") from error
    except sqlite3.Error as error:
        raise StartError(f"a database in {data} cannot be used ({error}). If the disk is full, free some space; else "
                         "choose another data folder with --data DIR.") from error


@contextmanager
def unwrapped() -> Iterator[None]:
    """A failure that is alone comes out as it is, not in the groups that nurseries wrap it in: a block that raises
    a `UserError` ends with just that."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if error is group:
            raise
        raise error from error.__cause__


@asynccontextmanager
async def serving(sandbox: Sandbox) -> AsyncIterator[Sandbox]:
    """The services of a sandbox, and the keepers of its journal and deadlines, for the length of the block."""
    config, journal = sandbox.config, sandbox.journal
    server = Server(journal, config.limits, DataRules(*config.ftp.passive_ports, config.ftp.advertise,
                                                      config.ftp.accept_seconds))
    bound = bind_all(sandbox)
    try:
        with explained(sandbox.data):
            contexts = tls_contexts(sandbox)
            services = plan_all(sandbox, bound, contexts)
            await build_all([service for _, service in services], contexts)
    except BaseException:
        for _, sockets in bound:
            sockets.close()
        raise
    async with trio.open_nursery() as keepers:
        await keepers.start(journal.run)
        keepers.start_soon(server.watch.run)
        keepers.start_soon(prepare, [service for _, service in services], contexts)
        async with trio.open_nursery() as connections:
            async with trio.open_nursery() as listeners:
                for sockets, service in services:
                    for listener in sockets.streams:
                        listeners.start_soon(server.accept_from, listener, service, connections)
                    for sock in sockets.datagrams:
                        listeners.start_soon(answer_from, sock, service, journal)
                for _, service in services:
                    if service.built.task is not None:
                        listeners.start_soon(beside, service.name, service.built.task)
                await trio.lowlevel.checkpoint()
                yield sandbox
                listeners.cancel_scope.cancel()
            await server.watch.stop(config.limits.grace)
        keepers.cancel_scope.cancel()


def bind_all(sandbox: Sandbox) -> list[tuple[Planned, Bound]]:
    """Open every service's sockets, and fill in its endpoints, or the reasons why not.

    With standard ports a port that is taken ends the start; otherwise the other services start without it.
    """
    config = sandbox.config
    planned_all = plan(config)
    bound: dict[str, tuple[Planned, Bound]] = {}
    try:
        # Those with a port of their own come first: any free one that another is given might be just that.
        for planned in sorted(planned_all, key=lambda planned: planned.port == 0):
            try:
                sockets = bind(list(config.bind), planned.port, planned.transports)
            except BindError as error:
                if config.ports == "standard":
                    raise StartError(f"{planned.role.name}: {error}") from error
                sandbox.failures[planned.role.name] = str(error)
                continue
            bound[planned.role.name] = planned, sockets
            sandbox.skipped += [host for host in sockets.skipped if host not in sandbox.skipped]
        if not bound:
            raise StartError("no service could start:\n" + "\n".join(
                f"  {name}: {reason}" for name, reason in sandbox.failures.items()))
    except BaseException:
        for _, sockets in bound.values():
            sockets.close()
        raise
    started = [bound[planned.role.name] for planned in planned_all if planned.role.name in bound]
    sandbox.endpoints.update((planned.role.name, sockets.address) for planned, sockets in started)
    return started


def plan_all(sandbox: Sandbox, bound: list[tuple[Planned, Bound]],
              contexts: Contexts | None) -> list[tuple[Bound, LazyService]]:
    """Fill the zones, now that every port is known, and say how to build the services."""
    config = sandbox.config
    listening = [host for host in config.bind if host not in sandbox.skipped]
    addresses = list(config.advertise) or reachable(listening)
    sandbox.world.build_zones(addresses, sandbox.endpoints, config.dns.unknown, config.dns.ttl)
    named: dict[str, LazyService] = {}

    def ask(role: str) -> DatagramHandler | None:
        return named[role].built.message if role in named else None

    services = []
    for planned, sockets in bound:
        context = Context(sandbox.world, planned.role, config, sandbox.endpoints,
                          Dialer(sandbox.journal, addresses, contexts.client if contexts is not None else None), ask,
                          ca_folder(sandbox.data))
        service = named[planned.role.name] = LazyService(
            planned.role.name, planned.protocol.name, partial(planned.protocol.serve, context),
            tls_settings(planned.role, contexts), planned.role.tls is Tls.IMPLICIT, sandbox.script)
        services.append((sockets, service))
    return services


def tls_contexts(sandbox: Sandbox) -> Contexts | None:
    """The certificates of the data folder, None where no service encrypts."""
    if all(planned.role.tls is Tls.NEVER for planned in plan(sandbox.config)):
        return None
    from sandbox.net.layers.tls.contexts import Contexts
    return Contexts(ca_folder(sandbox.data), crl_url=crl_url(sandbox), keylog=sandbox.data / KEYLOG)


async def build_all(services: Sequence[LazyService], contexts: Contexts | None) -> None:
    """Build every service, and the authority beside them: what can fail fails before anybody is told of a start."""
    try:
        async with trio.open_nursery() as nursery:
            if contexts is not None:
                nursery.start_soon(trio.to_thread.run_sync, contexts.open)
            for service in services:
                await trio.lowlevel.checkpoint()
                service.open()
    except ExceptionGroup as group:  # a full disk strikes both; one of them says enough
        raise group.exceptions[0] from None


async def prepare(services: Sequence[LazyService], contexts: Contexts | None) -> None:
    """Right after the start, import what no client has needed yet, so that none has to wait for it."""
    await trio.sleep(PREPARE_AFTER)
    for service in services:
        if isinstance(service.built.session, Later):
            service.built.session.prepare()
        await trio.lowlevel.checkpoint()
    if contexts is not None:
        await trio.to_thread.run_sync(contexts.warm, abandon_on_cancel=True)


async def beside(name: str, task: Callable[[], Awaitable[None]]) -> None:
    """What a service does beside answering. Where it fails, the others go on."""
    await trio.sleep(PREPARE_AFTER)
    try:
        await task()
    except Exception:
        log.exception("the %s service has stopped what it does beside answering; start the sandbox again", name)


def crl_url(sandbox: Sandbox) -> str:
    """Where the sandbox's own http service answers with the revocation list; "" without one."""
    address = sandbox.endpoints.get("http")
    return f"http://ca.sandbox.test{'' if address.port == 80 else f':{address.port}'}/ca.crl" if address else ""


def tls_settings(role: Role, contexts: Contexts | None) -> TlsSettings | None:
    """How a role encrypts, None where it never does."""
    if contexts is None or role.tls is Tls.NEVER:
        return None
    from sandbox.net.layers.tls.channel import TlsSettings
    from sandbox.net.layers.tls.contexts import Strength
    return TlsSettings(contexts, role.alpn, Strength.LEGACY if role.legacy else Strength.MODERN)


def raise_descriptor_limit() -> None:
    """Allow as many open sockets as the system lets us: the usual 1024 is less than a class needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or soft < hard:
        wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
        if soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
