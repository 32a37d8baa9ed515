"""The built-in zones agree with the world and with the services that run."""

from __future__ import annotations

import dns.name
import dns.rdatatype
import pytest

from sandbox.address import Address
from sandbox.world.names.builtin_zones import announce, build_zones
from sandbox.world.names.zones import Kind, Zones

ADDRESSES = ["127.0.0.1", "::1", "192.0.2.7"]


def build(**roles: int) -> Zones:
    endpoints = {role: Address("127.0.0.1", port) for role, port in roles.items()}
    return build_zones(["example.com", "sandbox.test"], ["www", "mail", "ftp", "secure"], ADDRESSES, endpoints,
                       serial=1)


def values(zones: Zones, owner: str, rdtype: str) -> list[str]:
    known = zones.lookup(dns.name.from_text(owner), dns.rdatatype.from_text(rdtype))
    assert known is not None
    return sorted(str(item) for found in known[1].records for item in found) if known[1].kind is Kind.ANSWER else []


@pytest.mark.parametrize("owner", ["example.com", "www.example.com", "ns1.example.com", "mail.sandbox.test",
                                   "any.other.name", "wpad", "x.wildcard.sandbox.test"])
def test_names_lead_to_every_address(owner: str) -> None:
    zones = build()
    assert values(zones, owner, "A") == ["127.0.0.1", "192.0.2.7"]
    assert values(zones, owner, "AAAA") == ["::1"]


def test_addresses_lead_back_to_a_name_that_leads_to_them() -> None:
    zones = build()
    for owner in ("1.0.0.127.in-addr.arpa", "7.2.0.192.in-addr.arpa", "1." + "0." * 31 + "ip6.arpa"):
        assert values(zones, owner, "PTR") == ["sandbox.test."]
    assert set(values(zones, "sandbox.test", "A")) == {"127.0.0.1", "192.0.2.7"}


def test_without_services_nothing_is_promised() -> None:
    """RFC 7505, RFC 6186 §3.4."""
    zones = build()
    assert values(zones, "example.com", "MX") == ["0 ."]
    assert values(zones, "example.com", "TXT") == ['"v=spf1 -all"']
    assert values(zones, "_imaps._tcp.example.com", "SRV") == ["0 0 0 ."]
    assert values(zones, "_http._tcp.example.com", "SRV") == []
    assert values(zones, "secure.example.com", "HTTPS") == []


def test_services_are_announced_with_their_ports() -> None:
    zones = build(smtp=8025, submission=8587, imaps=993, http=8080, https=8443)
    assert values(zones, "example.com", "MX") == ["10 mail.example.com."]
    assert values(zones, "example.com", "TXT") == ['"v=spf1 ip4:127.0.0.1 ip6:::1 ip4:192.0.2.7 -all"']
    assert values(zones, "_submission._tcp.example.com", "SRV") == ["0 1 8587 mail.example.com."]
    assert values(zones, "_imaps._tcp.example.com", "SRV") == ["0 1 993 mail.example.com."]
    assert values(zones, "_imap._tcp.example.com", "SRV") == ["0 0 0 ."]
    assert values(zones, "_http._tcp.example.com", "SRV") == ["0 1 8080 www.example.com."]
    assert values(zones, "secure.example.com", "HTTPS") == ['1 . alpn="h2" port="8443"']
    assert values(build(https=443), "secure.example.com", "HTTPS") == ['1 . alpn="h2"']
    assert values(zones, "www.example.com", "HTTPS") == [], "a browser that finds one never shows plain HTTP"


def test_announcing_again_follows_the_services() -> None:
    zones = build(smtp=8025, https=8443)
    zones.replace("sandbox.test", "MX", ["1 own.sandbox.test."])
    announce(zones, ["example.com", "sandbox.test"], {}, ADDRESSES)
    assert values(zones, "example.com", "MX") == ["0 ."]
    assert values(zones, "secure.example.com", "HTTPS") == []
    assert values(zones, "sandbox.test", "MX") == ["1 own.sandbox.test."]


def test_announcing_the_same_changes_nothing() -> None:
    zones = build(http=8080)
    version = zones.version
    announce(zones, ["example.com", "sandbox.test"], {"http": Address("127.0.0.1", 8080)}, ADDRESSES)
    assert zones.version == version


def test_a_record_for_one_outside_name_leaves_its_neighbours() -> None:
    zones = build()
    zones.add("one.dev", "A", "192.0.2.99")
    zones.add("deep.below.dev", "TXT", '"x"')
    assert values(zones, "one.dev", "A") == ["192.0.2.99"]
    assert values(zones, "one.dev", "AAAA") == []
    for owner in ("two.dev", "dev", "x.one.dev", "below.dev"):
        assert values(zones, owner, "A") == ["127.0.0.1", "192.0.2.7"], owner


def test_unspecified_addresses_are_no_places_to_go() -> None:
    zones = build_zones(["example.com"], ["www"], ["0.0.0.0", "::", "127.0.0.1"], {})
    assert values(zones, "www.example.com", "A") == ["127.0.0.1"]
    assert values(zones, "www.example.com", "AAAA") == []


def test_only_our_authority_may_issue() -> None:
    assert '0 issue "sandbox.test"' in values(build(), "example.com", "CAA")
    assert values(build(), "_dmarc.example.com", "TXT") == [
        '"v=DMARC1; p=reject; rua=mailto:postmaster@example.com"']
