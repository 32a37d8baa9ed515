"""The text of a part, as it is shown and as it is searched: the same letters."""

from __future__ import annotations

from sandbox.message.charsets import decode_charset
from sandbox.message.html import html_text
from sandbox.message.scan import Part
from sandbox.message.transfer import UnknownEncoding, decode_transfer

__all__ = ["SEARCHED", "decoded", "fold", "part_text", "searched_text"]

SEARCHED = 4_194_304
"""Octets of one part's text that are searched, and shown."""


def decoded(data: bytes, part: Part, most: int | None = None) -> bytes:
    """A part's body without its transfer encoding; as it stands in one that nobody knows. most: octets looked at."""
    octets = data[part.body:part.end if most is None else min(part.end, part.body + most)]
    try:
        return decode_transfer(octets, part.encoding)
    except UnknownEncoding:
        return octets


def part_text(data: bytes, part: Part) -> str:
    """The text of a part, of HTML with its tags; "" for what is no text."""
    if part.children or part.type != b"text":
        return ""
    return decode_charset(decoded(data, part, SEARCHED), part.parameter(b"charset") or b"")


def searched_text(data: bytes, part: Part) -> str:
    """The same for searching: of HTML both what is read and what is written."""
    text = part_text(data, part)
    return html_text(text) + text if part.subtype == b"html" else text


def fold(text: str) -> str:
    """For comparing without regard to case (RFC 5051, near enough: what Unicode calls case folding)."""
    return text.casefold()
