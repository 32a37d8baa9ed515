"""From the domains of a world file to the zones that DNS serves."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import dns.exception
from dns.name import Name
from dns.rdataset import Rdataset
from dns.rdatatype import RdataType

from sandbox.address import Address
from sandbox.toml import literal
from sandbox.world.errors import WorldError
from sandbox.world.names import builtin_zones
from sandbox.world.names.domains import Domain
from sandbox.world.names.hierarchy import delegate
from sandbox.world.names.records import ZoneError, parse_name, parse_set
from sandbox.world.names.servers import servers_of
from sandbox.world.names.zones import Zone, Zones

if TYPE_CHECKING:
    import dns.zone

__all__ = ["build_zones", "name_people"]

HEAD_LINES = 2
"""Lines that stand before a domain's own when they are parsed."""

ADDRESSES = (RdataType.A, RdataType.AAAA)


def build_zones(domains: Sequence[Domain], addresses: Sequence[str], endpoints: Mapping[str, Address],
                unknown: str, ttl: int) -> Zones:
    """Every zone of a world. What a world file says about a name wins over what the sandbox would say.

    addresses: those that names lead to; endpoints: the running services by role; unknown: "sandbox" where all
    other names lead here too; ttl: seconds. Raises WorldError for a record that cannot be, with its line.
    """
    names = [domain.name for domain in domains]
    zones = builtin_zones.build_zones(names, (), addresses, None, ttl=ttl, capture=unknown == "sandbox")
    for domain in domains:
        zone = zones.zone_at(domain.name)
        assert zone is not None
        fill(zone, domain, ttl)
    builtin_zones.announce(zones, names, endpoints, addresses)
    home = builtin_zones.home_of(names)
    if (servers := servers_of(endpoints, home, ttl)) is not None:
        delegate(zones, names, servers)
    return zones


def name_people(zones: Zones, domains: Sequence[Domain], logins: Sequence[str]) -> None:
    """Give people's websites their names, LOGIN.DOMAIN, where a domain has nothing else of that name."""
    for domain in domains:
        zone = zones.zone_at(domain.name)
        assert zone is not None
        for login in logins:
            with contextlib.suppress(ZoneError):  # a login may be longer than a label
                name = parse_name(f"{login}.{domain.name}")
                for kind in ADDRESSES if not zone.types(name) else ():
                    if shared := zone.get(zone.origin, kind):
                        zone.put(name, shared)


def fill(zone: Zone, domain: Domain, ttl: int) -> None:
    """Add a domain's hosts and records to its zone, which has the addresses of its top already."""
    records = read_records(domain, ttl)
    said = {(name, found.rdtype) for name, found in records}
    for host in domain.hosts:
        name = parse_name(f"{host}.{domain.name}")
        if (name, RdataType.CNAME) not in said and not any((name, kind) in said for kind in ADDRESSES):
            for kind in ADDRESSES:
                if shared := zone.get(zone.origin, kind):
                    zone.put(name, shared)
    for name in {name for name, kind in said if kind in (*ADDRESSES, RdataType.CNAME)}:
        for kind in ADDRESSES:
            if zone.get(name, kind):
                zone.drop(name, kind)
    for name, found in records:
        try:
            values = [rdata.to_text(zone.origin, relativize=False) for rdata in found]
            zone.put(name, parse_set(RdataType.to_text(found.rdtype), values, found.ttl))
        except ZoneError as error:
            raise WorldError(domain.source, domain.line, f"the records of {domain.name}", str(error),
                             "records that can stand together") from None


def read_records(domain: Domain, ttl: int) -> list[tuple[Name, Rdataset]]:
    """The record sets of a domain's master-file lines. A line may leave out its TTL and class."""
    if not domain.records.strip():
        return []
    top = parse_name(domain.name)
    try:
        parsed = parse(domain, domain.records, ttl)
    except (dns.exception.DNSException, ValueError, RecursionError) as error:
        place = re.match(r":(\d+): (.*)", str(error), re.DOTALL)
        line = domain.line + (faulty_line(domain, int(place[1]) - HEAD_LINES, ttl) if place else 0)
        raise WorldError(domain.source, line, f"the records of {domain.name}",
                         f"something that is no record ({place[2] if place else error})",
                         "records as zone files write them (RFC 1035 §5), such as `intranet A 127.0.0.1`") from None
    records = [(name, found) for name, found in parsed.iterate_rdatasets() if len(found)]
    for name, _ in records:
        if not name.is_subdomain(top):
            raise WorldError(domain.source, domain.line, f"the records of {domain.name}",
                             f"a record for {literal(str(name))}", f"names in {domain.name}",
                             "Give that name a [[domain]] of its own.")
    return records


def parse(domain: Domain, text: str, ttl: int) -> dns.zone.Zone:
    """Raises DNSException, ValueError, RecursionError."""
    import dns.zone  # only for worlds with records of their own: it costs milliseconds
    # A whole zone file has an SOA, which dnspython wants at its origin. Otherwise the root is taken for one, since
    # dnspython passes over lines about names outside the origin in silence.
    whole = re.search(r"\bSOA\b", domain.records, re.IGNORECASE)
    return dns.zone.from_text(f"$ORIGIN {domain.name}.\n$TTL {ttl}\n{text}", f"{domain.name}." if whole else ".",
                              relativize=False, filename="", check_origin=False)


def faulty_line(domain: Domain, reported: int, ttl: int) -> int:
    """The line at fault, where dnspython names that one or, having read its end, the one after it."""
    lines = domain.records.split("\n")
    try:
        parse(domain, "\n".join(lines[:reported - 1]), ttl)
    except (dns.exception.DNSException, ValueError, RecursionError):
        return max(1, reported - 1)
    return reported
