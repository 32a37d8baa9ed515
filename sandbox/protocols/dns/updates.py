"""Changes of the zones over the wire (RFC 2136), for those who sign them with a key we share (TSIG, RFC 8945).

dnspython reads the message, and does the cryptography. What an update may do is decided here: first what has to hold
(§3.2), then whether all of it can be done (§3.4.1), then it is done (§3.4.2), whole or not at all.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Mapping

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update
from dns.rcode import Rcode
from dns.rdataclass import ANY, IN, NONE
from dns.rdatatype import RdataType
from dns.rrset import RRset

from sandbox.address import Address
from sandbox.config import Dns
from sandbox.errors import UserError
from sandbox.protocols.contract.conversation import Description
from sandbox.protocols.dns import grammar
from sandbox.protocols.dns.grammar import Transport
from sandbox.protocols.dns.responder import Reply, Responder
from sandbox.world.names.zones import Absent, Zone, ZoneError, Zones

__all__ = ["Updating", "keys_of"]

Keys = Mapping[dns.name.Name, dns.tsig.Key]

UPDATE = 5
FUDGE = 300
"""Seconds that clocks may differ (RFC 8945 §5.2.3)."""
BADSIG, BADKEY, BADTIME = 16, 17, 18
MOST = 1_000
"""Record sets of one update."""
KEPT = (RdataType.SOA, RdataType.NS)
"""What the top of a zone cannot be without (RFC 2136 §3.4.2.3)."""


class Failed(Exception):
    """The update is not done. rcode: why; key: of the knowledge."""

    def __init__(self, rcode: Rcode, key: str = "") -> None:
        super().__init__(rcode)
        self.rcode = rcode
        self.key = key


def keys_of(settings: Dns) -> Keys:
    """The keys of the configuration. Raises UserError for a secret that is none."""
    found = {}
    for name, secret in settings.keys.items():
        try:
            base64.b64decode(secret, validate=True)
            key = dns.tsig.Key(name, secret, dns.tsig.HMAC_SHA256)
        except (binascii.Error, ValueError, dns.exception.DNSException):
            raise UserError(f"dns.keys.{name} is not a name with a secret in base64; `openssl rand -base64 32` makes "
                            "one") from None
        found[key.name] = key
    return found


class Updating(Responder):
    """A responder that takes updates too. keys: who may send them."""

    def __init__(self, zones: Zones, settings: Dns, keys: Keys) -> None:
        super().__init__(zones, settings)
        self._all = zones
        self._keys = keys

    def respond(self, wire: bytes, transport: Transport, client: Address) -> Reply:
        header = grammar.read_header(wire)
        if header is None or header.flags & grammar.QR or header.opcode != UPDATE:
            return super().respond(wire, transport, client)
        try:
            message = dns.message.from_wire(wire, keyring=False)  # to know whose it is, before it is believed
        except (dns.exception.DNSException, ValueError, RecursionError) as error:
            return self._bare(header, Rcode.FORMERR, "UPDATE", "situation.malformed", str(error)[:200])
        if not isinstance(message, dns.update.UpdateMessage) or message.tsig is None:
            return self._bare(header, Rcode.REFUSED, "UPDATE", "situation.unsigned")
        name = message.tsig.name
        facts = {"tsig": grammar.name_text(name)}
        try:
            believed = dns.message.from_wire(wire, keyring=dict(self._keys))
        except dns.message.UnknownTSIGKey:
            return not_believed(wire, message, BADKEY, "situation.unknown-key", facts)
        except dns.tsig.BadTime:
            return not_believed(wire, message, BADTIME, "situation.bad-signature", facts)
        except (dns.exception.DNSException, ValueError):
            return not_believed(wire, message, BADSIG, "situation.bad-signature", facts)
        assert isinstance(believed, dns.update.UpdateMessage)
        return self._done(believed, facts)

    def _done(self, message: dns.update.UpdateMessage, facts: dict[str, str]) -> Reply:
        response = dns.message.make_response(message)
        origin, changes, key = "", 0, "situation.updated"
        try:
            zone = self._zone_of(message)
            origin = grammar.name_text(zone.origin)
            required(zone, message.prerequisite)
            checked(zone, message.update)
            changes = self._change(zone, message.update)
        except Failed as failed:
            response.set_rcode(dns.rcode.Rcode(int(failed.rcode)))
            key = failed.key
        rcode = dns.rcode.to_text(response.rcode())
        said = f"{changes} change{'' if changes == 1 else 's'}" if key == "situation.updated" else ""
        return Reply(response.to_wire(), Description("UPDATE", origin, rcode, said, key, facts))

    def _zone_of(self, message: dns.update.UpdateMessage) -> Zone:
        """§3.1: one zone, and one of ours."""
        if len(message.zone) != 1 or message.zone[0].rdtype != RdataType.SOA or message.zone[0].rdclass != IN:
            raise Failed(Rcode.FORMERR, "situation.malformed")
        zone = self._all.zone_at(message.zone[0].name)
        if zone is None or isinstance(zone, Absent):
            raise Failed(Rcode.NOTAUTH, "situation.no-zone")
        return zone

    def _change(self, zone: Zone, update: list[RRset]) -> int:
        """§3.4.2. Gives how many records were said. Raises Failed, then nothing has changed."""
        before = zone.copied()
        try:
            return sum(self._one(zone, found) for found in update)
        except ZoneError:
            self._all.install(before)
            raise Failed(Rcode.REFUSED, "situation.refused") from None

    def _one(self, zone: Zone, found: RRset) -> int:
        owner, kind = str(found.name), dns.rdatatype.to_text(found.rdtype)
        top = found.name == zone.origin
        if found.deleting == ANY:
            kinds = zone.types(found.name) if found.rdtype == RdataType.ANY else [found.rdtype]
            return sum(self._all.remove(owner, dns.rdatatype.to_text(one)) for one in kinds
                       if not (top and one in KEPT))
        values = [data.to_text() for data in found]
        if found.deleting == NONE:
            if found.rdtype == RdataType.SOA:
                return 0
            there = zone.get(found.name, found.rdtype)
            if top and found.rdtype == RdataType.NS and there is not None and len(there) <= len(values):
                return 0
            return sum(self._all.remove(owner, kind, value) for value in values)
        others = [one for one in zone.types(found.name) if one != found.rdtype]
        if (found.rdtype == RdataType.CNAME and others) or RdataType.CNAME in others:
            return 0  # §3.4.2.2: passed over
        if found.rdtype == RdataType.SOA:
            if not top or found[0].serial <= zone.serial:
                return 0
            self._all.replace(owner, kind, values, found.ttl)
        elif dns.rdatatype.is_singleton(found.rdtype):
            self._all.replace(owner, kind, values[-1:], found.ttl)
        else:
            for value in values:
                self._all.add(owner, kind, value, found.ttl)
        return len(values)


def required(zone: Zone, prerequisites: list[RRset]) -> None:
    """What the client says that has to hold (§3.2). Raises Failed."""
    wanted: dict[tuple[dns.name.Name, RdataType], set[str]] = {}
    for found in prerequisites:
        if not found.name.is_subdomain(zone.origin):
            raise Failed(Rcode.NOTZONE, "situation.prerequisite")
        there, types = zone.get(found.name, found.rdtype), zone.types(found.name)
        if found.deleting == ANY:
            if found.rdtype == RdataType.ANY and not types:
                raise Failed(Rcode.NXDOMAIN, "situation.prerequisite")
            if found.rdtype != RdataType.ANY and there is None:
                raise Failed(Rcode.NXRRSET, "situation.prerequisite")
        elif found.deleting == NONE:
            if found.rdtype == RdataType.ANY and types:
                raise Failed(Rcode.YXDOMAIN, "situation.prerequisite")
            if found.rdtype != RdataType.ANY and there is not None:
                raise Failed(Rcode.YXRRSET, "situation.prerequisite")
        else:
            wanted.setdefault((found.name, found.rdtype), set()).update(data.to_text() for data in found)
    for (name, kind), values in wanted.items():
        there = zone.get(name, kind)
        if there is None or {data.to_text() for data in there} != values:
            raise Failed(Rcode.NXRRSET, "situation.prerequisite")


def checked(zone: Zone, update: list[RRset]) -> None:
    """Whether all of it can be done (§3.4.1). Raises Failed."""
    if len(update) > MOST:
        raise Failed(Rcode.REFUSED, "situation.refused")
    for found in update:
        if not found.name.is_subdomain(zone.origin):
            raise Failed(Rcode.NOTZONE, "situation.no-zone")
        meta = dns.rdatatype.is_metatype(found.rdtype)
        if meta and not (found.rdtype == RdataType.ANY and found.deleting == ANY):
            raise Failed(Rcode.FORMERR, "situation.malformed")


def not_believed(wire: bytes, message: dns.message.Message, error: int, key: str, facts: dict[str, str]) -> Reply:
    """RFC 8945 §5.2: NOTAUTH, with what is wrong with the signature in a TSIG record that is not signed."""
    assert message.tsig is not None
    signed = message.tsig[0]
    rdata = grammar.wire_name(signed.algorithm) + struct.pack("!HIHHHHH", 0, 0, FUDGE, 0, message.id, error, 0)
    record = (grammar.wire_name(message.tsig.name)
              + struct.pack("!HHIH", grammar.TSIG, int(ANY), 0, len(rdata)) + rdata)
    flags = grammar.QR | UPDATE << 11 | int(Rcode.NOTAUTH)
    data = wire[:2] + struct.pack("!HHHHH", flags, 0, 0, 0, 1) + record
    return Reply(data, Description("UPDATE", "", "NOTAUTH", "", key, facts))
