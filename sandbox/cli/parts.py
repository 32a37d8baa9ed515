"""The octets of a session taken apart: each part with its name, what it says, and the sentence that explains it."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.console.escape import cells, escape, shorten
from sandbox.console.folding import fill, width
from sandbox.console.terminal import BOLD, DIM, Look, paint
from sandbox.dashboard.spans import Part, about, parts
from sandbox.explain import lookup
from sandbox.journal.reader import Reader
from sandbox.journal.records import Exchange, Session, Stream

__all__ = ["explained"]

LOOKED_AT = 65_536
"""Octets of one side of an exchange that are taken apart; what follows is said to be left out."""
DEEPEST = 12
"""Steps of indentation that still leave room for words."""
BETWEEN = frozenset({"space", "line end", "colon", "ampersand", "semicolon", "comma", "equals sign", "bracket"})
"""Parts that hold others apart: after the first of each they need no line of their own."""
SHORTEST = 20
"""Columns that what is written gets even deep inside."""
LONGEST = 200
"""Octets of a part that are shown; its parts have the others."""
STRANGE = 8
"""One sign in so many that is none makes it no text."""


class Telling:
    """Tells the parts of one session, and each sentence where it is first needed."""

    def __init__(self, color: bool) -> None:
        self._color = color
        self._columns = width()
        self._told: set[str] = set()

    def side(self, mark: str, found: list[Part], octets: bytes) -> Iterator[str]:
        for part in found:
            yield from self._part(mark, part, octets, 0)

    def _part(self, mark: str, part: Part, octets: bytes, depth: int) -> Iterator[str]:
        if part.name in BETWEEN and not part.children and (not part.text or part.key in self._told):
            return
        front = f"{mark} {'  ' * min(depth, DEEPEST)}"
        room = max(SHORTEST, self._columns - cells(front) - cells(part.name) - 2)
        written = readable(octets[part.start:part.end])
        value = escape(part.value)
        said = value if part.children or (value and value.casefold() != written.casefold()) else ""
        if not part.children and said:
            said = f"{shorten(written, room // 2)} = {said}"
        yield f"{front}{paint(part.name, BOLD, color=self._color)}  {shorten(said or written, room)}".rstrip()
        if part.text and part.key not in self._told:
            self._told.add(part.key)
            indent = " " * (cells(front) + 2)
            for line in fill(sentence(part), indent, columns=self._columns).split("\n"):
                yield paint(line, DIM, color=self._color)
        for child in part.children:
            yield from self._part(mark, child, octets, depth + 1)


def sentence(part: Part) -> str:
    """The sentence of a part with its RFC."""
    protocol, _, rest = part.key.partition(":")
    entry = lookup(protocol, *rest.partition(".")[::2])
    return f"{part.text} ({entry.rfc})" if entry is not None else part.text


def readable(octets: bytes) -> str:
    """Octets in a line: as text where nearly all of them are text, else in hexadecimal."""
    start = octets[:LONGEST]
    text = start.decode("utf-8", "surrogateescape")
    strange = sum(not character.isprintable() and character not in "\r\n\t" for character in text)
    if strange * STRANGE > len(text) or start in (b" ", b"\t"):
        return start.hex(" ")
    return escape(text).replace("\\udc", "\\x")


def explained(reader: Reader, session: Session, look: Look) -> Iterator[str]:
    """The lines for a whole session, exchange by exchange: > from the client, < from the sandbox."""
    telling = Telling(look.color)
    for exchange in reader.exchanges_of(session.id):
        yield ""
        yield paint(title(exchange), BOLD, color=look.color)
        sides = ((Stream.CLIENT, ">", exchange.client), (Stream.SERVER, "<", exchange.server))
        for stream, mark, (start, end) in sides:
            octets = reader.octets(session.id, stream, start, min(end, start + LOOKED_AT))
            yield from telling.side(mark, parts(session.protocol, octets, about(reader, session, exchange, stream)),
                                    octets)
            if left := end - start - len(octets):
                yield f"{mark} ({left:,} octets more are not taken apart)"


def title(exchange: Exchange) -> str:
    asked = " ".join(filter(None, (escape(exchange.verb), escape(exchange.asked))))
    answered = " ".join(filter(None, (escape(exchange.outcome), escape(exchange.answered))))
    return shorten(f"{asked} → {answered or 'no answer'}", width())
