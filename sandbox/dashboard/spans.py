"""The parts of an exchange as the API gives them: each with its sentence from the knowledge."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from sandbox.explain.knowledge import lookup
from sandbox.journal.reader import Reader
from sandbox.journal.records import Exchange, Session, Stream
from sandbox.protocols.contract.spans import About, Span, dissect

__all__ = ["Part", "about", "explained", "parts"]


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


def about(reader: Reader, session: Session, exchange: Exchange, stream: Stream) -> About:
    """What a dissector is told of one side of an exchange."""
    client = stream is Stream.CLIENT
    start = (exchange.client if client else exchange.server)[0]
    return About(client, exchange.verb, exchange.asked, exchange.outcome, session.service, session.transport,
                 exchange.facts, start, lambda count: reader.octets(session.id, stream, 0, min(count, start)))


def parts(protocol: str, octets: bytes, about: About) -> list[Part]:
    """What one side said, taken apart: the parts cover all of it."""
    return [part(span, protocol) for span in dissect(protocol, octets, about)]


def part(span: Span, protocol: str) -> Part:
    key, text = explained(protocol, span.key) if span.key else ("", "")
    return Part(span.start, span.end, span.name, key, span.value, text,
                [part(child, protocol) for child in span.children])


@lru_cache(maxsize=4096)
def explained(protocol: str, key: str) -> tuple[str, str]:
    """The key in full and its sentence; ("", "") where nothing is known."""
    front, _, term = key.partition(".")
    other, colon, kind = front.rpartition(":")
    asked = other if colon else protocol
    entry = lookup(asked, kind, term[:64]) or lookup(asked, kind, "unknown")
    return (f"{entry.protocol}:{entry.kind}.{entry.term}", entry.text) if entry is not None else ("", "")
