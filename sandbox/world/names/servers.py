"""The name servers of the three levels of the tree: what they are called, and where they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dns.name import Name
from dns.rdataset import Rdataset

from sandbox.address import Address
from sandbox.world.names.records import parse_name, parse_set

__all__ = ["LEVELS", "Server", "Servers", "servers_of"]

LEVELS = ("dns-root", "dns-tld", "dns-domains")
"""The services that keep the parts, from the top."""

REAL_PORT = 53
REAL_NAMES = ("a.root-servers.net.", "a.gtld-servers.net.")


class Server(NamedTuple):
    """A name server: what NS records call it, and its address as a record set."""

    name: Name
    records: Rdataset


class Servers(NamedTuple):
    """The name servers of the three levels. named: whether they have host names; else they are called by their
    addresses."""

    root: Server
    top: Server
    domains: Server
    named: bool

    @property
    def all(self) -> tuple[Server, Server, Server]:
        return self.root, self.top, self.domains


def servers_of(endpoints: Mapping[str, Address], home: str, ttl: int) -> Servers | None:
    """The running name servers, None where not all three run.

    `dig +trace` asks the machine's own resolver where a name server is, whatever glue it was given. On the port of
    DNS that resolver may be the sandbox, so the servers have names; on another it cannot be, and a name would make
    dig ask the real internet. So there they are called by their addresses, which any resolver reads without asking.
    """
    if not all(level in endpoints for level in LEVELS):
        return None
    named = endpoints[LEVELS[0]].port == REAL_PORT
    hosts = [endpoints[level].host for level in LEVELS]
    names = (*REAL_NAMES, f"ns1.{home}.") if named else [f"{host}." for host in hosts]
    root, top, domains = (Server(parse_name(name), parse_set("AAAA" if ":" in host else "A", [host], ttl))
                          for name, host in zip(names, hosts, strict=True))
    return Servers(root, top, domains, named)
