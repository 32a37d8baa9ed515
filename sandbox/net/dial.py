"""The one place that opens a connection from the sandbox: to ports of this machine, and nowhere else."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection

import trio

from sandbox.address import Address
from sandbox.net.channel import Channel

__all__ = ["Wire", "check", "dial"]

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


async def dial(address: Address, own: Collection[str] = ()) -> Wire:
    """Connect. Raises PermissionError for an address that is not of this machine, OSError when nothing listens."""
    check(address, own)
    sock = socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET)
    try:
        sock.setblocking(False)
        with trio.move_on_after(CONNECT_SECONDS):
            if await connect(sock, address):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return Wire(Channel(sock))
        raise TimeoutError(f"{address} did not answer within {CONNECT_SECONDS:g} seconds")
    except BaseException:
        sock.close()
        raise


async def connect(sock: socket.socket, address: Address) -> bool:
    try:
        sock.connect(tuple(address))
    except BlockingIOError:
        await trio.lowlevel.wait_writable(sock)
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, f"cannot connect to {address}") from None
    return True


class Wire:
    """A connection that the sandbox opened; it implements the protocols' `Wire`. The other end records it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            sent = self._channel.send_now(rest)
            rest = rest[sent:]
            if rest:
                await self._channel.writable()
        await trio.lowlevel.checkpoint()

    async def receive(self, limit: int = 65536) -> bytes:
        while True:
            data = self._channel.receive_now(limit)
            if data is not None:
                await trio.lowlevel.checkpoint()
                return data
            await self._channel.readable()

    async def end_writing(self) -> None:
        self._channel.end_writing()
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        self._channel.close()
        await trio.lowlevel.checkpoint()

    async def __aenter__(self) -> Wire:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._channel.close()


