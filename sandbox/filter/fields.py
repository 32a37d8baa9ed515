"""`field:NAME=VALUE`: a part of what was said, as the protocol's dissector names it, whatever the protocol.

The octets come from the reader that asks (`SIDES`); where nobody gives them, nothing matches.
"""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.filter.errors import quoted
from sandbox.filter.terms import Condition, Unfit
from sandbox.filter.values import Value
from sandbox.journal.matching import SIDES
from sandbox.journal.records import Exchange, Session
from sandbox.protocols.contract.spans import About, Span, dissect

__all__ = ["condition", "named"]


def condition(value: Value, now: float) -> Condition:
    """From "content-type=text/html", or a name alone. Raises Unfit."""
    name, equals, text = value.text.partition("=")
    name = normal(name)
    if not name or "*" in name:
        raise Unfit("the name of a part, and perhaps = and what it says, such as content-type=text/html")
    fits = Value(text, value.pattern).part()

    def matches(session: Session, exchange: Exchange) -> bool:
        return any(known == name and (not equals or fits(said)) for known, said in named(session, exchange))

    said = f" that says {quoted(text)}" if equals else ""
    return Condition(matches, f"with a part called {quoted(name)}{said}", reads_octets=True)


def named(session: Session, exchange: Exchange) -> Iterator[tuple[str, str]]:
    """Every part of both sides: its name, and what it says. A header field goes by its own name."""
    sides = SIDES.get()
    if sides is None:
        return
    for client, octets in zip((True, False), sides(session, exchange), strict=True):
        about = About(client, exchange.verb, exchange.asked, exchange.outcome, session.service, session.transport,
                      exchange.facts)
        yield from walk(dissect(session.protocol, octets, about), octets)


def walk(spans: tuple[Span, ...], octets: bytes) -> Iterator[tuple[str, str]]:
    for span in spans:
        yield normal(span.name), span.value or octets[span.start:span.end].decode("utf-8", "replace").strip()
        if span.name == "field":
            yield from header_field(span, octets)
        yield from walk(span.children, octets)


def header_field(span: Span, octets: bytes) -> Iterator[tuple[str, str]]:
    """A header field by its own name: as it stands, or as HPACK unpacked it."""
    name = next((child for child in span.children if child.name == "field name"), None)
    if ": " in span.value:
        key, _, said = span.value.partition(": ")
        yield normal(key), said
    elif name is not None:
        yield (normal(octets[name.start:name.end].decode("latin-1")),
               octets[name.end:span.end].decode("utf-8", "replace").lstrip(": \t").strip())


def normal(name: str) -> str:
    """A name as one writes it in a filter: small letters, a hyphen for each space."""
    return "-".join(name.lower().split())
