"""Which addresses this machine has, without asking anyone on a network."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from collections.abc import Iterable
from pathlib import Path

__all__ = ["reachable"]

SIOCGIFADDR = 0x8915
"""Linux's question for the IPv4 address of an interface (netdevice(7))."""


def reachable(hosts: Iterable[str]) -> list[str]:
    """The addresses by which clients reach what listens on `hosts`: a wildcard stands for the machine's own.

    Other machines' way in comes first; loopback is named only where it is listened on and nothing else is.
    """
    found: list[str] = []
    for host in hosts:
        if host == "0.0.0.0":
            found += own_v4() or ["127.0.0.1"]
        elif host == "::":
            found += own_v6() or ["::1"]
        else:
            found.append(host)
    return list(dict.fromkeys(found))


def own_v4() -> list[str]:
    """IPv4 addresses of the interfaces that are not loopback."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(sock, SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:
                continue  # no IPv4 address, or not Linux
            found.append(socket.inet_ntoa(answer[20:24]))
    return [host for host in found if not ipaddress.ip_address(host).is_loopback]


def own_v6() -> list[str]:
    """IPv6 addresses likewise, without link-local ones, which mean nothing in a DNS record."""
    try:
        lines = Path("/proc/net/if_inet6").read_text().splitlines()
    except OSError:
        return []
    found = [ipaddress.IPv6Address(bytes.fromhex(line.split()[0])) for line in lines]
    return [str(host) for host in found if not host.is_loopback and not host.is_link_local]
