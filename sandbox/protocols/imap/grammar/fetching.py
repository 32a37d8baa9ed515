"""What FETCH can ask for (RFC 9051 §6.4.5)."""

from __future__ import annotations

from typing import NamedTuple

from sandbox.protocols.imap.grammar.cursor import Cursor, GrammarError
from sandbox.protocols.imap.grammar.writing import astring

__all__ = ["ATTRIBUTES", "MACROS", "Attribute", "Section", "expect_attribute", "expect_attributes", "expect_section"]

SIMPLE = ("ENVELOPE", "FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODYSTRUCTURE", "BODY", "UID", "MODSEQ",
          "EMAILID", "THREADID",
          "RFC822", "RFC822.HEADER", "RFC822.TEXT")
SECTIONED = ("BODY", "BODY.PEEK", "BINARY", "BINARY.PEEK", "BINARY.SIZE")
ATTRIBUTES = frozenset(SIMPLE) | {f"{name}[]" for name in SECTIONED}
"""By the names the knowledge has for them."""

MACROS = {
    "ALL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"),
    "FAST": ("FLAGS", "INTERNALDATE", "RFC822.SIZE"),
    "FULL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"),
}
TEXTS = ("HEADER.FIELDS.NOT", "HEADER.FIELDS", "HEADER", "TEXT", "MIME")

LONGEST_PATH = 50
"""Numbers in a part's name, as deep as messages are looked into."""


class Section(NamedTuple):
    """part: its numbers from the outside in; text: one of TEXTS or "" for the part itself; fields: header names."""

    part: tuple[int, ...] = ()
    text: str = ""
    fields: tuple[bytes, ...] = ()

    def write(self) -> bytes:
        words = ".".join([*map(str, self.part), *([self.text] if self.text else [])]).encode()
        if self.fields:
            words += b" (" + b" ".join(map(astring, self.fields)) + b")"
        return words


class Attribute(NamedTuple):
    """One thing to fetch. peek: without setting \\Seen; partial: (first octet, how many)."""

    name: str
    section: Section | None = None
    peek: bool = False
    partial: tuple[int, int] | None = None

    def write(self, *, response: bool = False) -> bytes:
        """As in a command, or as in the response to it."""
        data = self.name.encode()
        if self.section is not None:
            if self.peek and not response:
                data += b".PEEK"
            data += b"[" + self.section.write() + b"]"
        if self.partial is not None:
            data += (b"<%d>" % self.partial[0]) if response else b"<%d.%d>" % self.partial
        return data


def expect_attributes(cursor: Cursor) -> list[Attribute]:
    """A macro, one attribute, or several in brackets."""
    if cursor.peek() == b"(":
        return cursor.expect_list(lambda: expect_attribute(cursor))
    if (macro := cursor.try_word(*MACROS)) is not None:
        return [Attribute(name) for name in MACROS[macro]]
    return [expect_attribute(cursor)]


def expect_attribute(cursor: Cursor) -> Attribute:
    start = cursor.at
    name = cursor.expect_atom().upper().partition("[")
    if name[1]:
        cursor.at = start + len(name[0])
        if name[0] in SECTIONED:
            return sectioned(cursor, name[0])
    elif name[0] in SIMPLE:
        return Attribute(name[0])
    cursor.at = start
    raise GrammarError(f"There is nothing to fetch by that name at {cursor.near()}")


def sectioned(cursor: Cursor, name: str) -> Attribute:
    base, _, mode = name.partition(".")
    peek = mode == "PEEK"
    cursor.expect_take(b"[")
    section = expect_section(cursor, texts=base == "BODY")
    cursor.expect_take(b"]")
    partial = None
    if mode != "SIZE" and cursor.try_take(b"<"):
        first = cursor.expect_number(most=(1 << 63) - 1)
        cursor.expect_take(b".")
        partial = first, cursor.expect_number(least=1, most=(1 << 63) - 1)
        cursor.expect_take(b">")
    return Attribute("BINARY.SIZE" if mode == "SIZE" else base, section, peek or mode == "SIZE", partial)


def expect_section(cursor: Cursor, *, texts: bool) -> Section:
    part: list[int] = []
    while len(part) <= LONGEST_PATH:
        number = cursor.try_number()
        if number is None:
            break
        if not 0 < number <= 0xFFFF_FFFF:
            raise GrammarError("Parts are counted from 1")
        part.append(number)
        if not cursor.try_take(b"."):
            return Section(tuple(part))
    if cursor.peek() == b"]" and not part:
        return Section()
    for text in TEXTS if texts else ():
        # Not `try_word`: ] ends an atom here, and HEADER is a beginning of HEADER.FIELDS, which is why it is later.
        if cursor.data[cursor.at:cursor.at + len(text)].upper() == text.encode() and (text != "MIME" or part):
            cursor.at += len(text)
            fields: tuple[bytes, ...] = ()
            if text.startswith("HEADER.FIELDS"):
                cursor.expect_space()
                fields = tuple(cursor.expect_list(cursor.expect_astring))
            return Section(tuple(part), text, fields)
    raise GrammarError(f"There is no such section of a message at {cursor.near()}")
