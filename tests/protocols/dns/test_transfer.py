"""Zone transfer: AXFR (RFC 5936), and IXFR answered with it (RFC 1995)."""

from __future__ import annotations

import dns.message
import dns.rcode
import dns.rrset
import pytest

from sandbox.address import Address
from sandbox.config import Dns
from sandbox.protocols.dns.responder import Reply
from sandbox.protocols.dns.transfer import is_newer
from tests.support.names import TCP, UDP, make_responder, make_zones, query, records, respond


def messages(reply: Reply) -> list[dns.message.Message]:
    assert reply.data is not None
    return [dns.message.from_wire(data, one_rr_per_rrset=True) for data in (reply.data, *reply.more)]


def ixfr(serial: int) -> dns.message.Message:
    message = query("zone.test", "IXFR")
    message.authority.append(dns.rrset.from_text("zone.test.", 0, "IN", "SOA", f"a. b. {serial} 0 0 0 0"))
    return message


def test_a_zone_comes_whole_between_two_soas() -> None:
    """§2.2: the same SOA first and last; AA; every record once, glue and empty non-terminals' children too."""
    zones = make_zones()
    reply = respond(query("zone.test", "AXFR"), TCP, responder=make_responder(zones))
    found = [rrset for message in messages(reply) for rrset in message.answer]
    assert found[0].to_text() == found[-1].to_text()
    assert found[0].rdtype == found[-1].rdtype == dns.rdatatype.SOA
    zone = zones.zone_at("zone.test")
    assert zone is not None
    assert records(found[1:]) == sorted(
        f"{owner} {dns.rdatatype.to_text(item.rdtype)} {item}" for owner, kept in zone.records() for item in kept)
    assert reply.about.answered == f"{len(found)} records"


def test_a_large_zone_takes_several_messages() -> None:
    """§2.2.1: each with the id and the question, none too long; EDNS in each when asked with it (§2.2.5)."""
    zones = make_zones()
    for number in range(1500):
        zones.add(f"host{number}.zone.test", "TXT", f'"number {number} with some text"')
    asked = query("zone.test", "AXFR", use_edns=0)
    found = messages(respond(asked, TCP, responder=make_responder(zones)))
    assert len(found) > 3
    assert all(message.id == asked.id and message.edns == 0 for message in found)
    assert all(len(message.to_wire()) <= 16_384 for message in found)
    assert sum(len(message.answer) for message in found) > 1500


def test_a_transfer_is_a_snapshot() -> None:
    """§2.2: one version of the zone, whatever changes while it is sent."""
    zones = make_zones()
    for number in range(1500):
        zones.add(f"host{number}.zone.test", "TXT", f'"number {number} with some text"')
    reply = respond(query("zone.test", "AXFR"), TCP, responder=make_responder(zones))
    zones.remove("host1499.zone.test")
    zones.add("later.zone.test", "A", "192.0.2.99")
    found = [rrset for message in messages(reply) for rrset in message.answer]
    assert found[0].to_text() == found[-1].to_text()
    names = {str(rrset.name) for rrset in found}
    assert "host1499.zone.test." in names
    assert "later.zone.test." not in names


def test_a_record_set_larger_than_a_message_has_its_own() -> None:
    zones = make_zones()
    zones.replace("huge.zone.test", "TXT", [f'"{number:05} {"x" * 200}"' for number in range(200)])
    found = messages(respond(query("zone.test", "AXFR"), TCP, responder=make_responder(zones)))
    assert sum(len(message.answer) for message in found) > 200


@pytest.mark.parametrize(("setting", "host", "allowed"), [
    ("loopback", "127.0.0.1", True), ("loopback", "127.9.9.9", True), ("loopback", "::1", True),
    ("loopback", "::ffff:127.0.0.1", True), ("loopback", "192.0.2.1", False), ("loopback", "2001:db8::1", False),
    ("anyone", "192.0.2.1", True), ("nobody", "127.0.0.1", False)])
def test_who_may_transfer(setting: str, host: str, allowed: bool) -> None:
    """§5."""
    responder = make_responder(settings=Dns(transfer=setting))  # type: ignore[arg-type]
    reply = respond(query("zone.test", "AXFR"), TCP, responder=responder, client=Address(host, 1))
    assert (reply.about.outcome == "NOERROR") is allowed
    assert reply.about.outcome in ("NOERROR", "REFUSED")


def test_only_a_zone_can_be_transferred() -> None:
    """§2.2.1: NOTAUTH."""
    reply = respond(query("mail.zone.test", "AXFR"), TCP)
    assert (reply.about.outcome, reply.about.key) == ("NOTAUTH", "situation.no-zone")


def test_not_over_udp() -> None:
    """§4.2."""
    reply = respond(query("zone.test", "AXFR"), UDP)
    assert (reply.about.outcome, reply.about.key) == ("FORMERR", "situation.transfer-udp")


@pytest.mark.parametrize(("serial", "transport", "count"), [(7, TCP, 1), (8, TCP, 1), (6, UDP, 1), (6, TCP, 20)])
def test_ixfr(serial: int, transport: object, count: int) -> None:
    """RFC 1995 §2, §4: the SOA alone for the current serial and over UDP, else the whole zone."""
    reply = respond(ixfr(serial), TCP if transport is TCP else UDP)
    found = [rrset for message in messages(reply) for rrset in message.answer]
    assert len(found) >= count if count > 1 else len(found) == 1


def test_ixfr_without_a_serial_is_a_format_error() -> None:
    assert respond(query("zone.test", "IXFR"), TCP).about.outcome == "FORMERR"


@pytest.mark.parametrize(("serial", "than", "newer"), [
    (2, 1, True), (1, 2, False), (1, 1, False), (0, 2 ** 32 - 1, True), (2 ** 31 + 5, 4, False)])
def test_serials_wrap_around(serial: int, than: int, newer: bool) -> None:
    """RFC 1982 §3.2."""
    assert is_newer(serial, than) is newer
