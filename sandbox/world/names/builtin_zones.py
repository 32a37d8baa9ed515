"""The zones a sandbox has before anybody adds any: its own domains, the reverse trees, the names that RFCs set
apart, and the root that answers for the rest of the internet.

What is said about services is what runs: `announce` writes it once the ports are known, and again when they change.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence

import dns.reversename
from dns.rdataset import Rdataset

from sandbox.address import Address
from sandbox.world.names.records import parse_name, parse_set
from sandbox.world.names.zones import Absent, CatchAll, Zone, Zones

__all__ = ["announce", "build_zones", "home_of"]

HTTPS_HOSTS = ("secure",)
"""The hosts with an HTTPS record, where a domain has them. Such a record makes browsers go to https:// even when a
person types http:// (RFC 9460 §9.5), so names that are for looking at plain HTTP have none."""

OWN_HOSTS = ("ns1", "mail", "autoconfig", "autodiscover")
"""What every domain has. The last two are where mail programs look for their settings."""

MAIL_SERVICES = {                              # RFC 6186 §3, RFC 8314 §5.1
    "_submission._tcp": "submission",
    "_submissions._tcp": "submissions",
    "_imap._tcp": "imap",
    "_imaps._tcp": "imaps",
    "_pop3._tcp": "pop3",
    "_pop3s._tcp": "pop3s",
}
OTHER_SERVICES = {                             # service: (role, host)
    "_http._tcp": ("http", "www"),
    "_https._tcp": ("https", "www"),
    "_ftp._tcp": ("ftp", "ftp"),
    "_sftp-ssh._tcp": ("sftp", "ftp"),
    "_autodiscover._tcp": ("https", "autodiscover"),
}

ABSENT = (
    "invalid.",                  # RFC 6761 §6.4: never exists
    "local.",                    # RFC 6762 §22.1: multicast DNS, not ours
    "onion.",                    # RFC 7686 §2: Tor, not DNS
    "alt.",                      # RFC 9476 §3: not DNS
    "resolver.arpa.",            # RFC 9462 §6.4: no encrypted resolver to offer
    "use-application-dns.net.",  # Firefox: absent means "use this network's DNS, not DNS over HTTPS elsewhere"
)

LONG_TEXT = ("This answer is too long for one UDP message, so the server cuts it and sets the TC flag (truncated). "
             "The client then asks again over TCP.")
"""Said several times over at `big`, to show truncation."""


def build_zones(domains: Sequence[str], hosts: Sequence[str], addresses: Sequence[str],
                endpoints: Mapping[str, Address] | None = None, *, ttl: int = 60, capture: bool = True,
                serial: int | None = None) -> Zones:
    """All built-in zones.

    domains: the world's own ("example.com"); hosts: the names each of them has ("www"); addresses: IPv4 and IPv6
    ones that names lead to; endpoints: the running services, where known already (see `announce`); capture: whether
    every other name leads to the sandbox too; serial: of every SOA, by default the time. Raises ZoneError.
    """
    usable = [ipaddress.ip_address(text) for text in addresses]
    usable = [address for address in usable if not address.is_unspecified]
    # A handful of sets, shared by all the names that lead to the sandbox.
    to_us = [parse_set(kind, found, ttl) for kind, version in (("A", 4), ("AAAA", 6))
             if (found := [str(address) for address in usable if address.version == version])]
    home = home_of(domains)
    server = f"ns1.{home}."
    zones = [home_zone(domain, hosts, to_us, ttl, serial) for domain in domains]
    if home in domains:
        _add_lessons(zones[list(domains).index(home)], to_us)
    zones += [_reverse_zone(top, usable, home, server, ttl, serial) for top in ("in-addr.arpa.", "ip6.arpa.")]
    zones += [Absent(origin, server, ttl=ttl, serial=serial) for origin in ABSENT]
    zones += [_localhost(ttl, serial), _ipv4only(server, ttl, serial)]
    root = (CatchAll if capture else Zone)(".", server, ttl=ttl, serial=serial)
    if capture:
        _fill(root, "*.", to_us)
    built = Zones([*zones, root])
    if endpoints is not None:
        announce(built, domains, endpoints, addresses)
    return built


def home_of(domains: Sequence[str]) -> str:
    """The domain whose name server keeps everything that is nobody's."""
    return "sandbox.test" if "sandbox.test" in domains or not domains else domains[0]


def home_zone(domain: str, hosts: Iterable[str], to_us: Sequence[Rdataset], ttl: int,
              serial: int | None = None) -> Zone:
    """The zone of one of the world's domains, without what depends on the running services.

    to_us: the sandbox's addresses as A and AAAA record sets.
    """
    zone = Zone(f"{domain}.", f"ns1.{domain}.", ttl=ttl, serial=serial)
    for owner in (f"{domain}.", *(f"{host}.{domain}." for host in dict.fromkeys((*hosts, *OWN_HOSTS)))):
        _fill(zone, owner, to_us)
    # Only the sandbox's own certificate authority may issue for these names (RFC 8659 §4).
    _put(zone, f"{domain}.", "CAA", ['0 issue "sandbox.test"', f'0 iodef "mailto:hostmaster@{domain}"'])
    _put(zone, f"_dmarc.{domain}.", "TXT", [f'"v=DMARC1; p=reject; rua=mailto:postmaster@{domain}"'])
    return zone


def announce(zones: Zones, domains: Sequence[str], endpoints: Mapping[str, Address],
             addresses: Sequence[str]) -> None:
    """Write MX, SRV, HTTPS and SPF records of `domains` that agree with the running services.

    endpoints: role name to address, of which the port counts. Records somebody set by hand stay. Safe to repeat.
    """
    for domain in domains:
        mail = "smtp" in endpoints
        # RFC 7505: "0 ." says that a domain takes no mail. RFC 7208: and so nobody may send in its name.
        zones.maintain(domain, "MX", [f"10 mail.{domain}."] if mail else ["0 ."])
        senders = [f"ip{ipaddress.ip_address(text).version}:{text}" for text in addresses] if mail else []
        zones.maintain(domain, "TXT", [f'"{" ".join(["v=spf1", *senders, "-all"])}"'])
        for service, role in MAIL_SERVICES.items():
            port = endpoints[role].port if role in endpoints else 0
            # A target of "." says that the service is not offered (RFC 6186 §3.4).
            zones.maintain(f"{service}.{domain}", "SRV", [f"0 1 {port} mail.{domain}." if port else "0 0 0 ."])
        for service, (role, host) in OTHER_SERVICES.items():
            zones.maintain(f"{service}.{domain}", "SRV",
                           [f"0 1 {endpoints[role].port} {host}.{domain}."] if role in endpoints else [])
        for host in HTTPS_HOSTS:
            port = endpoints["https"].port if "https" in endpoints else 0
            owner = f"{host}.{domain}"
            if zones.zone_at(domain) is None or not _exists(zones, owner):
                continue
            value = "1 . alpn=h2" + (f" port={port}" if port != 443 else "")  # and HTTP/1.1, which is the default
            zones.maintain(owner, "HTTPS", [value] if port else [])


def _exists(zones: Zones, owner: str) -> bool:
    name = parse_name(owner)
    zone = zones.zone_for(name)
    return zone is not None and bool(zone.types(name))


def _fill(zone: Zone, owner: str, to_us: Sequence[Rdataset]) -> None:
    name = parse_name(owner)
    for records in to_us:
        zone.put(name, records)


def _put(zone: Zone, owner: str, kind: str, values: Sequence[str]) -> None:
    zone.put(parse_name(owner), parse_set(kind, values, zone.ttl))


def _add_lessons(zone: Zone, to_us: Sequence[Rdataset]) -> None:
    """One name for each thing worth trying with dig."""
    top = zone.origin
    _put(zone, f"alias.{top}", "CNAME", [f"www.{top}"])
    _put(zone, f"dangling.{top}", "CNAME", [f"nowhere.{top}"])
    _put(zone, f"loop.{top}", "CNAME", [f"loop2.{top}"])
    _put(zone, f"loop2.{top}", "CNAME", [f"loop.{top}"])
    _put(zone, f"big.{top}", "TXT", [f'"{number}: {LONG_TEXT}"' for number in range(1, 21)])
    _fill(zone, f"*.wildcard.{top}", to_us)


def _reverse_zone(top: str, addresses: Iterable[ipaddress.IPv4Address | ipaddress.IPv6Address], home: str,
                  server: str, ttl: int, serial: int | None) -> Zone:
    """Names for addresses (RFC 1035 §3.5, RFC 3596 §2.5). Each leads to a name that leads back to it."""
    zone = Zone(top, server, ttl=ttl, serial=serial)
    names = {dns.reversename.from_address(text): "localhost." for text in ("127.0.0.1", "::1")}
    names |= {dns.reversename.from_address(str(address)): f"{home}." for address in addresses}
    for name, target in names.items():
        if name.is_subdomain(zone.origin):
            zone.put(name, parse_set("PTR", [target], ttl))
    return zone


def _localhost(ttl: int, serial: int | None) -> Zone:
    """RFC 6761 §6.3: localhost, and all below it, is always this very machine, and has nothing but addresses."""
    zone = Zone("localhost.", "localhost.", ttl=ttl, serial=serial)
    loopback = [parse_set("A", ["127.0.0.1"], ttl), parse_set("AAAA", ["::1"], ttl)]
    for owner in ("localhost.", "*.localhost."):
        _fill(zone, owner, loopback)
    return zone


def _ipv4only(server: str, ttl: int, serial: int | None) -> Zone:
    """RFC 7050 §8.2: two IPv4 addresses and nothing else, or clients think that there is a NAT64 here."""
    zone = Zone("ipv4only.arpa.", server, ttl=ttl, serial=serial)
    _put(zone, "ipv4only.arpa.", "A", ["192.0.0.170", "192.0.0.171"])
    return zone
