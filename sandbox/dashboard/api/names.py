"""Names: the zones as tables, and a look-up by the responder that answers real clients."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Iterator
from itertools import islice

import dns.exception
import dns.message
import dns.rdatatype
import msgspec
import trio
from dns.name import Name
from dns.rdataset import Rdataset

from sandbox.address import Address
from sandbox.dashboard.again import again
from sandbox.dashboard.answers import ProblemError, as_json, body_of
from sandbox.dashboard.api.sides import Side
from sandbox.dashboard.operations import Call, Operations, Query
from sandbox.dashboard.spans import parts
from sandbox.explain.sentences import sentence
from sandbox.journal.records import Exchange, Session
from sandbox.protocols.contract.spans import About
from sandbox.protocols.dns.grammar import Transport
from sandbox.protocols.dns.responder import Responder
from sandbox.protocols.http.messages import Response
from sandbox.world.names.lines import put_lines
from sandbox.world.names.records import ZoneError, parse_name, parse_type
from sandbox.world.names.zone import Zone

__all__ = ["OPERATIONS"]

OPERATIONS = Operations(spaced=True)

RECORDS = 2_000
"""Records of one zone that an answer has."""
INSIDE = Transport("tcp", limited=False, stream=False)
"""No limit on an answer, but one message only: whole zones are listed by `names`."""
SECTIONS = ("question", "answer", "authority", "additional")


class NameRecord(msgspec.Struct):
    """ttl: seconds; value: as a zone file has it."""

    name: str
    type: str
    ttl: int
    value: str


class ZoneRow(msgspec.Struct):
    """more: whether it has more records than are told here."""

    name: str
    serial: int
    records: list[NameRecord]
    more: bool


class ZoneRows(msgspec.Struct):
    """unknown: what names of no zone lead to, "sandbox" or "nxdomain"."""

    zones: list[ZoneRow]
    unknown: str


class AnswerRecord(NameRecord):
    """section: answer, authority or additional."""

    section: str


class Lookup(msgspec.Struct):
    """What the name server says. client, server: the question and the answer as octets, taken apart; again: the
    command that asks the same, "" where no DNS runs."""

    name: str
    type: str
    protocol: str
    service: str
    verb: str
    asked: str
    outcome: str
    answered: str
    explanation: str
    seconds: float
    records: list[AnswerRecord]
    client: Side
    server: Side
    again: str


@OPERATIONS.add("GET", "names", "Every zone with its records.", ZoneRows)
async def names(call: Call) -> Response:
    rows = []
    for zone in call.world.zones:
        found = list(islice(records_of(zone), RECORDS + 1))
        rows.append(ZoneRow(shown(zone.origin), zone.serial, found[:RECORDS], len(found) > RECORDS))
    return as_json(ZoneRows(rows, call.board.sandbox.config.dns.unknown))


def records_of(zone: Zone) -> Iterator[NameRecord]:
    for record in zone.records():
        yield from (NameRecord(*fields) for fields in rows_of(record.owner, record.records))


def rows_of(owner: Name, records: Rdataset) -> Iterator[tuple[str, str, int, str]]:
    for data in records:
        yield shown(owner), dns.rdatatype.to_text(records.rdtype), records.ttl, data.to_text()


def shown(name: Name) -> str:
    return name.to_text(omit_final_dot=len(name.labels) > 1)


class Change(msgspec.Struct, forbid_unknown_fields=True):
    """records: a line each, as zone files write them (RFC 1035 §5), with whole names; replace: whether others of the
    same name and type go."""

    records: str
    replace: bool = False


class Changed(msgspec.Struct):
    """count: records that are there now, or went."""

    count: int


@OPERATIONS.add("POST", "names", "Add records, or put them in the place of those there are.", Changed, takes=Change,
                changes=True)
async def added(call: Call) -> Response:
    asked = await body_of(call.request, Change)
    zones = await trio.to_thread.run_sync(call.world.open_zones)
    try:
        return as_json(Changed(put_lines(zones, asked.records, replace=asked.replace)))
    except ZoneError as error:
        raise ProblemError(422, "Not such records", f"{error}.",
                           "Write a line each, such as `api.shop.test A 127.0.0.1`.") from None


@OPERATIONS.add("DELETE", "names", "Remove a name, or its records of one type, or one of them by its value.", Changed,
                Query("name", "A name.", "api.shop.test"), Query("type", "A record type.", "A"),
                Query("value", "As a zone file has it.", "127.0.0.1"), changes=True)
async def removed(call: Call) -> Response:
    zones = await trio.to_thread.run_sync(call.world.open_zones)
    try:
        return as_json(Changed(zones.remove(call.query.text("name"), call.query.text("type"),
                                            call.query.text("value"))))
    except ZoneError as error:
        raise ProblemError(422, "Not removed", f"{error}.") from None


@OPERATIONS.add("GET", "lookup", "Ask the name server, and see its answer field by field.", Lookup,
                Query("name", "A name.", "www.example.com"), Query("type", "A record type.", "A"))
async def lookup(call: Call) -> Response:
    name, kind = call.query.text("name").strip(), call.query.text("type", "A").strip() or "A"
    question = asked(name, kind)
    started = time.time()
    board = call.board
    place = call.place.get("dns", Address("127.0.0.1", 53))
    client = Address(call.request.client.host, call.request.client.port)
    reply = Responder(call.world.zones, board.sandbox.config.dns).respond(question, INSIDE, client)
    ended = time.time()
    answer, about = reply.data or b"", reply.about
    session = Session(id=0, service="dns", protocol="dns", transport="udp", client=client, server=place,
                      opened=started)
    exchange = Exchange(0, 0, started, ended, about.verb, about.asked, about.outcome, about.answered, about.key,
                        (0, len(question)), (0, len(answer)), dict(about.facts or {}))
    commands = again(session, exchange, call.place)
    return as_json(Lookup(
        name, kind.upper(), "dns", "dns", about.verb, about.asked, about.outcome, about.answered,
        sentence(session, exchange), ended - started, sections(answer),
        side(session, exchange, question, client=True), side(session, exchange, answer, client=False),
        commands[0].command if commands else ""))


def asked(name: str, kind: str) -> bytes:
    """The question as octets. Raises ProblemError."""
    try:
        owner = parse_name(name or ".")
        rdtype = dns.rdatatype.ANY if kind.upper() == "ANY" else parse_type(kind)
    except ZoneError as error:
        raise ProblemError(400, "Nothing to look up", f"{str(error).rstrip('.')}.",
                           "Give a name such as www.example.com and a type such as A.") from None
    return dns.message.make_query(owner, rdtype, use_edns=0, id=secrets.randbelow(65536)).to_wire()


def sections(answer: bytes) -> list[AnswerRecord]:
    try:
        message = dns.message.from_wire(answer)
    except dns.exception.DNSException:
        return []
    return [AnswerRecord(*fields, section)
            for section, rrsets in zip(SECTIONS[1:], message.sections[1:], strict=True)
            for rrset in rrsets for fields in rows_of(rrset.name, rrset)]


def side(session: Session, exchange: Exchange, octets: bytes, *, client: bool) -> Side:
    return Side("client" if client else "server", 0, len(octets), base64.b64encode(octets).decode(), 0,
                parts(session.protocol, octets, About(client, exchange.verb, exchange.asked, exchange.outcome,
                                                      session.service, session.transport, exchange.facts)))
