"""Zones: what they hold, how names are found in them, and how they change."""

from __future__ import annotations

import logging

import dns.name
import dns.rdatatype
import pytest
from dns.rdatatype import RdataType
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.world.names.records import ZoneError
from sandbox.world.names.zones import Kind, Zone, ZoneChange, Zones


def name(text: str) -> dns.name.Name:
    return dns.name.from_text(text)


def zones() -> Zones:
    return Zones([Zone("zone.test.", serial=1), Zone("sub.zone.test.", serial=1), Zone("other.test.", serial=1)])


def values(found: Zones, owner: str, rdtype: str) -> list[str]:
    zone = found.zone_for(name(owner))
    kept = zone.get(name(owner), dns.rdatatype.from_text(rdtype)) if zone else None
    return sorted(str(item) for item in kept or ())


# Finding

def test_the_nearest_zone_answers() -> None:
    found = zones()
    for owner, origin in [("a.zone.test", "zone.test."), ("SUB.zone.TEST", "sub.zone.test."),
                          ("a.b.sub.zone.test", "sub.zone.test."), ("other.test", "other.test.")]:
        zone = found.zone_for(name(owner))
        assert zone is not None
        assert str(zone.origin) == origin
    assert found.zone_for(name("test")) is None
    assert found.lookup(name("elsewhere"), RdataType.A) is None


def test_the_ds_of_a_zone_is_asked_above() -> None:
    known = zones().lookup(name("sub.zone.test"), RdataType.DS)
    assert known is not None
    assert str(known[0].origin) == "zone.test."


# Changing

def test_add_replace_remove() -> None:
    found = zones()
    found.add("www.zone.test", "A", "192.0.2.1")
    found.add("www.zone.test.", "A", "192.0.2.2")
    assert values(found, "www.zone.test", "A") == ["192.0.2.1", "192.0.2.2"]
    found.replace("www.zone.test", "A", ["192.0.2.3", "192.0.2.4"])
    assert values(found, "www.zone.test", "A") == ["192.0.2.3", "192.0.2.4"]
    assert found.remove("www.zone.test", "A", "192.0.2.4") == 1
    assert found.remove("www.zone.test", "A", "192.0.2.4") == 0
    assert values(found, "www.zone.test", "A") == ["192.0.2.3"]
    found.add("www.zone.test", "MX", "5 mail.zone.test.")
    assert found.remove("www.zone.test") == 2
    known = found.lookup(name("www.zone.test"), RdataType.A)
    assert known is not None
    assert known[1].kind is Kind.NXDOMAIN


def test_each_change_raises_serial_and_version() -> None:
    found = zones()
    zone = found.zone_at("zone.test")
    assert zone is not None
    version = found.version
    found.add("a.zone.test", "A", "192.0.2.1")
    assert (zone.serial, found.version) == (2, version + 1)
    found.add("a.zone.test", "A", "192.0.2.1")
    assert (zone.serial, found.version) == (2, version + 1), "nothing changed"
    found.remove("a.zone.test")
    assert (zone.serial, found.version) == (3, version + 2)
    found.replace("zone.test", "SOA", ["ns. host. 4294967295 1 2 3 4"])
    assert zone.serial == 4294967295
    found.add("a.zone.test", "A", "192.0.2.1")
    assert zone.serial == 0


@pytest.mark.parametrize(("owner", "rdtype", "value", "problem"), [
    ("www.zone.test", "A", "not an address", "A 'not an address'"),
    ("www.zone.test", "A", "192.0.2.1 192.0.2.2", "A '192.0.2.1 192.0.2.2'"),
    ("www.zone.test", "NOSUCH", "x", "'NOSUCH' is not a record type"),
    ("www.zone.test", "ANY", "x", "only for questions"),
    ("www.zone.test", "SOA", "a. b. 1 2 3 4 5", "only the top of a zone"),
    ("alias.zone.test", "A", "192.0.2.1", "is a CNAME"),
    ("alias.zone.test", "CNAME", "elsewhere.test.", "there can be only one"),
    ("zone.test", "CNAME", "elsewhere.test.", "has other records"),
    ("nowhere.dev", "A", "192.0.2.1", "in none of the zones"),
    ("a..b", "A", "192.0.2.1", "not a domain name"),
    ("x" * 64 + ".zone.test", "A", "192.0.2.1", "not a domain name"),
])
def test_impossible_records_are_refused(owner: str, rdtype: str, value: str, problem: str) -> None:
    found = zones()
    found.add("alias.zone.test", "CNAME", "www.zone.test.")
    version = found.version
    with pytest.raises(ZoneError, match=problem.replace("(", r"\(")):
        found.add(owner, rdtype, value)
    assert found.version == version


def test_a_zone_keeps_its_soa_and_ns() -> None:
    found = zones()
    for rdtype in ("SOA", "NS"):
        with pytest.raises(ZoneError, match="keeps its SOA and NS"):
            found.remove("zone.test", rdtype)
    assert found.remove("zone.test") == 0


def test_a_set_too_large_for_any_message_is_refused() -> None:
    with pytest.raises(ZoneError, match="more than fit"):
        zones().replace("www.zone.test", "TXT", [f'"{number:05} {"x" * 240}"' for number in range(300)])


def test_observers_hear_of_changes_and_may_fail(caplog: pytest.LogCaptureFixture) -> None:
    found, heard = zones(), list[ZoneChange]()

    def broken(change: ZoneChange) -> None:
        raise RuntimeError("no")

    found.observe(broken)
    found.observe(heard.append)
    with caplog.at_level(logging.ERROR):
        found.add("a.zone.test", "A", "192.0.2.1")
        found.remove("a.zone.test", "A")
        found.install(Zone("new.test."))
        found.uninstall("new.test")
    assert heard == [ZoneChange("add", "a.zone.test.", "A"), ZoneChange("remove", "a.zone.test.", "A"),
                     ZoneChange("zone", "new.test.", ""), ZoneChange("zone", "new.test.", "")]
    assert len(caplog.records) == 1


def test_maintained_records_yield_to_what_somebody_set() -> None:
    found = zones()
    found.maintain("zone.test", "MX", ["10 a.zone.test."])
    found.maintain("zone.test", "MX", ["10 b.zone.test."])
    assert values(found, "zone.test", "MX") == ["10 b.zone.test."]
    found.replace("zone.test", "MX", ["5 mine.zone.test."])
    found.maintain("zone.test", "MX", ["10 c.zone.test."])
    assert values(found, "zone.test", "MX") == ["5 mine.zone.test."]
    found.maintain("zone.test", "TXT", ['"x"'])
    found.maintain("zone.test", "TXT", [])
    assert values(found, "zone.test", "TXT") == []


# Master files

MASTER = """
$ORIGIN zone.test.
$TTL 1h
@   IN SOA ns1 host ( 5 1d 1h 1w 10m )   ; a comment
    IN NS  ns1
ns1    A   192.0.2.1
       AAAA 2001:db8::1
t 30 TXT "one; two" three
$GENERATE 1-3 host$ A 192.0.2.$
odd TYPE65280 \\# 2 abcd
"""


def test_a_master_file_is_read() -> None:
    zone = Zone.from_text(MASTER, "zone.test")
    found = Zones([zone])
    assert zone.serial == 5
    assert values(found, "t.zone.test", "TXT") == ['"one; two" "three"']
    assert values(found, "host2.zone.test", "A") == ["192.0.2.2"]
    kept = zone.get(name("ns1.zone.test"), RdataType.A)
    assert kept is not None
    assert kept.ttl == 3600


@pytest.mark.parametrize(("text", "problem"), [
    ("www A 192.0.2.1", "no SOA"),
    ("@ 60 SOA ns host 1 2 3 4 5\nwww 60 A 192.0.2.1", "no NS"),
    ("@ 60 SOA ns host 1 2 3 4 5\n@ 60 NS ns\nwww 60 A nonsense", "house.zone:3"),
    ("@ 60 SOA ns host 1 2 3 4 5\n@ 60 NS ns\nwww 60 CNAME a\nwww 60 A 192.0.2.1", "CNAME beside other records"),
    ("$INCLUDE /etc/passwd", "house.zone:1"),
])
def test_a_faulty_master_file_is_refused_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(ZoneError, match=problem):
        Zone.from_text(f"$TTL 60\n{text}" if "no SOA" in problem else text, "zone.test", source="house.zone")


# Names that come and go leave nothing behind

OWNERS = ["a.zone.test", "b.a.zone.test", "d.c.b.a.zone.test", "x.zone.test", "*.y.zone.test", "zone.test"]


@given(st.lists(st.tuples(st.sampled_from(OWNERS), st.booleans()), max_size=30))
@settings(max_examples=60)
def test_a_name_exists_while_it_or_one_below_has_records(steps: list[tuple[str, bool]]) -> None:
    found = Zones([Zone("zone.test.", serial=1)])
    there = set[str]()
    for owner, add in steps:
        if add:
            found.add(owner, "TXT", '"x"')
            there.add(owner)
        else:
            found.remove(owner, "TXT")
            there.discard(owner)
    for owner in OWNERS[:-1]:
        known = found.lookup(name(owner), RdataType.TXT)
        assert known is not None
        below = any(other.endswith("." + owner) for other in there)
        wanted = Kind.ANSWER if owner in there else Kind.NODATA if below else Kind.NXDOMAIN
        assert known[1].kind is wanted, owner
