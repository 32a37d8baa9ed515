"""The parts of an exchange as the API gives them: each with its sentence from the knowledge."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from sandbox.explain.knowledge import lookup
from sandbox.journal.records import Exchange, Session
from sandbox.protocols.contract.spans import About, Span, dissect

__all__ = ["Part", "parts"]


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """One part. start, end: offsets in the octets of its side; key: protocol:kind.term, "" where nothing is known;
    text: its sentence; children: its own parts."""

    start: int
    end: int
    name: str
    key: str = ""
    value: str = ""
    text: str = ""
    children: list[Part] = []


def parts(session: Session, exchange: Exchange, octets: bytes, *, client: bool) -> list[Part]:
    """What one side said, taken apart: the parts cover all of it."""
    about = About(client, exchange.verb, exchange.asked, exchange.outcome, session.service, session.transport,
                  exchange.facts)
    return [part(span, session.protocol) for span in dissect(session.protocol, octets, about)]


def part(span: Span, protocol: str) -> Part:
    key, text = explained(protocol, span.key) if span.key else ("", "")
    return Part(span.start, span.end, span.name, key, span.value, text,
                [part(child, protocol) for child in span.children])


@lru_cache(maxsize=4096)
def explained(protocol: str, key: str) -> tuple[str, str]:
    """The key in full and its sentence; ("", "") where nothing is known."""
    other, colon, own = key.rpartition(":")
    kind, _, term = own.partition(".")
    asked = other if colon else protocol
    entry = lookup(asked, kind, term[:64]) or lookup(asked, kind, "unknown")
    return (f"{entry.protocol}:{entry.kind}.{entry.term}", entry.text) if entry is not None else ("", "")
