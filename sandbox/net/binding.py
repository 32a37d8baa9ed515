"""Opens the sockets a service listens on, and says what to do when that fails."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.address import Address

__all__ = ["BindError", "Bound", "bind"]

BACKLOG = 1024
"""Connections the kernel holds until they are accepted; a browser alone opens thirty at once."""

UDP_BUFFER = 4_194_304
"""Octets of datagrams the kernel holds while the loop is busy: with the default some of a burst are lost."""

TRIES = 20
"""Free ports tried until one is free for every address and transport."""

PRIVILEGED = 1024
"""The first port that needs no privileges on most systems."""

LIKELY = {53: "systemd-resolved or dnsmasq", 80: "a web server", 443: "a web server", 25: "a mail server",
          21: "an FTP server", 22: "the SSH server"}
"""Who usually holds a port, for when /proc does not tell."""


class BindError(Exception):
    """A service cannot listen. The text says who holds the port, where that is known, and what helps."""


@dataclass(slots=True)
class Bound:
    """The sockets of one service, all on one port. skipped: addresses this machine does not have."""

    port: int
    streams: list[socket.socket] = field(default_factory=list)
    datagrams: list[socket.socket] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def address(self) -> Address:
        """Where a client reaches it, for the first address it listens on."""
        first = (self.streams or self.datagrams)[0].getsockname()
        return Address(first[0], self.port)

    def close(self) -> None:
        for sock in (*self.streams, *self.datagrams):
            sock.close()


def bind(hosts: list[str], port: int, transports: tuple[str, ...], name: str = "NAME") -> Bound:
    """Listen on every host. port: 0 for any that is free on all of them; name: of the service, for advice. Raises
    BindError."""
    for attempt in range(TRIES):
        try:
            return _bind_all(hosts, port, transports)
        except OSError as error:
            if port == 0 and error.errno == errno.EADDRINUSE and attempt < TRIES - 1:
                continue
            raise BindError(advice(port, error, name)) from error
    raise AssertionError("unreachable")


def _bind_all(hosts: list[str], port: int, transports: tuple[str, ...]) -> Bound:
    bound = Bound(port)
    try:
        for host in hosts:
            for transport in transports:
                try:
                    sock = _bind_one(host, bound.port, transport)
                except OSError as error:
                    # A machine without IPv6 is no reason not to start, as long as another address works.
                    if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT) and len(hosts) > 1:
                        if host not in bound.skipped:
                            bound.skipped.append(host)
                        continue
                    raise
                bound.port = sock.getsockname()[1]
                if transport == "tcp":
                    # Urgent data stays in its place in the stream, where it is read and recorded like all the rest:
                    # FTP clients send ABOR that way, and its last octet would be lost. Connections inherit it.
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
                (bound.streams if transport == "tcp" else bound.datagrams).append(sock)
        if not bound.streams and not bound.datagrams:
            raise OSError(errno.EADDRNOTAVAIL, f"none of {', '.join(hosts)} is an address of this machine")
    except BaseException:
        bound.close()
        raise
    return bound


def _bind_one(host: str, port: int, transport: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if transport == "tcp":
            # Else a restart fails while old connections are in TIME_WAIT. On UDP it would let two servers share.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
            sock.listen(BACKLOG)
        else:
            widen(sock)
            sock.bind((host, port))
    except BaseException:
        sock.close()
        raise
    return sock


def widen(sock: socket.socket) -> None:
    """Ask for a large receive buffer; beyond the system's bound where we are allowed to."""
    force = getattr(socket, "SO_RCVBUFFORCE", 33)
    for option in (socket.SO_RCVBUF, force):
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, option, UDP_BUFFER)


def advice(port: int, error: OSError, name: str) -> str:
    """What went wrong and what helps, in a sentence."""
    if error.errno == errno.EADDRINUSE:
        owner = owner_of(port) or LIKELY.get(port, "another program")
        # Who has a high port taken gains nothing by asking for high ports.
        other = ("use --ports high or --ports ephemeral" if port < PRIVILEGED else
                 f"give {name} another port with --set services.{name}=NUMBER, or use --ports ephemeral")
        return f"port {port} is taken by {owner}; stop it, or {other}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return (f"port {port} needs privileges; use --ports high, or allow it with "
                f"'sysctl net.ipv4.ip_unprivileged_port_start={port}'")
    return f"port {port}: {error.strerror or error}; see --bind"


def owner_of(port: int) -> str:
    """The program that holds a port, "name (pid 12)", where /proc lets us see it; else ""."""
    inodes = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        try:
            lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            # State 0A is a TCP listener, 07 an unconnected UDP socket.
            if int(fields[1].rpartition(":")[2], 16) == port and fields[3] in ("0A", "07"):
                inodes.add(f"socket:[{fields[9]}]")
    if not inodes:
        return ""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            for link in (process / "fd").iterdir():
                if os.readlink(link) in inodes:
                    return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
        except OSError:
            continue
    return ""
