"""What the live page stands on: a running sandbox, its journal to ask and to follow, and the rules of access."""

from __future__ import annotations

import time
from collections.abc import Mapping

import trio

from sandbox.address import Address
from sandbox.app import Sandbox
from sandbox.dashboard.access import Access
from sandbox.dashboard.archive import Archive
from sandbox.dashboard.live import Live
from sandbox.pki import ca_path
from sandbox.protocols.http.messages import Request

__all__ = ["Board"]

ANYWHERE = frozenset({"0.0.0.0", "::"})


class Board:
    """One live page."""

    def __init__(self, sandbox: Sandbox, access: Access) -> None:
        self.sandbox = sandbox
        self.access = access
        self.archive = Archive(sandbox.journal)
        self.live = Live(sandbox.journal.bus)
        self.started = time.time()
        self.open_sessions = 0
        """Sessions under way since somebody first looked at the page."""

    @property
    def last_exchange(self) -> int:
        return self.sandbox.journal.last

    def place(self, request: Request) -> Mapping[str, Address]:
        """Every service at an address that the asker can reach: one on all interfaces is where the page is."""
        own = request.server.host
        return {name: Address(own, address.port) if address.host in ANYWHERE else address
                for name, address in self.sandbox.endpoints.items()}

    async def authority(self) -> str:
        """The certificate of the authority as PEM, "" before there is one."""
        try:
            return await trio.Path(ca_path(self.sandbox.data)).read_text(encoding="ascii")
        except OSError:
            return ""
