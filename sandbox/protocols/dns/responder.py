"""One message in, one message out: what a name server says to a query, whatever carried it here.

RFC 1034 §4.3.2 is the algorithm, RFC 2308 the negative answers, RFC 6891 and 7873 the extensions, RFC 8482 the short
answer to ANY, and RFC 8906 the manners: every query that has a header gets an answer, also one of a type, class,
opcode, version or option that nobody here has heard of. Only what is no query at all gets silence: fragments, and
responses (answering those would let a forger set two servers talking to each other for ever).

Left out: recursion to the real internet, notify (RFC 1996), which gets NOTIMP, DNSSEC; `updates` takes updates.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable
from typing import NamedTuple

import dns.name
import dns.rdata
import dns.rdataset
from dns.edns import EDECode, OptionType
from dns.name import Name
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdataset import Rdataset
from dns.rdatatype import RdataType

from sandbox.address import Address
from sandbox.config import Dns
from sandbox.protocols.contract.conversation import Description
from sandbox.protocols.dns import grammar
from sandbox.protocols.dns.cookies import BadCookie, Cookies
from sandbox.protocols.dns.grammar import Draft, Header, Malformed, Query, Transport
from sandbox.protocols.dns.transfer import is_newer, transfer
from sandbox.world.names.hierarchy import Names, view
from sandbox.world.names.records import parse_set, record_set
from sandbox.world.names.servers import LEVELS
from sandbox.world.names.zones import Found, Kind, Zone, Zones

__all__ = ["META", "TCP", "UDP", "Reply", "Responder", "summary"]

UDP = Transport("udp", limited=True, stream=False)
TCP = Transport("tcp", limited=False, stream=True)

LONGEST_CHAIN = 16
"""Aliases followed for one question. Real chains have two or three; a loop has no end (RFC 1034 §3.6.2)."""

MOST_ADDITIONAL = 32
"""Names whose addresses are added to one answer."""

SUMMARY = 80
"""Characters of an answer's summary; longer ones say how many records there were."""

KEEPALIVE = 300
"""What RFC 7828 clients are told, in tenths of a second: how long an idle TCP connection is kept."""

IDENTITY = b"sandbox"
"""Who we are to those who ask (RFC 4892, RFC 5001): no version, that only helps attackers."""

CHAOS = {name: dns.rdataset.from_text("CH", "TXT", 0, text) for name, text in (
    ("version.bind.", '"Sandbox, a pretend internet"'), ("version.server.", '"Sandbox, a pretend internet"'),
    ("id.server.", '"sandbox"'), ("hostname.bind.", '"sandbox"'))}

META = range(128, 256)
"""Question types that are requests for something special, not names of records (RFC 6895 §3.1)."""

HOST_FIELDS = {RdataType.NS: "target", RdataType.MX: "exchange", RdataType.SRV: "target",
               RdataType.HTTPS: "target", RdataType.SVCB: "target"}
"""Where records name a host whose addresses the client will want next."""

SHORT_ANY = parse_set("HINFO", ['"RFC8482" ""'], 3600)


PLACES = dict(zip(LEVELS, ("situation.dns-root", "situation.dns-tld", "situation.dns-domains"), strict=True))
"""What is special about the usual answer of each level of the tree."""


class Reply(NamedTuple):
    """What happens with a message. data: the answer, None for silence; keep: the same bytes after the id will
    always get the same answer, until the zones change; more: the further messages of a zone transfer."""

    data: bytes | None
    about: Description
    keep: bool = False
    more: Iterable[bytes] = ()


class Responder:
    """Answers queries from the zones. settings: who may transfer, how long a datagram may be; level: the service
    whose part of the tree it keeps, "" where it answers for all of it, as resolvers do."""

    def __init__(self, zones: Zones, settings: Dns, cookies: Cookies | None = None, level: str = "") -> None:
        self._zones: Names = view(level, zones)
        self._level = level if self._zones is not zones else ""
        self._hierarchy = zones.servers is not None
        self._place = PLACES.get(self._level, "")
        self._settings = settings
        self._cookies = cookies or Cookies()

    def respond(self, wire: bytes, transport: Transport, client: Address) -> Reply:
        """Answer a message. Never raises, whatever is in it."""
        header = grammar.read_header(wire)
        if header is None:
            return Reply(None, Description("MALFORMED", "", "", key="situation.fragment"))
        if header.flags & grammar.QR:
            return Reply(None, Description("RESPONSE", "", "", key="situation.response"))
        if header.opcode:
            # RFC 8906 §3.1.4; what follows the header may have a form of its own, so it is not looked at.
            verb = grammar.opcode_text(header.opcode)
            return self._bare(header, Rcode.NOTIMP, verb, "situation.opcode")
        try:
            query = grammar.read_query(wire)
        except Malformed as problem:
            return self._bare(header, Rcode.FORMERR, "QUERY", "situation.malformed", str(problem))
        return self._answer(query, transport, client)

    def _bare(self, header: Header, rcode: Rcode, verb: str, key: str, problem: str = "") -> Reply:
        facts = {"problem": problem} if problem else None
        return Reply(grammar.bare(header, rcode, not self._level),
                     Description(verb, "", grammar.rcode_text(rcode), "", key, facts))

    def _answer(self, query: Query, transport: Transport, client: Address) -> Reply:
        draft = Draft(recursive=not self._level)
        facts: dict[str, str] = {}
        if query.edns and query.edns.version:
            # RFC 6891 §6.1.3: say which version is understood (0), and nothing else.
            draft.rcode = Rcode.BADVERS
            return self._finish(query, draft, transport, "situation.version", facts)
        try:
            self._options(query, draft, transport, client, facts)
        except BadCookie as problem:
            return self._bare(query.header, Rcode.FORMERR, "QUERY", "situation.bad-cookie", str(problem))
        if query.name is None:
            if query.edns is None or query.edns.option(OptionType.COOKIE) is None:
                return self._bare(query.header, Rcode.FORMERR, "QUERY", "situation.malformed", "has no question")
            # RFC 7873 §5.4: only a cookie is wanted.
            return self._finish(query, draft, transport, "situation.cookie", facts)
        if query.signature is not None:
            return _unknown_key(query, draft, self._settings.udp_size)
        if query.rdclass != RdataClass.IN:
            facts["class"] = grammar.class_text(query.rdclass)
        if query.rdclass == RdataClass.CH:
            key = _chaos(query.name, query, draft)
        elif query.rdclass not in (RdataClass.IN, RdataClass.ANY):
            key = _refuse(query, draft, Rcode.REFUSED, EDECode.NOT_SUPPORTED, "situation.class")
        elif query.rdtype in (RdataType.AXFR, RdataType.IXFR):
            return self._transfer(query.name, query, draft, transport, client, facts)
        elif query.rdtype == RdataType.OPT:
            # RFC 6891 §6.1.1: part of a message's frame, not a thing to ask about.
            draft.rcode, key = Rcode.FORMERR, "situation.malformed"
        elif query.rdtype in META and query.rdtype != RdataType.ANY:
            key = _refuse(query, draft, Rcode.NOTIMP, EDECode.NOT_SUPPORTED, "situation.meta")
        else:
            key = self._resolve(query.name, query, draft, transport)
        return self._finish(query, draft, transport, key, facts)

    def _options(self, query: Query, draft: Draft, transport: Transport, client: Address,
                 facts: dict[str, str]) -> None:
        """Answer the EDNS options we know; others are ignored (RFC 6891 §6.1.2). Raises BadCookie."""
        if query.edns is None:
            return
        cookie = query.edns.option(OptionType.COOKIE)
        if cookie is not None:
            data, facts["cookie"] = self._cookies.answer(cookie, client.host)
            draft.options.append((OptionType.COOKIE, data))
        if query.edns.option(OptionType.NSID) is not None:
            draft.options.append((OptionType.NSID, IDENTITY))
        keepalive = query.edns.option(OptionType.KEEPALIVE)
        if keepalive is not None and transport.stream:
            # RFC 7828 §3.3.2: over UDP it is ignored.
            draft.options.append((OptionType.KEEPALIVE, struct.pack("!H", KEEPALIVE)))

    # The algorithm of RFC 1034 §4.3.2

    def _resolve(self, name: Name, query: Query, draft: Draft, transport: Transport) -> str:
        """Fill in the answer. Gives the knowledge key of what is special about it."""
        rdtype = RdataType.make(query.rdtype)
        key = ""
        for step in range(LONGEST_CHAIN):
            known = self._zones.lookup(name, rdtype)
            if known is None:
                # Somebody else keeps the name, or nobody does.
                reason = "situation.elsewhere" if self._level else "situation.refused"
                return key or _refuse(query, draft, Rcode.REFUSED, EDECode.NOT_AUTHORITATIVE, reason)
            zone, found = known
            if step == 0:
                # The AA bit speaks of the first owner name (RFC 1035 §4.1.1), and of one class only (§6.2).
                draft.authoritative = found.kind is not Kind.REFERRAL and query.rdclass == RdataClass.IN
            if found.captured and found.kind is Kind.ANSWER:
                key = "situation.captured"
                _explain(query, draft, EDECode.FORGED_ANSWER, b"every name leads to the sandbox")
            if found.kind not in (Kind.ALIAS, Kind.SUBTREE):
                return self._conclude(name, zone, found, query, draft, transport, key)
            key = "situation.alias"
            target = _follow(name, found, draft)
            if target is None:
                draft.rcode = Rcode.YXDOMAIN        # RFC 6672 §2.2: the new name would be too long
                return "situation.too-long"
            if any(target == owner for owner, _ in draft.answer):
                break
            name = target
        draft.rcode, draft.authoritative = Rcode.SERVFAIL, False
        draft.answer.clear()
        _explain(query, draft, EDECode.OTHER, b"the aliases go round in a circle, or on for too long")
        return "situation.loop"

    def _conclude(self, name: Name, zone: Zone, found: Found, query: Query, draft: Draft, transport: Transport,
                  key: str) -> str:
        """The last step of a chain: records, a referral, or a negative answer with its SOA (RFC 2308 §2)."""
        if found.kind is Kind.ANSWER:
            if query.rdtype == RdataType.ANY:
                return _any(name, found, draft, transport)
            draft.answer += [(name, records) for records in found.records]
            self._add_addresses(draft, found.records, name)
            if _is_refusal(found.records[0]):
                return "situation.not-offered"
            if self._hierarchy and name == dns.name.root and query.rdtype == RdataType.NS:
                return "situation.priming"
            return key or ("situation.wildcard" if found.wildcard else self._place)
        if found.kind is Kind.REFERRAL:
            assert found.source is not None
            draft.authority += [(found.source, records) for records in found.records]
            draft.glue = True
            self._add_addresses(draft, found.records, name, glue=zone)
            return key or (self._place if self._level in LEVELS[:2] else "situation.referral")
        soa = zone.soa
        if soa.ttl > soa[0].minimum:
            soa = record_set(RdataType.SOA, list(soa), soa[0].minimum)      # the negative lifetime, RFC 2308 §3
        draft.authority.append((zone.origin, soa))
        if found.kind is Kind.NXDOMAIN:
            draft.rcode = Rcode.NXDOMAIN                # of the last name in the chain, RFC 6604 §3
            return key
        if key:
            return key
        unknown = grammar.type_text(query.rdtype).startswith("TYPE")
        return "situation.unknown-type" if unknown else "situation.nodata"

    def _add_addresses(self, draft: Draft, records: Iterable[Rdataset], owner: Name,
                       glue: Zone | None = None) -> None:
        """Addresses of the hosts an answer names, to save a question (RFC 1034 §4.3.2 step 6, RFC 9460 §4.1).

        glue: the zone to take them from, where they may lie below its cut.
        """
        for target in list(dict.fromkeys(_targets(records, owner)))[:MOST_ADDITIONAL]:
            for rdtype in (RdataType.A, RdataType.AAAA):
                found = self._address(target, rdtype, glue)
                if found is not None and (target, found) not in draft.answer:
                    draft.additional.append((target, found))

    def _address(self, host: Name, rdtype: RdataType, glue: Zone | None) -> Rdataset | None:
        if glue is not None and host.is_subdomain(glue.origin):
            return glue.get(host, rdtype)
        return self._zones.address(host, rdtype)

    # Zone transfer

    def _transfer(self, name: Name, query: Query, draft: Draft, transport: Transport, client: Address,
                  facts: dict[str, str]) -> Reply:
        zone = self._zones.zone_at(name)
        if not self._may_transfer(client):
            key = _refuse(query, draft, Rcode.REFUSED, EDECode.PROHIBITED, "situation.transfer-refused")
            return self._finish(query, draft, transport, key, facts)
        if zone is None:
            key = _refuse(query, draft, Rcode.NOTAUTH, EDECode.NOT_AUTHORITATIVE, "situation.no-zone")
            return self._finish(query, draft, transport, key, facts)
        draft.authoritative = True
        if query.rdtype == RdataType.IXFR and query.serial is None:
            draft.rcode = Rcode.FORMERR         # RFC 1995 §3: the client's SOA stands in the authority section
            return self._finish(query, draft, transport, "situation.malformed", facts)
        current = query.serial is not None and not is_newer(zone.serial, query.serial)
        if query.rdtype == RdataType.IXFR and (current or not transport.stream):
            # RFC 1995 §2: the SOA alone means "you are up to date", and over UDP "come back over TCP".
            draft.answer.append((zone.origin, zone.soa))
            return self._finish(query, draft, transport, "situation.ixfr", facts)
        if not transport.stream:
            draft.rcode, draft.authoritative = Rcode.FORMERR, False        # RFC 5936 §4.2: not defined over UDP
            return self._finish(query, draft, transport, "situation.transfer-udp", facts)
        count, messages = transfer(query, zone, draft.recursive)
        stream = iter(messages)
        about = Description(grammar.type_text(query.rdtype), grammar.name_text(name), "NOERROR", f"{count} records",
                            "situation.transfer", {"serial": str(zone.serial)})
        return Reply(next(stream), about, more=stream)

    def _may_transfer(self, client: Address) -> bool:
        if self._settings.transfer == "loopback":
            return ipaddress.ip_address(client.host.removeprefix("::ffff:")).is_loopback
        return self._settings.transfer == "anyone"

    def _finish(self, query: Query, draft: Draft, transport: Transport, key: str, facts: dict[str, str]) -> Reply:
        limit = grammar.limit_for(query, transport, self._settings.udp_size)
        data, truncated = grammar.render(query, draft, limit, self._settings.udp_size)
        answered = summary(draft)
        if truncated:
            key, answered = "situation.truncated", "cut short"
        verb = "QUERY" if query.name is None else grammar.type_text(query.rdtype)
        about = Description(verb, grammar.name_text(query.name), grammar.rcode_text(draft.rcode), answered,
                            key, facts or None)
        # A cookie belongs to one client and one hour, a refusal to one client.
        private = "cookie" in facts or query.rdtype in (RdataType.AXFR, RdataType.IXFR)
        return Reply(data, about, keep=not private)


def _refuse(query: Query, draft: Draft, rcode: Rcode, reason: EDECode, key: str) -> str:
    draft.rcode = rcode
    _explain(query, draft, reason)
    return key


def _explain(query: Query, draft: Draft, code: EDECode, text: bytes = b"") -> None:
    """Add an extended DNS error (RFC 8914), which dig shows, for clients that speak EDNS."""
    option = (int(OptionType.EDE), struct.pack("!H", code) + text)
    if query.edns and option not in draft.options:
        draft.options.append(option)


def _unknown_key(query: Query, draft: Draft, payload: int) -> Reply:
    """RFC 8945 §5.2.1: a key nobody here knows gets NOTAUTH with BADKEY, unsigned. We know no keys."""
    assert query.signature is not None
    bad_key, fudge = 17, 300
    key, algorithm = query.signature
    rdata = grammar.wire_name(algorithm) + struct.pack("!HIHHHHH", 0, 0, fudge, 0, query.header.id, bad_key, 0)
    record = grammar.wire_name(key) + struct.pack("!HHIH", grammar.TSIG, RdataClass.ANY, 0, len(rdata)) + rdata
    draft = Draft(rcode=Rcode.NOTAUTH, recursive=draft.recursive, signature=[record])
    data, _ = grammar.render(query, draft, grammar.LARGEST_MESSAGE, payload)
    about = Description(grammar.type_text(query.rdtype), grammar.name_text(query.name), "NOTAUTH",
                        "", "situation.unknown-key", {"tsig": grammar.name_text(key)})
    return Reply(data, about)


def _chaos(name: Name, query: Query, draft: Draft) -> str:
    """Class CH: not the internet, but questions to the server about itself (RFC 4892)."""
    records = CHAOS.get(name.to_text().lower())
    if records is None:
        return _refuse(query, draft, Rcode.REFUSED, EDECode.NOT_AUTHORITATIVE, "situation.class")
    draft.authoritative = True
    if query.rdtype in (RdataType.TXT, RdataType.ANY):
        draft.answer.append((name, records))
    return "situation.chaos"


def _any(name: Name, found: Found, draft: Draft, transport: Transport) -> str:
    """ANY over UDP is what amplification attacks ask for, so it gets the short answer (RFC 8482 §4.2); over TCP,
    where the sender cannot be forged, it gets all there is."""
    records = (SHORT_ANY,) if transport.limited else found.records
    draft.answer += [(name, item) for item in records]
    return "situation.any"


def _is_refusal(records: Rdataset) -> bool:
    """Whether an MX or SRV says "." for its host: the service is not offered (RFC 7505 §3, RFC 2782)."""
    attribute = HOST_FIELDS.get(records.rdtype, "") if records.rdtype in (RdataType.MX, RdataType.SRV) else ""
    return bool(attribute) and len(records) == 1 and getattr(records[0], attribute) == dns.name.root


def _follow(name: Name, found: Found, draft: Draft) -> Name | None:
    """Add an alias to the answer. Gives where it leads, None where that is no possible name."""
    (records,) = found.records
    target: Name = records[0].target
    if found.kind is Kind.ALIAS:
        draft.answer.append((name, records))
        return target
    assert found.source is not None
    draft.answer.append((found.source, records))
    try:
        target = name.relativize(found.source).concatenate(target)
    except dns.name.NameTooLong:
        return None
    # RFC 6672 §3.1: a CNAME is made for those who do not know DNAME.
    octets = grammar.wire_name(target)
    alias = dns.rdata.from_wire(RdataClass.IN, RdataType.CNAME, octets, 0, len(octets))
    draft.answer.append((name, record_set(RdataType.CNAME, [alias], records.ttl)))
    return target


def _targets(records: Iterable[Rdataset], owner: Name) -> Iterable[Name]:
    """The hosts that records name."""
    for found in records:
        attribute = HOST_FIELDS.get(found.rdtype)
        for item in found if attribute else ():
            target: Name = getattr(item, attribute or "")
            if target != dns.name.root:
                yield target
            elif found.rdtype in (RdataType.HTTPS, RdataType.SVCB):
                yield owner         # RFC 9460 §2.5.2: "." means the owner itself


def summary(draft: Draft) -> str:
    """What was answered, in a few words: the records, or whom to ask instead."""
    if draft.glue and not draft.answer:
        return ", ".join(f"{cut} NS {item}" for cut, found in draft.authority for item in found)[:SUMMARY]
    records = [item for _, found in draft.answer for item in found]
    text, size = [], 0
    for item in records:
        text.append(item.to_text())
        size += len(text[-1]) + 2
        if size > SUMMARY:
            return f"{len(records)} record{'s' if len(records) > 1 else ''}"
    return ", ".join(text)
