"""Names changed over the wire (RFC 2136), by whoever signs with a key that is ours too (RFC 8945)."""

from __future__ import annotations

import time

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.tsig
import dns.update
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.config import Config, Dns
from sandbox.errors import UserError
from sandbox.protocols.dns.responder import UDP, Reply
from sandbox.protocols.dns.updates import Updating, keys_of
from sandbox.world.names.zones import Zones
from tests.support.names import CLIENT, make_zones

SECRET = "c2VjcmV0IG9mIHRoZSB0ZXN0cyBhbG9uZSwgMzIgb2N0ZXRz"
SETTINGS = Dns(keys={"writer": SECRET})
KEY = dns.tsig.Key("writer", SECRET, dns.tsig.HMAC_SHA256)
ORIGIN = "example.com."


@pytest.fixture
def zones() -> Zones:
    return make_zones()


def send(zones: Zones, update: dns.update.UpdateMessage | bytes) -> Reply:
    wire = update if isinstance(update, bytes) else update.to_wire()
    return Updating(zones, SETTINGS, keys_of(SETTINGS)).respond(wire, UDP, CLIENT)


def signed(key: dns.tsig.Key = KEY, zone: str = ORIGIN) -> dns.update.UpdateMessage:
    return dns.update.UpdateMessage(zone, keyring=key)


def outcome(reply: Reply) -> str:
    assert reply.data is not None
    assert dns.message.from_wire(reply.data, keyring=False).id is not None
    return reply.about.outcome


def values(zones: Zones, owner: str, kind: str) -> set[str]:
    name = dns.name.from_text(owner)
    zone = zones.zone_for(name)
    assert zone is not None
    found = zone.get(name, dns.rdatatype.from_text(kind))
    return {data.to_text() for data in found} if found else set()


def test_records_are_added_replaced_and_deleted_and_the_serial_rises(zones: Zones) -> None:
    """RFC 2136 §3.4.2; the answer is signed (RFC 8945 §5.3)."""
    zone = zones.zone_at(ORIGIN)
    assert zone is not None
    before = zone.serial
    update = signed()
    update.add("new", 300, "A", "192.0.2.77")
    update.add("new", 300, "A", "192.0.2.78")
    update.replace("mail", 300, "A", "192.0.2.79")
    update.delete("quoted")
    update.delete("here.wild", "TXT", '"listed"')
    reply = send(zones, update)
    assert (reply.about.verb, reply.about.asked, reply.about.outcome) == ("UPDATE", "example.com", "NOERROR")
    assert reply.about.key == "situation.updated"
    assert reply.about.facts == {"tsig": "writer"}
    assert not reply.keep
    assert reply.data is not None
    answer = dns.message.from_wire(reply.data, keyring=KEY, request_mac=update.mac)
    assert answer.had_tsig
    assert values(zones, "new.example.com", "A") == {"192.0.2.77", "192.0.2.78"}
    assert values(zones, "mail.example.com", "A") == {"192.0.2.79"}
    assert values(zones, "quoted.example.com", "TXT") == set()
    assert values(zones, "here.wild.example.com", "TXT") == set()
    assert zone.serial > before


def test_the_top_keeps_what_a_zone_needs(zones: Zones) -> None:
    """§3.4.2.3, §3.4.2.4, and a CNAME beside other records is passed over (§3.4.2.2)."""
    update = signed()
    update.delete("@")
    update.delete("@", "NS")
    update.add("mail", 300, "CNAME", "elsewhere")
    update.add("made", 300, "CNAME", "mail")
    update.add("made", 300, "A", "192.0.2.9")
    assert outcome(send(zones, update)) == "NOERROR"
    assert len(values(zones, ORIGIN, "SOA")) == 1
    assert values(zones, ORIGIN, "NS") == {"ns1.example.com."}
    assert values(zones, ORIGIN, "MX") == set()
    assert values(zones, "mail.example.com", "CNAME") == set()
    assert values(zones, "made.example.com", "A") == set()


@pytest.mark.parametrize(("require", "rcode"), [
    (lambda update: update.present("nobody"), "NXDOMAIN"), (lambda update: update.present("mail", "MX"), "NXRRSET"),
    (lambda update: update.absent("mail"), "YXDOMAIN"), (lambda update: update.absent("mail", "A"), "YXRRSET"),
    (lambda update: update.present("mail", "A", "192.0.2.99"), "NXRRSET"),
    (lambda update: update.present("x.example.org."), "NOTZONE"),
    (lambda update: update.present("mail", "A", "127.0.0.1"), "NOERROR"),
    (lambda update: update.absent("nobody"), "NOERROR"),
])
def test_what_has_to_hold_first(zones: Zones, require: object, rcode: str) -> None:
    """§3.2."""
    update = signed()
    require(update)  # type: ignore[operator]
    update.add("new", 300, "A", "192.0.2.77")
    assert outcome(send(zones, update)) == rcode
    assert bool(values(zones, "new.example.com", "A")) == (rcode == "NOERROR")


def test_an_update_is_done_whole_or_not_at_all(zones: Zones) -> None:
    update = signed()
    update.add("new", 300, "A", "192.0.2.77")
    update.add("x.example.org.", 300, "A", "192.0.2.77")
    assert outcome(send(zones, update)) == "NOTZONE"
    assert values(zones, "new.example.com", "A") == set()


def test_only_zones_of_ours(zones: Zones) -> None:
    for zone in ("mail.example.com.", "invalid."):
        update = signed(zone=zone)
        update.add("new", 300, "A", "192.0.2.77")
        assert outcome(send(zones, update)) == "NOTAUTH"


def test_who_does_not_sign_or_signs_wrongly_changes_nothing(zones: Zones) -> None:
    """RFC 2136 §3.3; RFC 8945 §5.2: BADKEY, BADSIG, BADTIME."""
    other = dns.tsig.Key("writer", "AAAA", dns.tsig.HMAC_SHA256)
    stranger = dns.tsig.Key("stranger", SECRET, dns.tsig.HMAC_SHA256)
    for update, said, key, error in (
            (dns.update.UpdateMessage(ORIGIN), "REFUSED", "situation.unsigned", 0),
            (signed(other), "NOTAUTH", "situation.bad-signature", 16),
            (signed(stranger), "NOTAUTH", "situation.unknown-key", 17)):
        update.add("new", 300, "A", "192.0.2.77")
        reply = send(zones, update)
        assert (reply.about.outcome, reply.about.key) == (said, key)
        assert reply.data is not None
        answer = dns.message.from_wire(reply.data, keyring=False)
        assert (answer.tsig[0].error if answer.tsig else 0) == error
    assert values(zones, "new.example.com", "A") == set()


def test_clocks_may_not_differ_much(zones: Zones, monkeypatch: pytest.MonkeyPatch) -> None:
    update = signed()
    update.add("new", 300, "A", "192.0.2.77")
    wire = update.to_wire()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 1000)
    reply = send(zones, wire)
    assert reply.about.key == "situation.bad-signature"
    assert reply.data is not None
    answer = dns.message.from_wire(reply.data, keyring=False)
    assert answer.tsig is not None
    assert answer.tsig[0].error == 18


def test_a_secret_that_is_none_is_said() -> None:
    with pytest.raises(UserError, match=r"dns\.keys\.writer"):
        keys_of(Dns(keys={"writer": "not base64"}))


ZONES = make_zones()


@given(st.binary(max_size=200))
def test_nothing_that_is_sent_raises(rest: bytes) -> None:
    send(ZONES, b"\0\1\x28\0\0\1\0\0\0\1\0\1" + rest)


def test_the_default_gives_nobody_the_right() -> None:
    assert Config().dns.keys == {}


