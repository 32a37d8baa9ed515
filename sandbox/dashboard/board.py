"""What the live page stands on: a running sandbox, its journal to ask and to follow, and the rules of access."""

from __future__ import annotations

from collections.abc import Mapping

import trio

from sandbox.address import Address
from sandbox.app import Sandbox
from sandbox.console.summary import Cast, cast_of
from sandbox.dashboard.access import Access, Asker, Seen
from sandbox.dashboard.archive import Archive
from sandbox.dashboard.labwork import Labwork
from sandbox.dashboard.live import Live
from sandbox.dashboard.metrics import Metrics
from sandbox.filter import parse
from sandbox.pki import ca_path
from sandbox.protocols.http.messages import Request
from sandbox.space import Space
from sandbox.world import World

__all__ = ["Board"]

LOGGED_IN = parse("has:account space:main")
ANYWHERE = frozenset({"0.0.0.0", "::"})


class Board:
    """One live page. first: the last exchange before the sandbox started; started: seconds since the epoch."""

    def __init__(self, sandbox: Sandbox, access: Access, first: int, started: float) -> None:
        self.sandbox = sandbox
        self.access = access
        self.archive = Archive(sandbox.journal)
        self.live = Live(sandbox.journal)
        self.labwork = Labwork(self.archive, sandbox.data)
        self.started = started
        self.metrics = Metrics(sandbox.journal, self.archive, first, started)

    @property
    def world(self) -> World:
        return self.sandbox.world

    @property
    def cast(self) -> Cast:
        """Whom and what commands to try are about."""
        return cast_of({one.login: one.password for one in self.world.accounts if not one.teacher},
                       [domain.name for domain in self.world.domains])

    def cast_for(self, asker: Asker) -> Cast:
        """The same, without a password for whom it is not to be shown."""
        return self.cast if asker.sees_all else self.cast._replace(password="PASSWORD")

    async def proven(self, asker: Asker) -> frozenset[str]:
        """The people whose password somebody at the asker's address has given rightly, to any service, of late."""
        return frozenset(account.login for name in await self.archive.accounts(Seen(asker, LOGGED_IN))
                         if (account := self.world.accounts.get(name)) is not None)

    @property
    def last_exchange(self) -> int:
        return self.sandbox.journal.last

    def place(self, request: Request, space: Space | None = None) -> Mapping[str, Address]:
        """Every service at an address that the asker can reach: one on all interfaces is where the page is. space: by
        default the main one."""
        own = request.server.host
        return {name: Address(own, address.port) if address.host in ANYWHERE else address
                for name, address in (space or self.sandbox.main).endpoints.items()}

    async def authority(self) -> str:
        """The certificate of the authority as PEM, "" before there is one."""
        try:
            return await trio.Path(ca_path(self.sandbox.data)).read_text(encoding="ascii")
        except OSError:
            return ""
