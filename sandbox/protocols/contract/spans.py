"""Named, nested ranges over octets: what a protocol's `dissect` makes of one side of an exchange.

Theory of operation. A dissector takes piece after piece from the front of a `Cutter` over the octets, with a name for
each. What it does not name, `whole` names for it: the spans that come out cover every octet, in order, never overlap
and nest. So a dissector can be short, may stop anywhere, and need not check itself; and whatever it raises becomes
one span over everything.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

__all__ = ["About", "Cutter", "Dissector", "Span", "dissect", "dissector_of", "whole"]

DEEPEST = 32
"""Spans inside one another; what lies deeper is not taken apart."""
MOST_IDLE = 1_000
"""Calls in a row that took nothing: a dissector that goes round in a circle is stopped."""
MOST = 30_000
"""Spans of one side, those inside others too; what comes after stays in one piece, at each level."""


class Span(NamedTuple):
    """One part. start, end: offsets, the end not included; name: what it is, a word of the protocol; key: its entry
    in the knowledge, "kind.term", or "protocol:kind.term" of another protocol; value: what it says, decoded, "" for
    nothing else than what is written; children: its own parts, in order."""

    start: int
    end: int
    name: str
    key: str = ""
    value: str = ""
    children: tuple[Span, ...] = ()


def nothing(count: int) -> bytes:
    """Of a stream of which no octets are at hand."""
    return b""


class About(NamedTuple):
    """What is known of the exchange that the octets belong to. client: whether the client said them; facts: as in the
    journal; start: where they begin in their side's stream; before: gives the stream's first octets, so many, for
    protocols that go on from what was said before (HTTP/2)."""

    client: bool
    verb: str = ""
    asked: str = ""
    outcome: str = ""
    service: str = ""
    transport: str = "tcp"
    facts: Mapping[str, str] = {}
    start: int = 0
    before: Callable[[int], bytes] = nothing


Dissector = Callable[[bytes, About], "tuple[Span, ...]"]


class Cutter:
    """A place in octets, and the spans taken so far. Every method stays inside, whatever it is asked for."""

    def __init__(self, octets: bytes, start: int = 0, end: int | None = None,
                 budget: list[int] | None = None) -> None:
        self.octets = octets
        self.position = start
        self.end = len(octets) if end is None else end
        self.spans: list[Span] = []
        self._idle = 0
        self.budget = [MOST] if budget is None else budget

    @property
    def left(self) -> int:
        return self.end - self.position

    @property
    def rest(self) -> bytes:
        return self.octets[self.position:self.end]

    def peek(self, count: int) -> bytes:
        return self.octets[self.position:min(self.end, self.position + count)]

    def find(self, what: bytes) -> int:
        """Where something comes next, -1 for nowhere."""
        return self.octets.find(what, self.position, self.end)

    def take(self, count: int, name: str, key: str = "", value: str = "") -> bytes:
        """The next octets, with a name."""
        return self.to(self.position + count, name, key, value)

    def to(self, end: int, name: str, key: str = "", value: str = "") -> bytes:
        """Everything up to a place, with a name. Nothing where that is not ahead."""
        end = min(max(end, self.position), self.end)
        if self.budget[0] <= 0:
            self._stop()
            return b""
        taken = self.octets[self.position:end]
        if taken:
            self.budget[0] -= 1
            self.spans.append(Span(self.position, end, name, key, value))
            self.position = end
        self._moved(bool(taken))
        return taken

    def _stop(self) -> None:
        """Enough: what is left here is one piece, so that whoever goes on finds nothing to go on with."""
        if self.left:
            self.spans.append(Span(self.position, self.end, "more", "lines:part.more"))
            self.position = self.end

    def _moved(self, moved: bool) -> None:
        self._idle = 0 if moved else self._idle + 1
        if self._idle > MOST_IDLE:
            raise RuntimeError("this dissector goes round in a circle")

    def until(self, what: bytes, name: str, key: str = "", value: str = "") -> bytes:
        """Everything before something, or all that is left."""
        found = self.find(what)
        return self.to(self.end if found < 0 else found, name, key, value)

    def skip(self, some: bytes, name: str = "space", key: str = "lines:part.space") -> bytes:
        """The next octets as long as they are among some."""
        at = self.position
        while at < self.end and self.octets[at] in some:
            at += 1
        return self.to(at, name, key)

    def line_end(self, name: str = "line end") -> None:
        """CRLF or LF, if it is next."""
        if self.peek(2) == b"\r\n":
            self.take(2, name, "part.line-end")
        elif self.peek(1) == b"\n":
            self.take(1, name, "part.line-end")

    def line(self) -> int:
        """Where the next line ends, its line end not included."""
        found = self.find(b"\n")
        if found < 0:
            return self.end
        return found - 1 if found > self.position and self.octets[found - 1] == 13 else found

    @contextmanager
    def within(self, end: int, name: str, key: str = "", value: str = "") -> Iterator[Cutter]:
        """A part with parts of its own: the block takes them from the cutter it gets."""
        if self.budget[0] <= 0:
            self._stop()
            yield Cutter(self.octets, self.end, self.end, self.budget)
            return
        end = min(max(end, self.position), self.end)
        inner = Cutter(self.octets, self.position, end, self.budget)
        yield inner
        if end > self.position:
            self.budget[0] -= 1
            self.spans.append(Span(self.position, end, name, key, value, tuple(inner.spans)))
        self._moved(end > self.position)
        self.position = max(end, self.position)

    def nest(self, since: int, name: str, key: str = "", value: str = "") -> None:
        """Make the spans from number `since` on the parts of one."""
        parts = tuple(self.spans[since:])
        if parts:
            self.spans[since:] = [Span(parts[0].start, parts[-1].end, name, key, value, parts)]

    def done(self) -> tuple[Span, ...]:
        return tuple(self.spans)


def dissector_of(protocol: str) -> Dissector | None:
    """A protocol's dissector, None where it has none."""
    try:
        module = importlib.import_module(f"sandbox.protocols.{protocol}.dissect")
    except ModuleNotFoundError:
        return None
    function: Dissector = module.dissect
    return function


def dissect(protocol: str, octets: bytes, about: About) -> tuple[Span, ...]:
    """The parts of what one side said, which cover all of it. Never raises."""
    dissector = dissector_of(protocol)
    try:
        found = dissector(octets, about) if dissector is not None else ()
    except Exception:  # a dissector that is wrong about what a client sent must not hide the octets
        found = ()
    return whole(found, 0, len(octets))


def whole(spans: tuple[Span, ...], start: int, end: int, depth: int = 0) -> tuple[Span, ...]:
    """The same spans with the gaps between them filled, in order and inside; what does not fit is left out."""
    found: list[Span] = []
    at = start
    for span in spans:
        if not at <= span.start < span.end <= end:
            continue
        if span.start > at:
            found.append(Span(at, span.start, "octets", "part.octets"))
        children = span.children
        if children and depth < DEEPEST:
            found.append(span._replace(children=whole(children, span.start, span.end, depth + 1)))
        else:
            found.append(span._replace(children=()))
        at = span.end
    if at < end:
        found.append(Span(at, end, "octets", "part.octets"))
    return tuple(found)
