"""The services' ports in another network, and how they are handed to the sandbox (`sandbox.net.joining`)."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from sandbox.datafolder import Endpoint
from sandbox.errors import UserError
from sandbox.net.joining import DESCRIPTORS, NAME
from sandbox.protocols.contract.registry import PROTOCOLS

__all__ = ["Opened", "connect", "hand_over", "listeners", "serve_spare"]

SPARE = {socket.AF_INET: 100, socket.AF_INET6: 30}
"""Unbound sockets that are given along, for data connections."""
MORE = 50
"""How many more are given when the sandbox asks."""
BACKLOG = 1024
PATIENCE = 5.0
"""Seconds for the sandbox to take everything."""


class Opened(NamedTuple):
    """A socket that listens for a service. transport: "tcp" or "udp"."""

    service: str
    transport: str
    sock: socket.socket


def connect(data: Path) -> socket.socket:
    """A conversation with the sandbox that runs on a data folder. Raises UserError."""
    talk = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    talk.settimeout(PATIENCE)
    directory = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        talk.connect(f"/proc/self/fd/{directory}/{NAME}")
    except OSError as error:
        talk.close()
        raise UserError(f"the sandbox on {data} cannot be joined ({error.strerror or error}); it must be of this "
                        "version, and yours") from error
    finally:
        os.close(directory)
    return talk


def listeners(running: Mapping[str, Endpoint]) -> Iterator[Opened]:
    """Every running service on its well-known port, and on the one it has outside, which its pages and records name.
    A port that two would have goes to the first, but where one has an address of its own. Raises OSError."""
    taken: set[tuple[str, int]] = set()
    for role in (role for protocol in PROTOCOLS for role in protocol.roles):
        if role.name not in running:
            continue
        for port in dict.fromkeys((role.port, running[role.name].port)):
            for transport in role.transports:
                if role.beside:
                    host = running[role.name].host
                    family = socket.AF_INET6 if ":" in host else socket.AF_INET
                    yield Opened(role.name, transport, listen(family, host, transport, port))
                elif (transport, port) not in taken:
                    taken.add((transport, port))
                    yield from opened(role.name, transport, port)
    if "dashboard" in running:
        yield from opened("dashboard", "tcp", running["dashboard"].port)


def opened(service: str, transport: str, port: int) -> Iterator[Opened]:
    yield Opened(service, transport, listen(socket.AF_INET, "0.0.0.0", transport, port))
    with contextlib.suppress(OSError):  # a system without IPv6
        yield Opened(service, transport, listen(socket.AF_INET6, "::", transport, port))


def listen(family: int, host: str, transport: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if transport == "tcp":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # So that an address of its own may stand beside all addresses: the system takes the one that fits closest.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
        if transport == "tcp":
            sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def hand_over(talk: socket.socket, some: Sequence[Opened]) -> None:
    """Give the sandbox the listeners, and spare sockets; when this returns it answers on them. Raises OSError."""
    for start in range(0, len(some), DESCRIPTORS):
        part = some[start:start + DESCRIPTORS]
        send(talk, {"listeners": [[one.service, one.transport] for one in part]}, [one.sock for one in part])
    for one in some:
        one.sock.close()
    for family, count in SPARE.items():
        give_spare(talk, family, count)
    send(talk, {"done": True}, [])
    answer = json.loads(talk.recv(1024) or b"{}")
    if not answer.get("joined"):
        raise OSError("the sandbox did not take the listeners")
    talk.settimeout(None)


def give_spare(talk: socket.socket, family: int, count: int) -> None:
    with contextlib.ExitStack() as stack:
        try:
            some = [stack.enter_context(socket.socket(family, socket.SOCK_STREAM)) for _ in range(count)]
        except OSError:
            return  # a system without IPv6
        send(talk, {"spare": [family] * count}, some)


def serve_spare(talk: socket.socket) -> bool:
    """Answer a question for more. False when the sandbox is gone."""
    try:
        data = talk.recv(1024)
        if not data:
            return False
        give_spare(talk, int(json.loads(data)["spare"]), MORE)
    except (OSError, ValueError, KeyError):
        return False
    return True


def send(talk: socket.socket, said: object, some: list[socket.socket]) -> None:
    socket.send_fds(talk, [json.dumps(said).encode()], [sock.fileno() for sock in some])
