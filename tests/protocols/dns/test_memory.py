"""What a resolver remembers, and for how long."""

from __future__ import annotations

import dns.name
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from sandbox.protocols.dns.memory import LONGEST_MISSING, Memory, Missing
from sandbox.world.names.records import parse_set

NAME = dns.name.from_text("www.example.com")
ZONE = dns.name.from_text("example.com")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def missing(rcode: Rcode, ttl: int, minimum: int) -> Missing:
    return Missing(rcode, ZONE, parse_set("SOA", [f"ns1.example.com. h.example.com. 1 2 3 4 {minimum}"], ttl))


def ttl_of(memory: Memory, rdtype: str = "A", name: dns.name.Name = NAME) -> int | None:
    found = memory.find(name, RdataType.from_text(rdtype))
    return None if found is None else found.soa.ttl if isinstance(found, Missing) else found.ttl


def test_the_time_to_live_counts_down() -> None:
    """RFC 2181 §5.4.1, and in any case of the name (RFC 4343)."""
    memory = Memory(clock := Clock())
    memory.learn(NAME, parse_set("A", ["192.0.2.1"], 60))
    assert ttl_of(memory) == 60
    clock.now += 0.5
    assert ttl_of(memory, name=dns.name.from_text("WWW.example.COM")) == 60
    clock.now += 30
    assert ttl_of(memory) == 30
    clock.now += 29.4
    assert ttl_of(memory) == 1
    clock.now += 0.1
    assert ttl_of(memory) is None
    assert len(memory) == 0


def test_without_a_time_to_live_nothing_is_remembered() -> None:
    """RFC 1035 §3.2.1."""
    memory = Memory(Clock())
    memory.learn(NAME, parse_set("A", ["192.0.2.1"], 60))
    memory.learn(NAME, parse_set("A", ["192.0.2.2"], 0))
    assert ttl_of(memory) is None, "what was known before is not true any more"


def test_that_a_name_is_missing_holds_for_every_type() -> None:
    """RFC 2308 §5."""
    memory = Memory(clock := Clock())
    memory.learn_missing(NAME, RdataType.A, missing(Rcode.NXDOMAIN, 300, 20))
    assert ttl_of(memory, "MX") == 20, "the smaller of the SOA's time to live and its last number"
    clock.now += 20
    assert ttl_of(memory, "MX") is None


def test_that_a_type_is_missing_holds_for_that_type() -> None:
    memory = Memory(Clock())
    memory.learn_missing(NAME, RdataType.MX, missing(Rcode.NOERROR, 10, 300))
    assert ttl_of(memory, "MX") == 10
    assert ttl_of(memory, "A") is None


def test_what_is_missing_is_not_missing_for_ever() -> None:
    memory = Memory(Clock())
    memory.learn_missing(NAME, RdataType.A, missing(Rcode.NXDOMAIN, 2 ** 30, 2 ** 30))
    assert ttl_of(memory) == LONGEST_MISSING


def test_it_is_bounded() -> None:
    memory = Memory(Clock(), entries=3)
    for number in range(5):
        memory.learn(dns.name.from_text(f"h{number}.example.com"), parse_set("A", ["192.0.2.1"], 60))
    assert len(memory) == 3
    assert [ttl_of(memory, name=dns.name.from_text(f"h{number}.example.com")) for number in range(5)] == [
        None, None, 60, 60, 60]
