"""The one place that opens a connection from the sandbox: to ports of this machine, and nowhere else."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import trio

from sandbox.address import Address
from sandbox.journal.causes import Cause
from sandbox.journal.journal import Journal
from sandbox.net.layers.channel import Channel
from sandbox.protocols.contract.conversation import Closed

if TYPE_CHECKING:
    from sandbox.net.layers.tls.client import TlsClient

__all__ = ["Dialer", "Trust", "Wire", "check", "dial"]

Trust = Callable[[], ssl.SSLContext]
"""Gives the context for TLS as a client; may block. Raises OSError."""

CONNECT_SECONDS = 5.0
"""How long a port of this machine may take to accept."""


def check(address: Address, own: Collection[str] = ()) -> None:
    """Raise PermissionError unless the address is a loopback one, or one the sandbox itself listens on.

    own: addresses the sandbox was told to listen on; in a container that is the container's own.
    """
    try:
        ip = ipaddress.ip_address(address.host)
    except ValueError:
        raise PermissionError(f"{address.host!r} is a name; the sandbox connects only to addresses of this machine"
                              ) from None
    if not ip.is_loopback and address.host not in own:
        raise PermissionError(f"{address} is not on this machine; the sandbox never connects outside")


class Dialer:
    """Dials for a space; it implements the contract's `Dial`. own, trust: as in `dial`."""

    def __init__(self, journal: Journal, space: str, own: Collection[str] = (), trust: Trust | None = None) -> None:
        self._journal = journal
        self._space = space
        self._own = own
        self._trust = trust

    async def __call__(self, address: Address, cause: Cause | int = 0) -> Wire:
        def dialled(local: Address) -> None:
            self._journal.expect(local, cause, self._space)

        return await dial(address, self._own, self._trust, dialled)


async def dial(address: Address, own: Collection[str] = (), trust: Trust | None = None,
               dialled: Callable[[Address], None] | None = None) -> Wire:
    """Connect. Raises PermissionError for an address that is not of this machine, OSError when nothing listens.

    trust: for `Wire.start_tls`; None where there is no authority to believe in; dialled: told our end's address,
    before anybody can have accepted at the other.
    """
    check(address, own)
    sock = socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET)
    try:
        sock.setblocking(False)
        with trio.move_on_after(CONNECT_SECONDS):
            if await connect(sock, address, dialled):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return Wire(Channel(sock), trust)
        raise TimeoutError(f"{address} did not answer within {CONNECT_SECONDS:g} seconds")
    except BaseException:
        sock.close()
        raise


async def connect(sock: socket.socket, address: Address, dialled: Callable[[Address], None] | None = None) -> bool:
    blocked = False
    try:
        sock.connect(tuple(address))
    except BlockingIOError:
        blocked = True
    if dialled is not None:
        dialled(Address(*sock.getsockname()[:2]))
    if blocked:
        await trio.lowlevel.wait_writable(sock)
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, f"cannot connect to {address}") from None
    return True


class Wire:
    """A connection that the sandbox opened; it implements the protocols' `Wire`. The other end records it."""

    def __init__(self, channel: Channel, trust: Trust | None = None) -> None:
        self._channel = channel
        self._trust = trust
        self._tls: TlsClient | None = None

    async def send(self, data: bytes) -> None:
        await (self._send if self._tls is None else self._tls.send)(data)

    async def receive(self, limit: int = 65536) -> bytes:
        return await (self._receive if self._tls is None else self._tls.receive)(limit)

    async def start_tls(self, server_name: str) -> None:
        from sandbox.net.layers.tls.client import TlsClient
        if self._trust is None:
            raise Closed("there is no authority here whose certificates could be believed")
        try:
            context = await trio.to_thread.run_sync(self._trust)
            tls = TlsClient(context, server_name, self._send, self._receive)
        except (OSError, ValueError) as error:  # ValueError: a name that no certificate can have
            raise Closed(f"TLS cannot start: {error}") from error
        await tls.handshake()
        self._tls = tls

    async def end_writing(self) -> None:
        self._say_goodbye()
        self._channel.end_writing()
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        with contextlib.suppress(Closed):
            self._say_goodbye()
        self._channel.close()
        await trio.lowlevel.checkpoint()

    def _say_goodbye(self) -> None:
        """Over TLS, as far as the kernel takes it at once: a close need not wait for a server that does not read."""
        if self._tls is not None and not self._channel.closed:
            self._channel.send_now(self._tls.goodbye())

    async def _send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            sent = self._channel.send_now(rest)
            rest = rest[sent:]
            if rest:
                await self._channel.writable()
        await trio.lowlevel.checkpoint()

    async def _receive(self, limit: int = 65536) -> bytes:
        while True:
            data = self._channel.receive_now(limit)
            if data is not None:
                await trio.lowlevel.checkpoint()
                return data
            await self._channel.readable()

    async def __aenter__(self) -> Wire:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._channel.close()


