"""The tree of names as its keepers have it."""

from __future__ import annotations

import dns.name
import pytest
from dns.rdatatype import RdataType

from sandbox.address import Address
from sandbox.world.names.domains import Domain
from sandbox.world.names.hierarchy import view
from sandbox.world.names.naming import build_zones
from sandbox.world.names.servers import LEVELS, servers_of
from sandbox.world.names.zones import Kind, Zones

DOMAINS = (Domain("example.com"), Domain("sandbox.test"), Domain("intranet"), Domain("shop.example.co.uk"),
           Domain("own.example", hosts=("www", "ns1"), records="@ NS dns.own.example.\ndns A 192.0.2.7\n"
                                                              "ns1 A 192.0.2.8"))


def make(port: int = 8053, unknown: str = "sandbox") -> Zones:
    endpoints = {level: Address(f"127.53.0.{number}", port) for number, level in enumerate(LEVELS, start=1)}
    return build_zones(DOMAINS, ["127.0.0.1", "::1"], endpoints, unknown, 60)


def told(zones: Zones, level: str, name: str, rdtype: str = "A") -> list[str]:
    """What a server says: the kind, the owner, the records."""
    known = view(level, zones).lookup(dns.name.from_text(name), RdataType.from_text(rdtype))
    if known is None:
        return ["refused"]
    zone, found = known
    source = found.source.to_text() if found.source and found.kind is Kind.REFERRAL else zone.origin.to_text()
    return [found.kind.value, source, *(str(item) for records in found.records for item in records)]


@pytest.mark.parametrize(("level", "name", "rdtype", "expected"), [
    ("dns-root", ".", "NS", ["answer", ".", "127.53.0.1."]),
    ("dns-root", ".", "A", ["nodata", "."]),
    ("dns-root", "www.example.com", "A", ["referral", "com.", "127.53.0.2."]),
    ("dns-root", "com", "NS", ["referral", "com.", "127.53.0.2."]),
    ("dns-root", "com", "DS", ["nodata", "."]),
    ("dns-root", "1.0.0.127.in-addr.arpa", "PTR", ["referral", "arpa.", "127.53.0.2."]),
    ("dns-root", "www.search-engine.dev", "A", ["referral", "dev.", "127.53.0.2."]),
    ("dns-root", "host.intranet", "A", ["referral", "intranet.", "127.53.0.3."]),
    ("dns-root", "x.localhost", "A", ["referral", "localhost.", "127.53.0.3."]),
    ("dns-root", "x.invalid", "A", ["nxdomain", "."]),
    ("dns-tld", "www.example.com", "A", ["referral", "example.com.", "127.53.0.3."]),
    ("dns-tld", "example.com", "NS", ["referral", "example.com.", "127.53.0.3."]),
    ("dns-tld", "example.com", "DS", ["nodata", "com."]),
    ("dns-tld", "com", "NS", ["answer", "com.", "127.53.0.2."]),
    ("dns-tld", "com", "A", ["nodata", "com."]),
    ("dns-tld", "a.b.shop.example.co.uk", "A", ["referral", "shop.example.co.uk.", "127.53.0.3."]),
    ("dns-tld", "use-application-dns.net", "A", ["nxdomain", "net."]),
    ("dns-tld", "www.search-engine.dev", "A", ["referral", "search-engine.dev.", "127.53.0.3."]),
    ("dns-tld", ".", "NS", ["refused"]),
    ("dns-tld", "host.intranet", "A", ["refused"]),
    ("dns-domains", "www.example.com", "A", ["answer", "example.com.", "127.0.0.1"]),
    ("dns-domains", "ns1.example.com", "A", ["answer", "example.com.", "127.53.0.3"]),
    ("dns-domains", "ns1.example.com", "AAAA", ["nodata", "example.com."]),
    ("dns-domains", "ns1.own.example", "A", ["answer", "own.example.", "192.0.2.8"]),
    ("dns-domains", "nobody.example.com", "A", ["nxdomain", "example.com."]),
    ("dns-domains", "example.com", "DS", ["nodata", "example.com."]),
    ("dns-domains", "x.localhost", "A", ["answer", "localhost.", "127.0.0.1"]),
    ("dns-domains", "www.search-engine.dev", "A", ["answer", "search-engine.dev.", "127.0.0.1"]),
    ("dns-domains", "search-engine.dev", "NS", ["answer", "search-engine.dev.", "127.53.0.3."]),
    ("dns-domains", "search-engine.dev", "MX", ["nodata", "search-engine.dev."]),
    ("dns-domains", "com", "NS", ["refused"]),
    ("dns-domains", "x.invalid", "A", ["refused"]),
])
def test_each_server_knows_its_part(level: str, name: str, rdtype: str, expected: list[str]) -> None:
    assert told(make(), level, name, rdtype) == expected


@pytest.mark.parametrize(("level", "name", "expected"), [
    ("dns-root", "www.search-engine.dev", ["nxdomain", "."]),
    ("dns-root", "www.example.com", ["referral", "com.", "127.53.0.2."]),
    ("dns-tld", "elsewhere.com", ["nxdomain", "com."]),
    ("dns-tld", "example.co.uk", ["nodata", "uk."]),
    ("dns-tld", "other.co.uk", ["nxdomain", "uk."]),
    ("dns-domains", "elsewhere.com", ["refused"]),
])
def test_without_the_catch_all_only_what_is_there_is_delegated(level: str, name: str, expected: list[str]) -> None:
    """A name above a domain exists, though it has nothing (RFC 4592 §2.2.2, RFC 8020)."""
    assert told(make(unknown="nxdomain"), level, name) == expected


def test_a_record_of_nobodys_domain_is_delegated_too() -> None:
    zones = make(unknown="nxdomain")
    zones.add("www.added.dev", "A", "192.0.2.1")
    assert told(zones, "dns-root", "www.added.dev") == ["referral", "dev.", "127.53.0.2."]
    assert told(zones, "dns-tld", "www.added.dev") == ["referral", "added.dev.", "127.53.0.3."]
    assert told(zones, "dns-domains", "www.added.dev") == ["answer", "added.dev.", "192.0.2.1"]
    assert told(zones, "dns-domains", "nobody.added.dev") == ["nxdomain", "added.dev."]


@pytest.mark.parametrize(("level", "name", "expected"), [
    ("dns-root", "www.example.com", ["referral", "com.", "a.gtld-servers.net."]),
    ("dns-tld", "www.example.com", ["referral", "example.com.", "ns1.example.com."]),
    ("dns-tld", "www.own.example", ["referral", "own.example.", "dns.own.example."]),
    ("dns-tld", "www.search-engine.dev", ["referral", "search-engine.dev.", "ns1.sandbox.test."]),
])
def test_on_the_port_of_dns_the_servers_have_names(level: str, name: str, expected: list[str]) -> None:
    zones = make(53)
    assert told(zones, level, name) == expected
    for host, address in (("a.root-servers.net", "127.53.0.1"), ("a.gtld-servers.net", "127.53.0.2"),
                          ("ns1.sandbox.test", "127.53.0.3")):
        found = zones.address(dns.name.from_text(host), RdataType.A)
        assert found is not None
        assert [str(item) for item in found] == [address], "as dig asks, of whoever resolves names"


def test_without_all_three_there_is_no_hierarchy() -> None:
    two = {level: Address("127.53.0.1", 8053) for level in LEVELS[:2]}
    assert servers_of(two, "sandbox.test", 60) is None
    zones = build_zones(DOMAINS, ["127.0.0.1"], two, "sandbox", 60)
    assert view("dns-root", zones) is zones
