"""A value of an exchange, by its name: `outcome`, a fact such as `path`, or a field that the octets are taken apart
into, `client:If-None-Match`, `server:status code`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from sandbox.journal.facts import FACTS
from sandbox.journal.records import Exchange, Session
from sandbox.protocols.contract.spans import About, Span, dissect

__all__ = ["Octets", "Record", "alike", "is_value", "value"]

OWN = ("session", "verb", "asked", "outcome", "answered", "service", "protocol", "port", "server-port", "parent")
LONGEST = 1_000
"""Characters of a field that are compared."""

Octets = Callable[[Session, Exchange, bool], bytes]
"""What one side said in an exchange; the client's where the last is true."""


class Record(NamedTuple):
    """An exchange of a learner. caused: whether the sandbox itself dialled, because of another of theirs."""

    session: Session
    exchange: Exchange
    caused: bool = False


def is_value(name: str) -> bool:
    side, colon, field = name.partition(":")
    return bool(field) and side in ("client", "server") if colon else name in OWN or name in FACTS


def value(name: str, record: Record, octets: Octets) -> str:
    """What an exchange has under a name, "" for nothing."""
    session, exchange, _ = record
    side, colon, field = name.partition(":")
    if colon:
        return dissected(field, session, exchange, octets, client=side == "client")
    match name:
        case "session":
            return str(exchange.session)
        case "port":
            return str(session.client.port)
        case "server-port":
            return str(session.server.port)
        case "parent":
            return str(session.parent or "")
        case "service" | "protocol":
            return str(getattr(session, name))
        case "verb" | "asked" | "outcome" | "answered":
            return str(getattr(exchange, name))
    return exchange.facts.get(name, "")


def dissected(field: str, session: Session, exchange: Exchange, octets: Octets, *, client: bool) -> str:
    data = octets(session, exchange, client)
    about = About(client, exchange.verb, exchange.asked, exchange.outcome, session.service, session.transport,
                  exchange.facts)
    found = seek(field.lower(), dissect(session.protocol, data, about), data)
    if found is None:
        return ""
    text = written(found, data)[:LONGEST]
    return text if not found.value or text.isprintable() else found.value[:LONGEST]


def seek(field: str, spans: Iterable[Span], data: bytes) -> Span | None:
    """The first span of that name, or the value of the first field of that name."""
    for span in spans:
        if span.name == field:
            return span
        named = next((part for part in span.children if part.name == "field name"), None)
        if named is not None and written(named, data).lower() == field:
            return next((part for part in span.children if part.name == "field value"), None)
        found = seek(field, span.children, data)
        if found is not None:
            return found
    return None


def written(span: Span, data: bytes) -> str:
    return data[span.start:span.end].decode("utf-8", "replace")


def alike(given: str, right: str) -> bool:
    """Whether an answer is right: case, white space around and between, a dot at the end and quotation marks make no
    difference."""
    return plain(given) == plain(right) and bool(plain(given))


def plain(text: str) -> str:
    return " ".join(text.replace('"', "").split()).rstrip(".").casefold()
