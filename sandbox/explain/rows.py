"""Records as programs read them, with their sentences: one shape for `sandbox log --json`, the console's lines of
JSON, and the API with its lists, its live stream and its waits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from sandbox.address import Address
from sandbox.explain.sentences import sentence, session_sentence
from sandbox.journal.records import Cut, Exchange, Session
from sandbox.journal.traits import Mood, background, mood, unfinished

__all__ = ["Place", "Row", "SessionRow", "records", "row", "session_row"]


class Place(msgspec.Struct, frozen=True):
    """An address."""

    host: str
    port: int


class CutRow(msgspec.Struct, frozen=True):
    """What a body was that was not kept whole. stream: 0 the client's, 1 the server's; length: octets."""

    stream: int
    length: int
    sha256: str


class Row(msgspec.Struct, frozen=True):
    """One exchange. Field names are stable.

    id, session: numbers, unique and rising in one data folder; time: when it ended, RFC 3339 in UTC; started, ended:
    seconds since the epoch; seconds: how long it took; left: when the last octet of the answer had left, as `time`,
    null where there was none or it is not known; space: whose services answered; parent: the session whose data this
    one's carries, cause: the exchange that made the sandbox open it, 0 for none; protocol, service, transport ("tcp",
    "udp"); client, server: addresses; verb, asked, outcome, answered, key: as in `Exchange`; mood: "", "good",
    "more", "warning", "bad"; explanation: the sentence, rfc: what it cites; received, sent: octets; encrypted,
    background (a browser's own traffic), unfinished: whether it is that; facts: by name; cuts: what was longer
    than is kept.
    """

    id: int
    session: int
    time: str
    started: float
    ended: float
    seconds: float
    left: str | None
    protocol: str
    service: str
    space: str
    parent: int
    cause: int
    transport: str
    client: Place
    server: Place
    verb: str
    asked: str
    outcome: str
    answered: str
    key: str
    mood: str
    explanation: str
    rfc: str
    received: int
    sent: int
    encrypted: bool
    background: bool
    unfinished: bool
    facts: dict[str, str]
    cuts: list[CutRow]


class SessionRow(msgspec.Struct, frozen=True):
    """One connection or flow of datagrams. end: a term of the tcp knowledge, end_text its sentence."""

    id: int
    service: str
    protocol: str
    transport: str
    space: str
    client: Place
    server: Place
    opened: float
    closed: float
    end: str
    end_text: str
    parent: int
    cause: int
    facts: dict[str, dict[str, Any]]


def row(session: Session, exchange: Exchange) -> Row:
    text = sentence(session, exchange)
    feeling = mood(exchange.outcome)
    return Row(
        exchange.id, exchange.session, stamp(exchange.ended), exchange.started, exchange.ended,
        round(max(0.0, exchange.ended - exchange.started), 6), stamp(exchange.sent) if exchange.sent else None,
        session.protocol, session.service, session.space, session.parent, session.cause, session.transport,
        place(session.client), place(session.server), exchange.verb, exchange.asked,
        exchange.outcome, exchange.answered, exchange.key,
        "warning" if "warning" in exchange.facts else "" if feeling is Mood.NEUTRAL else feeling.value,
        text, cited(text), exchange.client[1] - exchange.client[0], exchange.server[1] - exchange.server[0],
        "encrypted" in exchange.facts, background(session, exchange), unfinished(session, exchange),
        exchange.facts, [CutRow(cut.stream, cut.length, cut.sha256) for cut in exchange.cuts])


def records(found: Row) -> tuple[Session, Exchange]:
    """What a row was made of, as far as it says: its lines and its sentence come out the same."""
    session = Session(id=found.session, service=found.service, protocol=found.protocol, transport=found.transport,
                      client=Address(found.client.host, found.client.port),
                      server=Address(found.server.host, found.server.port), opened=found.started,
                      parent=found.parent, cause=found.cause, space=found.space)
    left = datetime.fromisoformat(found.left).timestamp() if found.left else 0.0
    return session, Exchange(
        found.id, found.session, found.started, found.ended, found.verb, found.asked, found.outcome, found.answered,
        found.key, (0, found.received), (0, found.sent), found.facts,
        [Cut(cut.stream, cut.length, cut.sha256) for cut in found.cuts], left)


def session_row(session: Session) -> SessionRow:
    facts = {when: {name: value.hex() if isinstance(value, bytes) else value for name, value in some.items()}
             for when, some in session.facts.items()}
    return SessionRow(session.id, session.service, session.protocol, session.transport, session.space,
                      place(session.client), place(session.server), session.opened, session.closed, session.end,
                      session_sentence(session), session.parent, session.cause, facts)


def place(address: Address) -> Place:
    return Place(address.host, address.port)


def stamp(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cited(text: str) -> str:
    """The RFC at the end of a sentence, "" for none."""
    start = text.rfind("(RFC ")
    return text[start + 1:text.index(")", start)] if start >= 0 and ")" in text[start:] else ""
