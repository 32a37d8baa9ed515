"""The tree of names as its keepers have it: the root, the top-level domains, the domains.

`Zones` answers for everything at once, as a resolver does. Here the same zones are seen as three name servers see
them, each of which has its part and refers to the next one for the rest (RFC 1034 §4.2, §4.3.1). The zones of the
root and of the top-level domains are not kept: what they say follows from the domains there are, so it is made for
each question.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import dns.name
from dns.name import Name
from dns.rdataset import Rdataset
from dns.rdatatype import RdataType

from sandbox.world.names.records import parse_name, parse_set
from sandbox.world.names.servers import LEVELS, Server, Servers
from sandbox.world.names.zone import Absent, Found, Kind, Labels, Zone, labels_of
from sandbox.world.names.zones import Zones

__all__ = ["Domains", "Names", "Root", "Top", "delegate", "view"]

TOP, DOMAIN = 2, 3
"""Labels of `com.` and `example.com.`, the root's empty one counted."""


class Names(Protocol):
    """What a name server answers from."""

    def lookup(self, name: Name, rdtype: RdataType) -> tuple[Zone, Found] | None: ...
    def zone_at(self, origin: str | Name) -> Zone | None: ...
    def address(self, host: Name, rdtype: RdataType) -> Rdataset | None: ...


def delegate(zones: Zones, domains: Sequence[str], servers: Servers) -> None:
    """Write down who keeps the root and the domains, where the zones and their files say nothing else."""
    root = zones.zone_at(dns.name.root)
    assert root is not None
    zones.servers = servers
    root.put(root.origin, parse_set("NS", [str(servers.root.name)], root.ttl))
    for server in servers.all:
        if zones.zone_for(server.name) is root:
            root.put(server.name, server.records)
    for domain in domains:
        zone = zones.zone_at(domain)
        host = parse_name(f"ns1.{domain}")
        assert zone is not None
        for kind in (RdataType.A, RdataType.AAAA):
            shared = zone.get(zone.origin, kind)
            if shared is not None and zone.get(host, kind) is shared:   # nobody has given it an address of its own
                zone.drop(host, kind)
                zone.put(host, servers.domains.records)


def view(level: str, zones: Zones) -> Names:
    """What the service `level` answers from: its part, or all of it where it keeps none."""
    if level not in LEVELS or zones.servers is None:
        return zones
    return (Root, Top, Domains)[LEVELS.index(level)](zones, zones.servers)


class Part:
    """One level's part."""

    def __init__(self, zones: Zones, servers: Servers) -> None:
        self._zones = zones
        self._servers = servers

    def zone_at(self, origin: str | Name) -> Zone | None:
        return None     # what is made per question is not given away whole

    def address(self, host: Name, rdtype: RdataType) -> Rdataset | None:
        """Glue for a name server outside the zone that names it."""
        return next((server.records for server in self._servers.all
                     if server.name == host and server.records.rdtype == rdtype), None)

    def _zone(self, origin: Name, server: Server) -> Zone:
        root = self._zones.zone_at(dns.name.root)
        assert root is not None
        zone = Zone(origin, root.soa[0].mname, ttl=root.ttl, serial=root.serial)
        zone.put(origin, parse_set("NS", [str(server.name)], root.ttl))
        return zone

    def _delegate(self, zone: Zone, cut: Name, server: Server) -> None:
        """Add a delegation with its glue to a zone."""
        kept = self._zones.zone_at(cut)
        nameservers = kept.get(kept.origin, RdataType.NS) if kept is not None and self._servers.named else None
        nameservers = nameservers or parse_set("NS", [str(server.name)], zone.ttl)
        zone.put(cut, nameservers)
        for item in nameservers:
            host: Name = item.target
            for kind in (RdataType.A, RdataType.AAAA):
                found = self.address(host, kind) or (None if kept is None else kept.get(host, kind))
                if found is not None and host.is_subdomain(zone.origin):
                    zone.put(host, found)

    def _below(self, labels: Labels) -> Zone | None:
        """A zone at or below a name, if there is one."""
        return next((zone for zone in self._zones if zone.apex[-len(labels):] == labels
                     and not isinstance(zone, Absent)), None)

    def _has(self, name: Name) -> bool:
        """Whether a name is there outside the zones of the domains: listed in the root's, or by the catch-all."""
        root = self._zones.zone_at(dns.name.root)
        assert root is not None
        return root.lookup(name, RdataType.A).kind is not Kind.NXDOMAIN

    def _top_of(self, name: Name) -> tuple[Name, Server] | None:
        """The top-level domain of a name and its server, None where it does not exist."""
        top = Name(name.labels[-TOP:])
        own = self._zones.zone_at(top)
        if own is not None:
            return None if isinstance(own, Absent) else (top, self._servers.domains)
        return (top, self._servers.top) if self._has(top) or self._below(labels_of(top)) else None


class Root(Part):
    """What a root server says: it knows the servers of the top-level domains."""

    def lookup(self, name: Name, rdtype: RdataType) -> tuple[Zone, Found] | None:
        zone = self._zone(dns.name.root, self._servers.root)
        zone.put(self._servers.root.name, self._servers.root.records)
        if len(name) >= TOP and (known := self._top_of(name)) is not None:
            self._delegate(zone, *known)
        return zone, zone.lookup(name, rdtype)


class Top(Part):
    """What the server of the top-level domains says: it knows the servers of the domains."""

    def lookup(self, name: Name, rdtype: RdataType) -> tuple[Zone, Found] | None:
        known = self._top_of(name) if len(name) >= TOP else None
        if known is None or known[1] is not self._servers.top:
            return None
        zone = self._zone(known[0], self._servers.top)
        for cut in self._cuts(name):
            self._delegate(zone, cut, self._servers.domains)
        return zone, zone.lookup(name, rdtype)

    def _cuts(self, name: Name) -> list[Name]:
        """Where the answer leaves this zone: the topmost domain that has the name; else one that is below it, so that
        the name exists."""
        if len(name) < DOMAIN:
            return []
        for length in range(DOMAIN, len(name) + 1):
            zone = self._zones.zone_at(Name(name.labels[-length:]))
            if zone is not None:
                return [] if isinstance(zone, Absent) else [zone.origin]
        domain = Name(name.labels[-DOMAIN:])
        if self._has(domain):
            return [domain]
        below = self._below(labels_of(name))
        return [] if below is None else [below.origin]


class Domains(Part):
    """What the server of all the domains says: the records."""

    def lookup(self, name: Name, rdtype: RdataType) -> tuple[Zone, Found] | None:
        zone = self._zones.zone_for(name)
        if zone is None or isinstance(zone, Absent):
            return None
        if len(zone.apex) > 1:
            return zone, zone.lookup(name, rdtype)
        domain = Name(name.labels[-DOMAIN:])
        if len(name) < DOMAIN or not self._has(domain):
            return None
        # Nobody has made a zone for this domain; it has one all the same, for those who ask who keeps it.
        made = self._zone(domain, self._servers.domains)
        own = name == domain and rdtype in (RdataType.SOA, RdataType.NS)
        return made, made.lookup(name, rdtype) if own else zone.lookup(name, rdtype)

    def zone_at(self, origin: str | Name) -> Zone | None:
        zone = self._zones.zone_at(origin)
        return None if zone is None or len(zone.apex) == 1 or isinstance(zone, Absent) else zone

    def address(self, host: Name, rdtype: RdataType) -> Rdataset | None:
        return self._zones.address(host, rdtype)
