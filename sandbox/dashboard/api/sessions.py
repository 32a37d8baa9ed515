"""Sessions: one with its exchanges, what was said in it openly, its handshake, and its octets."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from sandbox.dashboard.answers import ProblemError, as_json, octets
from sandbox.dashboard.api.exchanges import FILTER, parsed, seen
from sandbox.dashboard.api.sides import Side, syn_side, wire_side
from sandbox.dashboard.operations import Call, Operations, Query
from sandbox.explain.rows import Row, SessionRow, row, session_row
from sandbox.journal.reader import Reader
from sandbox.journal.records import Exchange, Session, Stream
from sandbox.protocols.http.messages import Response

__all__ = ["OPERATIONS"]

OPERATIONS = Operations()
STREAMS = {stream.name.lower().replace("_", "-"): stream for stream in Stream}
MOST = 1_048_576
"""Octets of one answer."""
ROWS = 2_000
"""Exchanges of one session that an answer has; of more, the last."""


class Secret(msgspec.Struct):
    """Something that ought to be secret, and where it crossed. readable: whether anybody on the way could read it."""

    exchange: int
    what: str
    account: str
    readable: bool


class Sessions(msgspec.Struct):
    """next: give it as `before` to go on, null at the end; a session with many exchanges may come again; complete:
    false where the search was not done in its time, then go on too."""

    sessions: list[SessionRow]
    next: int | None
    complete: bool


class OneSession(msgspec.Struct):
    """streams: how many octets each has; handshake: what its TLS handshake said in clear, null without one."""

    session: SessionRow
    exchanges: list[Row]
    children: list[SessionRow]
    handshake: dict[str, Any] | None
    secrets: list[Secret]
    streams: dict[str, int]


@OPERATIONS.add("GET", "sessions", "Sessions with an exchange that a filter means, the latest first.", Sessions,
                FILTER, Query("limit", "How many exchanges are looked at, up to 1,000.", "100", kind="integer"),
                Query("before", "Only exchanges with a lower id.", kind="integer"))
async def sessions(call: Call) -> Response:
    page = await call.board.archive.newest(
        seen(call.asker, parsed(call.query.text("filter"))), limit=call.query.whole("limit", 100, least=1, most=1000),
        before=call.query.whole("before", 0))
    distinct = {session.id: session for session, _ in page.found}
    return as_json(Sessions([session_row(session) for session in distinct.values()], page.next or None,
                            page.complete))


@OPERATIONS.add("GET", "sessions/{number}", "One session with its exchanges and its handshake.", OneSession)
async def one(call: Call, number: str) -> Response:
    session = await find(call, number)

    def visit(reader: Reader) -> OneSession:
        found = reader.exchanges_of(session.id)
        lengths = lengths_of(reader, session.id)
        return OneSession(session_row(session), [row(session, exchange) for exchange in found[-ROWS:]],
                          [session_row(child) for child in reader.children(session.id)],
                          handshake(reader, session, found), secrets(found),
                          {name: lengths[stream] for name, stream in STREAMS.items()})

    return as_json(await call.board.archive.read(visit))


@OPERATIONS.add("GET", "sessions/{number}/octets", "The octets of one stream of a session.",
                "application/octet-stream", Query("stream", f"One of {', '.join(STREAMS)}.", "client"),
                Query("start", "The first octet.", "0", kind="integer"),
                Query("end", f"The octet after the last, up to {MOST:,} after the first.", kind="integer"))
async def stream(call: Call, number: str) -> Response:
    session = await find(call, number)
    chosen = STREAMS[call.query.one_of("stream", "client", tuple(STREAMS))]
    start = call.query.whole("start", 0)
    end = min(call.query.whole("end", start + MOST), start + MOST)
    data, length = await call.board.archive.read(lambda reader: (
        reader.octets(session.id, chosen, start, end), lengths_of(reader, session.id)[chosen]))
    missing = max(0, min(end, length) - start - len(data))
    return octets(data, "application/octet-stream", more={
        "Content-Disposition": "attachment", **({"Sandbox-Missing": str(missing)} if missing else {})})


def lengths_of(reader: Reader, session: int) -> dict[Stream, int]:
    """How many octets passed in each stream."""
    lengths = dict.fromkeys(Stream, 0)
    for chunk in reader.chunks(session):
        stream = Stream(chunk.stream)
        lengths[stream] = max(lengths[stream], chunk.offset + chunk.length)
    return lengths


WIRE = {"client-wire": Stream.CLIENT_WIRE, "server-wire": Stream.SERVER_WIRE}


@OPERATIONS.add("GET", "sessions/{number}/spans", "What crossed the wire of a session, dissected.", Side,
                Query("stream", f"One of {', '.join(WIRE)}; or syn, the packet that began it.", "client-wire"))
async def spans(call: Call, number: str) -> Response:
    session = await find(call, number)
    chosen = call.query.one_of("stream", "client-wire", (*WIRE, "syn"))
    if chosen == "syn":
        return as_json(syn_side(session))
    return as_json(await call.board.archive.read(
        lambda reader: wire_side(reader, session, WIRE[chosen], until=math.inf)))


async def find(call: Call, number: str) -> Session:
    """Raises ProblemError when there is none, or it is not the asker's to see."""
    wanted = int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else 0
    session = await call.board.archive.read(lambda reader: reader.session(wanted))
    if session is None or not call.asker.may_see(session):
        raise ProblemError(404, "No such session", f"There is no session {number[:40]!r} in this journal.",
                           "It may be older than what the journal keeps.")
    return session


def secrets(exchanges: list[Exchange]) -> list[Secret]:
    """The passwords, cookies and tokens of a session."""
    return [Secret(exchange.id, exchange.facts["secret"], exchange.facts.get("account", ""),
                   "encrypted" not in exchange.facts)
            for exchange in exchanges if exchange.facts.get("secret")]


def handshake(reader: Reader, session: Session, exchanges: list[Exchange]) -> dict[str, Any] | None:
    """The TLS handshake from what an eavesdropper saw, and what the engine alone could know."""
    from sandbox.net.layers.tls.handshake import MAX_READ, describe

    own = next((exchange for exchange in exchanges if exchange.verb == "TLS"), None)
    if own is None:
        return None
    client = reader.octets(session.id, Stream.CLIENT_WIRE, 0, MAX_READ)
    server = reader.octets(session.id, Stream.SERVER_WIRE, 0, MAX_READ)
    cause = own.key.removeprefix("tls:situation.")
    facts = describe(client, server, cause="" if ":" in cause else cause, alert=own.facts.get("alert-received", ""))
    found = msgspec.to_builtins(facts)
    assert isinstance(found, dict)
    return found | own.facts
