"""Records as the API gives them: one shape for lists, the live stream, waiting and `sandbox log --json`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from sandbox.address import Address
from sandbox.explain.sentences import sentence, session_sentence
from sandbox.journal.records import Exchange, Session
from sandbox.journal.traits import Mood, background, mood, unfinished

__all__ = ["Place", "Row", "SessionRow", "row", "session_row"]


class Place(msgspec.Struct, frozen=True):
    """An address."""

    host: str
    port: int


class Row(msgspec.Struct, frozen=True):
    """One exchange. started, ended: seconds since the epoch; time: `ended` by RFC 3339; received, sent: octets; mood:
    "", "good", "more", "warning", "bad"; rfc: of the explanation; cause: the exchange that made the sandbox dial."""

    id: int
    session: int
    time: str
    started: float
    ended: float
    seconds: float
    protocol: str
    service: str
    space: str
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
    cause: int
    facts: dict[str, str]
    cuts: list[dict[str, Any]]


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
        max(0.0, exchange.ended - exchange.started), session.protocol, session.service, session.space,
        session.transport, place(session.client), place(session.server), exchange.verb, exchange.asked,
        exchange.outcome, exchange.answered, exchange.key,
        "warning" if "warning" in exchange.facts else "" if feeling is Mood.NEUTRAL else feeling.value,
        text, cited(text), exchange.client[1] - exchange.client[0], exchange.server[1] - exchange.server[0],
        "encrypted" in exchange.facts, background(session, exchange), unfinished(session, exchange),
        session.cause, exchange.facts,
        [{"stream": cut.stream, "length": cut.length, "sha256": cut.sha256} for cut in exchange.cuts])


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
