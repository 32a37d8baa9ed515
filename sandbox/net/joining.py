"""Lets somebody from another network join: listeners that were opened there come in through a Unix socket.

A socket belongs to the network (on Linux, the network namespace) it was made in, whichever process has it. So a
process in another network binds the services' ports there, hands the sockets over, and stays: the sandbox answers on
them until it goes away. For what the sandbox has to open itself in that network, FTP's data connections, it hands
over unbound sockets, too.

On the wire (SOCK_SEQPACKET): {"listeners": [[service, transport], ...]} or {"spare": [family, ...]}, each with as
many descriptors; then {"done": true}, which is answered by {"joined": true}. Later the sandbox asks for more by
{"spare": family}.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

from sandbox.journal.journal import Journal
from sandbox.net.datagrams import answer_from
from sandbox.net.server import Door, Server

__all__ = ["NAME", "Listening", "Spare", "joining"]

log = logging.getLogger(__name__)

NAME = "join.sock"
"""In the data folder, for its owner only."""
LARGEST = 65_536
"""Octets of one message."""
DESCRIPTORS = 250
"""Of one message; the system takes 253."""
MOST = 2_000
"""Descriptors of one guest."""
LOW = 16
"""Spare sockets of a family at which more are asked for."""
GUESTS = 200
"""Networks that have joined, at a time."""


@dataclass
class Listening:
    """Who answers a service, and how: what a listener needs to be answered on."""

    server: Server
    door: Door
    connections: trio.Nursery


@dataclass
class Spare:
    """Unbound sockets of another network."""

    talk: trio.socket.SocketType
    sockets: dict[int, list[socket.socket]] = field(default_factory=dict)

    def make(self, family: int) -> socket.socket:
        """A new socket there. Raises OSError when there is none left."""
        some = self.sockets.get(family, [])
        if len(some) <= LOW:
            with contextlib.suppress(OSError):
                os.write(self.talk.fileno(), json.dumps({"spare": family}).encode())
        if not some:
            raise OSError("no socket of the other network is left")
        return some.pop()

    def close(self) -> None:
        for some in self.sockets.values():
            for sock in some:
                sock.close()


@asynccontextmanager
async def joining(folder: Path, listening: Mapping[str, Listening], journal: Journal) -> AsyncIterator[None]:
    """Let others join, for the length of the block. listening: every service by name."""
    with trio.socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as gate:
        bind(gate, folder)
        gate.listen(16)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(admit, gate, listening, journal, nursery)
            yield
            nursery.cancel_scope.cancel()
    (folder / NAME).unlink(missing_ok=True)


def bind(gate: trio.socket.SocketType, folder: Path) -> None:
    """A socket's path may have 108 octets, a data folder's more: so by way of a descriptor."""
    (folder / NAME).unlink(missing_ok=True)
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    old = os.umask(0o177)
    try:
        gate._sock.bind(f"/proc/self/fd/{directory}/{NAME}")  # type: ignore[attr-defined]
    finally:
        os.umask(old)
        os.close(directory)


async def admit(gate: trio.socket.SocketType, listening: Mapping[str, Listening], journal: Journal,
                nursery: trio.Nursery) -> None:
    limiter = trio.CapacityLimiter(GUESTS)
    while True:
        talk, _ = await gate.accept()
        nursery.start_soon(host, talk, listening, journal, limiter)


async def host(talk: trio.socket.SocketType, listening: Mapping[str, Listening], journal: Journal,
               limiter: trio.CapacityLimiter) -> None:
    """One guest, until it goes."""
    spare = Spare(talk)
    listeners: list[tuple[str, str, socket.socket]] = []
    with talk, contextlib.ExitStack() as stack:
        stack.callback(spare.close)
        async with limiter:
            try:
                await introduced(talk, listeners, spare)
            except (OSError, ValueError, KeyError) as error:
                log.warning("a process could not join: %s", error)
                for _, _, sock in listeners:
                    sock.close()
                return
            async with trio.open_nursery() as nursery:
                for name, transport, sock in listeners:
                    if (own := listening.get(name)) is None:
                        sock.close()
                    elif transport == "udp":
                        nursery.start_soon(answer_from, sock, own.door, journal)
                    else:
                        nursery.start_soon(own.server.accept_from, sock, own.door, own.connections, spare.make)
                await trio.lowlevel.checkpoint()
                with contextlib.suppress(OSError, ValueError, KeyError):
                    await talk.send(b'{"joined": true}')
                    while await message(talk, listeners, spare) is not None:
                        pass  # more spare sockets
                nursery.cancel_scope.cancel()


async def introduced(talk: trio.socket.SocketType, listeners: list[tuple[str, str, socket.socket]],
                     spare: Spare) -> None:
    """Take everything a guest brings. Raises ValueError, OSError."""
    while (said := await message(talk, listeners, spare)) is not None:
        if said.get("done"):
            return
    raise ValueError("it went away before it was done")


async def message(talk: trio.socket.SocketType, listeners: list[tuple[str, str, socket.socket]],
                  spare: Spare) -> Mapping[str, object] | None:
    """One message with its descriptors. None at the end. Raises ValueError."""
    data, ancillary, _, _ = await talk.recvmsg(LARGEST, socket.CMSG_LEN(DESCRIPTORS * 4))
    found = [number for _, kind, octets in ancillary if kind == socket.SCM_RIGHTS
             for number in memoryview(octets[:len(octets) // 4 * 4]).cast("i")]
    sockets = [socket.socket(fileno=number) for number in found]
    for sock in sockets:
        sock.setblocking(False)
    if not data:
        return None
    said = json.loads(data)
    names = said.get("listeners") or said.get("spare") or []
    if len(names) != len(sockets) or len(listeners) + len(sockets) > MOST:
        for sock in sockets:
            sock.close()
        raise ValueError("its sockets and their names are not the same number, or too many")
    for name, sock in zip(names, sockets, strict=True):
        if "listeners" in said:
            listeners.append((str(name[0]), str(name[1]), sock))
        else:
            spare.sockets.setdefault(int(name), []).append(sock)
    assert isinstance(said, dict)
    return said
