"""DNS messages: bytes to queries, and answers to bytes. Pure; no state, no I/O.

Names and record data are dnspython's work; the frame around them (RFC 1035 §4.1) is read here, because a server has
to say exactly what was wrong with a query, and may not choke on options and records that it does not know
(RFC 8906 §3.2, RFC 3597).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

import dns.exception
import dns.flags
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.wire
from dns.name import Name
from dns.rcode import Rcode
from dns.rdataset import Rdataset

from sandbox.protocols.dns.writer import ADDITIONAL, ANSWER, AUTHORITY, HEADER, MessageWriter, opt_record

__all__ = [
    "TYPES", "Draft", "Edns", "Header", "Malformed", "Query", "Signature", "Transport", "bare", "class_text",
    "limit_for", "name_text", "opcode_text", "rcode_text", "read_header", "read_query", "render", "type_text",
    "wire_name",
]

HEADER_SIZE = HEADER.size

LARGEST_QUERY = 4_096
"""Octets. A query has one question and a few options; more is an attempt to keep the parser busy."""

MOST_RECORDS = 16
"""Records a query may carry beside its question: OPT, TSIG, the SOA of an IXFR."""

UDP_SIZE_WITHOUT_EDNS = 512     # RFC 1035 §4.2.1
LARGEST_MESSAGE = 65_535        # two octets of length over TCP, RFC 1035 §4.2.2

QR, AA, TC, RD, RA, CD = (int(flag) for flag in (
    dns.flags.QR, dns.flags.AA, dns.flags.TC, dns.flags.RD, dns.flags.RA, dns.flags.CD))
DO = 0x8000
ECHOED = 0x7800 | RD | CD
"""What an answer's header repeats: the opcode, and the client's wishes (RFC 1035 §4.1.1, RFC 4035 §3.2.2)."""

OPT, TSIG, SOA = (int(kind) for kind in (
    dns.rdatatype.RdataType.OPT, dns.rdatatype.RdataType.TSIG, dns.rdatatype.RdataType.SOA))

TYPES = frozenset("""
    A NS MD MF CNAME SOA MB MG MR NULL WKS PTR HINFO MINFO MX TXT RP AFSDB X25 ISDN RT NSAP NSAP-PTR SIG KEY
    PX GPOS AAAA LOC NXT SRV NAPTR KX CERT A6 DNAME OPT APL DS SSHFP IPSECKEY RRSIG NSEC DNSKEY DHCID NSEC3
    NSEC3PARAM TLSA SMIMEA HIP NINFO CDS CDNSKEY OPENPGPKEY CSYNC ZONEMD SVCB HTTPS DSYNC HHIT BRID SPF UNSPEC
    NID L32 L64 LP EUI48 EUI64 NXNAME TKEY TSIG IXFR AXFR MAILB MAILA ANY URI CAA AVC AMTRELAY RESINFO WALLET
    TA DLV
""".split())  # noqa: SIM905 (ninety quoted words are harder to read)
"""The record types known by name; all others are called TYPE and their number, however new the library is."""


class Malformed(ValueError):
    """A message that is no well-formed query; the text says what is wrong with it."""


class Transport(NamedTuple):
    """What carries a message. limited: answers must fit a datagram (UDP); stream: whole zones may be sent (TCP)."""

    name: str
    limited: bool
    stream: bool


class Header(NamedTuple):
    """The first twelve octets (RFC 1035 §4.1.1). counts: questions, answers, authority, additional records."""

    id: int
    flags: int
    counts: tuple[int, int, int, int]

    @property
    def opcode(self) -> int:
        return self.flags >> 11 & 15


class Edns(NamedTuple):
    """What an OPT record says (RFC 6891 §6.1.3). payload: the largest datagram its sender takes."""

    version: int
    payload: int
    dnssec_ok: bool
    options: tuple[tuple[int, bytes], ...]

    def option(self, code: int) -> bytes | None:
        """The first option with this code."""
        return next((data for found, data in self.options if found == code), None)


class Signature(NamedTuple):
    """The name and algorithm of a TSIG record (RFC 8945 §4.2), enough to say that its key is unknown."""

    key: Name
    algorithm: Name


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was understood. name is None where it has no question; serial: the SOA's that an IXFR sends."""

    header: Header
    name: Name | None
    rdtype: int
    rdclass: int
    edns: Edns | None
    signature: Signature | None
    serial: int | None


@dataclass(slots=True)
class Draft:
    """An answer before it is bytes.

    recursive: whether whoever answers would find out what it does not keep itself (RA); glue: the additional records
    are needed to follow a referral (RFC 9471 §3); options: EDNS options as code and data; signature: a finished TSIG
    record, which comes last of all.
    """

    rcode: Rcode = Rcode.NOERROR
    authoritative: bool = False
    recursive: bool = True
    answer: list[tuple[Name, Rdataset]] = field(default_factory=list)
    authority: list[tuple[Name, Rdataset]] = field(default_factory=list)
    additional: list[tuple[Name, Rdataset]] = field(default_factory=list)
    glue: bool = False
    options: list[tuple[int, bytes]] = field(default_factory=list)
    signature: list[bytes] = field(default_factory=list)


def read_header(wire: bytes) -> Header | None:
    """None where there are not even twelve octets."""
    if len(wire) < HEADER_SIZE:
        return None
    number, flags, *counts = HEADER.unpack_from(wire)
    return Header(number, flags, (counts[0], counts[1], counts[2], counts[3]))


def read_query(wire: bytes) -> Query:
    """Understand a query of opcode QUERY. Raises Malformed."""
    header = read_header(wire)
    if header is None:
        raise Malformed("shorter than a header")
    if len(wire) > LARGEST_QUERY:
        raise Malformed(f"longer than {LARGEST_QUERY} octets")
    if header.counts[0] > 1:
        raise Malformed("more than one question")        # RFC 9619 §4
    if sum(header.counts[1:]) > MOST_RECORDS:
        raise Malformed(f"more than {MOST_RECORDS} records")
    parser = dns.wire.Parser(wire, HEADER_SIZE)
    try:
        name, rdtype, rdclass = None, 0, 0
        if header.counts[0]:
            name = parser.get_name(decompress=True)
            rdtype, rdclass = parser.get_struct("!HH")
        edns, signature, serial = _read_records(parser, header)
    except (dns.exception.DNSException, struct.error) as error:
        raise Malformed(f"cannot be read: {type(error).__name__}") from None
    if parser.remaining():
        raise Malformed("has octets after its last record")
    return Query(header, name, rdtype, rdclass, edns, signature, serial)


def _read_records(parser: dns.wire.Parser, header: Header) -> tuple[Edns | None, Signature | None, int | None]:
    edns, signature, serial = None, None, None
    for section, count in enumerate(header.counts[1:], start=1):
        for position in range(count):
            owner = parser.get_name(decompress=True)
            rdtype, rdclass, ttl, length = parser.get_struct("!HHIH")
            if rdtype == OPT:
                # RFC 6891 §6.1.1: only one, in the additional section, owned by the root.
                if section != 3 or edns is not None or len(owner) > 1:
                    raise Malformed("has an OPT record where none may be")
                options = _read_options(parser.get_bytes(length))
                edns = Edns(ttl >> 16 & 0xFF, rdclass, bool(ttl & DO), options)
            elif rdtype == TSIG:
                # RFC 8945 §5.1: the last record of all.
                if section != 3 or position != count - 1:
                    raise Malformed("has a TSIG record where none may be")
                with parser.restrict_to(length):
                    signature = Signature(owner, parser.get_name(decompress=True))
                    parser.get_remaining()
            elif rdtype == SOA and section == 2:
                with parser.restrict_to(length):
                    parser.get_name(decompress=True)
                    parser.get_name(decompress=True)
                    (serial, *_) = parser.get_struct("!IIIII")
            else:
                parser.get_bytes(length)
    return edns, signature, serial


def _read_options(data: bytes) -> tuple[tuple[int, bytes], ...]:
    found = []
    at = 0
    while at < len(data):
        if at + 4 > len(data):
            raise Malformed("has an EDNS option that is cut short")
        code, length = struct.unpack_from("!HH", data, at)
        at += 4 + length
        if at > len(data):
            raise Malformed("has an EDNS option that is cut short")
        found.append((code, data[at - length:at]))
    return tuple(found)


def bare(header: Header, rcode: Rcode, recursive: bool = True) -> bytes:
    """An answer that is a header only, for what was not understood beyond that. recursive: as in `Draft`.

    RA and CD speak of questions; for another opcode nobody has said what they would mean (RFC 8906 §8.1.4).
    """
    echoed = ECHOED & ~CD if header.opcode else ECHOED
    flags = QR | (RA if recursive and not header.opcode else 0) | header.flags & echoed | int(rcode)
    return HEADER.pack(header.id, flags, 0, 0, 0, 0)


def render(query: Query, draft: Draft, limit: int, payload: int) -> tuple[bytes, bool]:
    """The answer's bytes, and whether it was truncated to fit `limit` octets. payload: what our own OPT offers.

    A record set is in whole or not at all. TC is set when an answer, its authority or needed glue is missing; other
    additional records may be dropped in silence (RFC 2181 §9).
    """
    header = query.header
    flags = QR | header.flags & ECHOED | int(draft.rcode) & 15
    flags |= (RA if draft.recursive else 0) | (AA if draft.authoritative else 0)
    # The extended RCODE's upper bits stand in the OPT record (RFC 6891 §6.1.3); DO is copied (RFC 3225 §3).
    last = [] if query.edns is None else \
        [opt_record(payload, int(draft.rcode) >> 4 << 24 | (DO if query.edns.dnssec_ok else 0), draft.options)]
    last += draft.signature
    writer = MessageWriter(header.id, flags, limit - sum(map(len, last)))
    if query.name is not None:
        writer.question(query.name, query.rdtype, query.rdclass)
    complete = all(writer.add(ANSWER, *item) for item in draft.answer) \
        and all(writer.add(AUTHORITY, *item) for item in draft.authority)
    spare = complete and all(writer.add(ADDITIONAL, *item) for item in draft.additional)
    truncated = not complete or (draft.glue and not spare)
    if truncated:
        writer.flags |= TC
    for record in last:
        writer.add_last(record)
    return writer.finish(), truncated


def limit_for(query: Query, transport: Transport, largest_datagram: int) -> int:
    """How many octets an answer may have (RFC 6891 §6.2.3: a payload under 512 means 512)."""
    if not transport.limited:
        return LARGEST_MESSAGE
    if query.edns is None:
        return UDP_SIZE_WITHOUT_EDNS
    return min(max(query.edns.payload, UDP_SIZE_WITHOUT_EDNS), largest_datagram)


def wire_name(name: Name) -> bytes:
    """A name's own octets, not compressed."""
    return b"".join(bytes((len(label),)) + label for label in name.labels)


def name_text(name: Name | None) -> str:
    """A name for people: escaped for terminals (RFC 4343 §2.1), in the client's case, without the final dot."""
    return "" if name is None else name.to_text(omit_final_dot=True)


def type_text(rdtype: int) -> str:
    """ "AAAA", or "TYPE65280" for one without a name (RFC 3597 §5)."""
    text = dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rdtype))
    return text if text in TYPES else f"TYPE{rdtype}"


def class_text(rdclass: int) -> str:
    """ "IN", or "CLASS42"."""
    return dns.rdataclass.to_text(dns.rdataclass.RdataClass.make(rdclass))


def opcode_text(opcode: int) -> str:
    """ "NOTIFY", or "OPCODE9" for one without a name."""
    known = {0: "QUERY", 1: "IQUERY", 2: "STATUS", 4: "NOTIFY", 5: "UPDATE", 6: "DSO"}
    return known.get(opcode, f"OPCODE{opcode}")


def rcode_text(rcode: Rcode) -> str:
    """ "NXDOMAIN"; 16 is BADVERS where it answers EDNS."""
    return dns.rcode.to_text(rcode)
