"""Puts it together: a world, a journal and services from one configuration, running until told to stop."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING

import trio
from msgspec import structs

from sandbox.config import Config
from sandbox.datafolder import Endpoint, Running
from sandbox.errors import UserError
from sandbox.faults.lazy import LazyFaults
from sandbox.journal.journal import Journal
from sandbox.journal.store import FILE, Store
from sandbox.net.data import DataRules
from sandbox.net.script import Script
from sandbox.net.server import Server
from sandbox.pki import ca_folder, ca_path
from sandbox.plan import plan
from sandbox.protocols.contract.later import Later
from sandbox.protocols.contract.registry import Tls
from sandbox.space import MAIN, Common, Space
from sandbox.spaces import Spaces
from sandbox.starting import StartError, explained, unwrapped
from sandbox.world import World

__all__ = ["Sandbox", "StartError", "running"]

if TYPE_CHECKING:
    from sandbox.faults.faults import Faults
    from sandbox.net.layers.tls.contexts import Contexts

PREPARE_AFTER = 0.01
"""Seconds from the start to importing what first clients need: whoever waits for the start is told first."""

KEYLOG = "tls-keys.log"
"""In the data folder: the secrets of each TLS connection, in the NSS format that Wireshark reads."""

class Sandbox:
    """A running sandbox. spaces: all that are open; world, endpoints, failures, skipped: of the main one; script:
    decides which of the services' answers are scripted."""

    def __init__(self, config: Config, data: Path, world: World, journal: Journal) -> None:
        self.config = config
        self.data = data
        self.world = world
        self.journal = journal
        self.script = Script()
        self.script.faults = self._faults = LazyFaults(self._faults_loaded)
        server = Server(journal, config.limits, DataRules(*config.ftp.passive_ports, config.ftp.advertise,
                                                          config.ftp.accept_seconds))
        self.common = Common(data, journal, server, self.script)
        self.common.opened, self.common.closed = self._space_opened, self._space_closed
        self.main = Space(MAIN, config, world, self.common)
        self.spaces = Spaces(self.main, self.common)
        self.endpoints, self.failures, self.skipped = self.main.endpoints, self.main.failures, self.main.skipped

    @property
    def faults(self) -> Faults:
        """The rules that make things fail on purpose."""
        return self._faults.all

    def _faults_loaded(self, faults: Faults) -> None:
        self.script.faults = faults

    def add_faults(self) -> None:
        """Those of the configuration and of the world. Raises StartError."""
        self._add_faults(self.config.faults, "configuration", "")
        self._space_opened(MAIN, self.world)

    def _space_opened(self, name: str, world: World) -> None:
        self._add_faults(world.beginning.faults, f"world of {name}", name)

    def _space_closed(self, name: str) -> None:
        if self._faults.quiet and self.script.faults is self._faults:
            return  # there never was a rule
        for standing in list(self.faults.rules.values()):
            if standing.origin == f"world of {name}":
                self.faults.remove(standing.id)

    def _add_faults(self, rules: Sequence[Mapping[str, str | bool | int | float]], origin: str, space: str) -> None:
        """space: the only one whose exchanges they strike, "" for any. Raises StartError."""
        for number, values in enumerate(rules, 1):
            from sandbox.faults.rule import rule_of_mapping
            try:
                rule_of_mapping(values)  # what is wrong is told of the filter as it was written
                matcher = str(values.get("filter", ""))
                within = f"space:{space} ({matcher})" if matcher else f"space:{space}"
                self.faults.add(rule_of_mapping({**values, "filter": within} if space else values), origin)
            except UserError as error:
                raise StartError(f"the {origin}, faults[{number}]: {error}") from error

    def facts(self) -> Running:
        """What the ready file says."""
        ca = ca_path(self.data)  # made before the start is over, where any service encrypts
        return Running(pid=os.getpid(), started=time.time(), ca=str(ca) if ca.exists() else "",
                       services={name: Endpoint(address.host, address.port)
                                 for name, address in self.endpoints.items()})


@asynccontextmanager
async def running(config: Config, data: Path, *, lazy: bool = False) -> AsyncIterator[Sandbox]:
    """Run a sandbox for the length of the block; when it begins every service is built and accepts. lazy: accepts
    only, and is built when its first client comes, as in a space.

    Open connections get `limits.grace` seconds at its end; then the journal is flushed. Raises StartError,
    StoreError, WorldError, AuthorityError.
    """
    raise_descriptor_limit()
    file = Path(config.world) if config.world else None
    if config.ephemeral:  # nothing is kept, so nothing waits for the disk
        config = structs.replace(config, mail=structs.replace(config.mail, durability="memory"))
    with unwrapped(), ExitStack() as stack:
        with explained(data):
            world = stack.enter_context(closing(World.load(file, data, kept=not config.ephemeral)))
            store = stack.enter_context(closing(Store(data / FILE, size=config.journal.size,
                                               kept=not config.ephemeral)))
        journal = Journal(store, queue=config.journal.queue, body_limit=config.journal.body_limit)
        made = Sandbox(config, data, world, journal)
        made.add_faults()
        async with serving(made, lazy=lazy) as sandbox:
            yield sandbox


@asynccontextmanager
async def serving(sandbox: Sandbox, *, lazy: bool = False) -> AsyncIterator[Sandbox]:
    """The spaces of a sandbox, and the keepers of its journal and deadlines, for the length of the block."""
    main, common = sandbox.main, sandbox.common
    main.bind()
    try:
        with explained(sandbox.data):
            common.contexts = tls_contexts(sandbox)
            main.plan()
            await build(main, common.contexts, lazy=lazy)
    except BaseException:
        main.close()
        raise
    async with trio.open_nursery() as keepers:
        await keepers.start(sandbox.journal.run)
        keepers.start_soon(common.server.watch.run)
        if not lazy:
            keepers.start_soon(prepare, main, common.contexts)
        async with sandbox.spaces.serving():
            yield sandbox
        keepers.cancel_scope.cancel()


def tls_contexts(sandbox: Sandbox) -> Contexts | None:
    """The certificates of the data folder, None where no service encrypts."""
    if all(planned.role.tls is Tls.NEVER for planned in plan(sandbox.config)):
        return None
    from sandbox.net.layers.tls.contexts import Contexts
    return Contexts(ca_folder(sandbox.data), crl_url=crl_url(sandbox), keylog=sandbox.data / KEYLOG)


async def build(main: Space, contexts: Contexts | None, *, lazy: bool = False) -> None:
    """Build every service, and the authority beside them: what can fail fails before anybody is told of a start."""
    try:
        async with trio.open_nursery() as nursery:
            if contexts is not None:
                nursery.start_soon(trio.to_thread.run_sync, contexts.open)
            for _ in () if lazy else main.open():
                await trio.lowlevel.checkpoint()
    except ExceptionGroup as group:  # a full disk strikes both; one of them says enough
        raise group.exceptions[0] from None


async def prepare(main: Space, contexts: Contexts | None) -> None:
    """Right after the start, import what no client has needed yet, so that none has to wait for it."""
    await trio.sleep(PREPARE_AFTER)
    for service in list(main.services.values()):
        if isinstance(service.built.session, Later):
            service.built.session.prepare()
        await trio.lowlevel.checkpoint()
    if contexts is not None:
        await trio.to_thread.run_sync(contexts.warm, abandon_on_cancel=True)


def crl_url(sandbox: Sandbox) -> str:
    """Where the sandbox's own http service answers with the revocation list; "" without one."""
    address = sandbox.endpoints.get("http")
    return f"http://ca.sandbox.test{'' if address.port == 80 else f':{address.port}'}/ca.crl" if address else ""


def raise_descriptor_limit() -> None:
    """Allow as many open sockets as the system lets us: the usual 1024 is less than a class needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or soft < hard:
        wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
        if soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
