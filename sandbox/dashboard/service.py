"""Runs the live page beside a sandbox: a listener of its own, carried as every service is, recorded by nobody.

What the page is made of is imported when its first visitor comes.
"""

from __future__ import annotations

import ipaddress
import math
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import trio

from sandbox.address import Address
from sandbox.app import Sandbox
from sandbox.datafolder import LivePage, write_whole
from sandbox.net.addresses import reachable
from sandbox.net.binding import BindError, Bound, bind
from sandbox.net.joining import Listening
from sandbox.net.server import LazyService, Server
from sandbox.plan import DASHBOARD, dashboard_port
from sandbox.protocols.contract.registry import Service

__all__ = ["dashboard"]

TOKEN_FILE = "dashboard-token"
"""In the data folder, for its owner's eyes only."""
TOKEN_OCTETS = 24


@asynccontextmanager
async def dashboard(sandbox: Sandbox, own: Callable[[str], bool] | None = None) -> AsyncIterator[LivePage | None]:
    """The live page of a running sandbox, for the length of the block; None where it is off, or, said among the
    sandbox's failures, where its port is taken. own: addresses whose users own the sandbox, by default loopback."""
    port = dashboard_port(sandbox.config)
    sockets = None if port is None else listen(sandbox, port)
    if sockets is None:
        yield None
        return
    token = load_token(sandbox.data)
    async with serving(sandbox, sockets, token, own):
        sandbox.common.live_page = sockets.address
        try:
            yield found(sandbox, sockets.address, token)
        finally:
            sandbox.common.live_page = None


def found(sandbox: Sandbox, address: Address, token: str) -> LivePage:
    """Where the page is, from here and from elsewhere."""
    config = sandbox.config
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)
    others = [host for host in (config.advertise or reachable(config.bind))
              if host not in sandbox.skipped and not ipaddress.ip_address(host).is_loopback]
    return LivePage(f"http://{Address(here, address.port)}/", token,
                    f"http://{Address(others[0], address.port)}/" if others else "")


def listen(sandbox: Sandbox, port: int) -> Bound | None:
    try:
        return bind(list(sandbox.config.bind), port, ("tcp",), DASHBOARD.name)
    except BindError as error:
        sandbox.failures[DASHBOARD.name] = str(error)
        return None


@asynccontextmanager
async def serving(sandbox: Sandbox, sockets: Bound, token: str,
                  own: Callable[[str], bool] | None) -> AsyncIterator[None]:
    """Listen. The streams of those who watch have no end but this one's, so they are told, and ended at once."""
    server = Server(sandbox.journal, msgspec.structs.replace(sandbox.config.limits, total=math.inf))
    stop = trio.Event()
    first, started = sandbox.journal.last, time.time()

    def build() -> Service:
        from sandbox.dashboard.access import Access, loopback
        from sandbox.dashboard.board import Board
        from sandbox.dashboard.site import DashboardSite
        from sandbox.protocols.http.session import SiteService

        board = Board(sandbox, Access(token, own or loopback, machine_names()), first, started)
        nursery.start_soon(board.live.run)
        nursery.start_soon(board.live.stop_after, stop)
        return Service(session=SiteService(sandbox.config, DashboardSite(board)).session)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.watch.run)
        async with trio.open_nursery() as connections:
            async with trio.open_nursery() as listeners:
                service = LazyService(DASHBOARD.name, "http", build, recorded=False)
                sandbox.common.listening[DASHBOARD.name] = Listening(server, service, connections)
                for listener in sockets.streams:
                    listeners.start_soon(server.accept_from, listener, service, connections)
                try:
                    yield
                finally:
                    stop.set()
                    listeners.cancel_scope.cancel()
            await server.watch.stop(LAST_WORDS)
        nursery.cancel_scope.cancel()


LAST_WORDS = 0.1
"""Seconds for those who watch to hear that the sandbox stops."""


def machine_names() -> frozenset[str]:
    """What this machine is called on its network, also by multicast DNS (RFC 6762 §3)."""
    name = socket.gethostname().lower()
    return frozenset({name, f"{name.partition('.')[0]}.local"}) - {"", ".local"}


def load_token(data: Path) -> str:
    """The teacher's token of a data folder, made when it is first asked for. Raises OSError."""
    file = data / TOKEN_FILE
    try:
        token = file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        token = ""
    if len(token) < TOKEN_OCTETS:
        token = secrets.token_urlsafe(TOKEN_OCTETS)
        write_whole(file, f"{token}\n".encode())
        file.chmod(0o600)
    return token
