"""The tokens of IMAP in their parts: atoms, quoted strings, literals, lists (RFC 9051 §4).

Theory of operation. What a token stands for depends on its place, so whoever takes tokens hands in shapes, one for
each place; the last stands for all that follow. A literal is part of its line: what comes behind its octets goes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sandbox.message.words import decode_header
from sandbox.protocols.contract.spans import Cutter
from sandbox.protocols.lines.message import header, message
from sandbox.protocols.lines.values import LONGEST_VALUE, shown

__all__ = ["ARGUMENT", "SHAPE_TEXT", "Shape", "line_rest", "value", "values"]

DEEPEST = 24
"""Lists inside one another; what lies deeper is read as words."""

ATOM = re.compile(rb'(?:[^\s(){"\[\]]|\[[^\]\r\n]*\](?:<[\d.]+>)?)+')
QUOTED = re.compile(rb'"(?:[^"\\\r\n]|\\[^\r\n])*"?')
LITERAL = re.compile(rb"~?\{(\d{1,10})([+-]?)\}\r?\n")


class Shape(NamedTuple):
    """What a token stands for. key: its entry, and where it ends with a dot the token itself, in capital letters as
    long as it is no flag, belongs to it; inside: of a list's members; content: what a literal holds: "message",
    "header", "" for anything; forms: other shapes by the token's first octet."""

    name: str
    key: str = "part.argument"
    inside: Sequence[Shape] | Callable[[Cutter, int], None] = ()
    content: str = ""
    forms: dict[bytes, Shape] = {}

    def entry(self, written: bytes) -> str:
        """Its key in the knowledge."""
        if not self.key.endswith("."):
            return self.key
        word = written.decode("latin-1").strip('"')
        if word.startswith("\\"):
            return self.key + word
        if word.upper().startswith("IMAP4REV"):
            return self.key + "IMAP4rev" + word[8:]
        for family in ("AUTH=", "APPENDLIMIT="):
            if word.upper().startswith(family):
                return self.key + family[:-1]
        return self.key + word.upper()


ARGUMENT = Shape("argument")
SHAPE_TEXT = Shape("text", "part.text")


def values(line: Cutter, shapes: Sequence[Shape], depth: int = 0) -> None:
    """Tokens up to a closing bracket or the end of the line, each named by its place."""
    place = 0
    while line.left:
        mark = line.peek(1)
        if mark in (b" ", b"\t"):
            line.skip(b" \t")
        elif mark in (b"\r", b"\n", b")", b"]"):
            return
        else:
            value(line, shapes[min(place, len(shapes) - 1)], depth)
            place += 1


def value(line: Cutter, shape: Shape, depth: int = 0) -> None:
    """The next token, whatever its form."""
    mark = line.peek(1)
    shape = shape.forms.get(mark, shape)
    octets, at = line.octets, line.position
    if mark == b"(" and depth < DEEPEST:
        brackets(line, shape, depth)
    elif mark == b'"' and (found := QUOTED.match(octets, at, line.end)):
        line.to(found.end(), shape.name, shape.entry(found[0]), unquoted(found[0]))
    elif mark in (b"{", b"~") and (found := LITERAL.match(octets, at, line.end)):
        literal(line, shape, found)
    elif found := ATOM.match(octets, at, line.end):
        if found[0].upper() == b"NIL":
            line.to(found.end(), shape.name, "part.nil", "nothing")
        else:
            line.to(found.end(), shape.name, shape.entry(found[0]))
    else:
        line.take(1, "text", "part.text")


def brackets(line: Cutter, shape: Shape, depth: int) -> None:
    """A list (RFC 9051 §4.4)."""
    first = len(line.spans)
    line.take(1, "bracket", "part.bracket")
    if callable(shape.inside):
        shape.inside(line, depth + 1)
    else:
        values(line, shape.inside or (shape,), depth + 1)
    if line.peek(1) == b")":
        line.take(1, "bracket", "part.bracket")
    line.nest(first, shape.name, "part.list" if shape.key.endswith(".") else shape.key)


def literal(line: Cutter, shape: Shape, found: re.Match[bytes]) -> None:
    """A string that says its length first (RFC 9051 §4.3)."""
    size = int(found[1])
    with line.within(found.end() + size, shape.name, shape.entry(b""), f"literal of {size} octets") as inner:
        inner.to(found.end(), "literal size", "part.literal-size", f"{size} octets")
        if shape.content == "message":
            message(inner, inner.end)
        elif shape.content == "header":
            header(inner)
            inner.line_end("empty line")
        inner.to(inner.end, "literal", "part.literal",
                 "" if shape.content else shown(inner.peek(LONGEST_VALUE)) if inner.left < 200 else "")


def unquoted(written: bytes) -> str:
    """A quoted string's content where it is not what is written: encoded words, and backslashes."""
    content = written[1:-1] if len(written) > 1 and written.endswith(b'"') else written[1:]
    plain = re.sub(rb"\\(.)", rb"\1", content)
    if b"=?" in plain:
        return decode_header(plain)[:LONGEST_VALUE]
    return shown(plain) if plain != content else ""


def line_rest(line: Cutter, name: str = "text", key: str = "part.text") -> None:
    """What is left of this line, and its end."""
    line.to(line.line(), name, key)
    line.line_end()
