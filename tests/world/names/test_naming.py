"""From a world's domains to its zones, and what is said about records that cannot be."""

from __future__ import annotations

from pathlib import Path

import dns.name
import pytest
from dns.rdatatype import RdataType

from sandbox.address import Address
from sandbox.world import World, WorldError
from sandbox.world.files.layout import Files
from sandbox.world.load import load_beginning
from sandbox.world.names.domains import Domain
from sandbox.world.names.naming import build_zones
from sandbox.world.names.zones import Zones

ENDPOINTS = {"smtp": Address("127.0.0.1", 8025)}


def zones_of(*domains: Domain) -> Zones:
    return build_zones(domains, ["127.0.0.1", "::1"], ENDPOINTS, "nxdomain", 60)


def ask(zones: Zones, name: str, kind: str) -> list[str] | None:
    """The record data under a name; [] for a name without such records; None for no such name."""
    answer = zones.lookup(dns.name.from_text(name), RdataType.from_text(kind))
    assert answer is not None
    _, found = answer
    if found.kind.value == "nxdomain":
        return None
    return sorted(rdata.to_text() for records in found.records for rdata in records)


def test_hosts_lead_to_the_sandbox() -> None:
    zones = zones_of(Domain("shop.test", ("www", "*.dev")))
    for name in ("shop.test", "www.shop.test", "any.dev.shop.test"):
        assert ask(zones, name, "A") == ["127.0.0.1"]
        assert ask(zones, name, "AAAA") == ["::1"]
    assert ask(zones, "nobody.shop.test", "A") is None
    assert ask(zones, "shop.test", "MX") == ["10 mail.shop.test."]


def test_the_worlds_own_records_win() -> None:
    zones = zones_of(Domain("shop.test", ("www", "ftp"), """
@    MX     5 post
@    TXT    "v=spf1 -all"
www  A      10.1.2.3
ftp  CNAME  www
mail AAAA   fd00::1
"""))
    assert ask(zones, "shop.test", "MX") == ["5 post.shop.test."]
    assert ask(zones, "shop.test", "TXT") == ['"v=spf1 -all"']
    assert ask(zones, "www.shop.test", "A") == ["10.1.2.3"]
    assert ask(zones, "www.shop.test", "AAAA") == []
    assert ask(zones, "ftp.shop.test", "A") == ["www.shop.test."]
    assert ask(zones, "mail.shop.test", "A") == []


def test_a_whole_zone_file() -> None:
    zones = zones_of(Domain("shop.test", ("www",), """
$TTL 5m
@ IN SOA ns1 hostmaster ( 2026010100 1h 10m
                          1w 30 )
  IN NS  ns1
ns1 A 127.0.0.1
"""))
    soa = ask(zones, "shop.test", "SOA")
    assert soa is not None
    assert soa[0].startswith("ns1.shop.test. hostmaster.shop.test.")
    assert ask(zones, "www.shop.test", "A") == ["127.0.0.1"]


@pytest.mark.parametrize(("records", "line", "words"), [
    ("a A 1.2.3\nb A 1.2.3.4", 4, "no record"),
    ("a A 1.2.3.4\nb A 1.2.3", 5, "no record"),
    ("a A 1.2.3.4\n\n; note\nb BOGUS x\nc A 1.2.3.4", 7, "BOGUS"),
    ("a MX mail", 4, "no record"),
    ("a TXT (x\nb A 1.1.1.1", 5, "parentheses"),
    ("$INCLUDE /etc/passwd", 4, "not allowed"),
    ("a A 1.1.1.1\na CNAME b", 3, "CNAME"),
    ("@ CNAME www", 3, "CNAME"),
    ("www.other.test. A 1.1.1.1", 3, '"www.other.test."'),
])
def test_records_that_cannot_be(tmp_path: Path, records: str, line: int, words: str) -> None:
    file = tmp_path / "my.toml"
    file.write_text(f'[[domain]]\nname = "a.test"\nrecords = """\n{records}\n"""\n')
    with pytest.raises(WorldError) as caught:
        zones_of(*load_beginning(file, Files(tmp_path)).domains)
    assert (caught.value.file, caught.value.line) == (str(file), line)
    assert words in str(caught.value)


def test_a_fault_in_a_zone_file_is_placed_there(tmp_path: Path) -> None:
    (tmp_path / "a.zone").write_text("x A 1.1.1.1\ny A oops\n")
    file = tmp_path / "my.toml"
    file.write_text('[[domain]]\nname = "a.test"\nzone_file = "a.zone"\n')
    with pytest.raises(WorldError) as caught:
        zones_of(*load_beginning(file, Files(tmp_path)).domains)
    assert (caught.value.file, caught.value.line) == (str(tmp_path / "a.zone"), 2)


def test_records_on_the_line_of_their_key(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text('[[domain]]\nname = "a.test"\nrecords = "y A oops"\n')
    with pytest.raises(WorldError) as caught:
        zones_of(*load_beginning(file, Files(tmp_path)).domains)
    assert caught.value.line == 3


def test_a_world_keeps_its_zones(tmp_path: Path) -> None:
    world = World.load(None, tmp_path)
    try:
        zones = world.build_zones(["127.0.0.1"], {"http": Address("127.0.0.1", 8080)}, ttl=7)
        assert world.zones is zones
        for domain in world.domains:
            assert ask(zones, f"_http._tcp.{domain.name}", "SRV") == [f"0 1 8080 www.{domain.name}."]
            for host in domain.hosts:
                assert ask(zones, f"{host}.{domain.name}", "A") == ["127.0.0.1"]
        assert ask(zones, "elsewhere.test", "A") == ["127.0.0.1"]
    finally:
        world.close()
