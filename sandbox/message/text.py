"""What people read: encoded words, transfer encodings and charsets undone."""

from __future__ import annotations

import binascii
import codecs
import re
from contextlib import suppress
from functools import lru_cache

from sandbox.message.scan import Part

__all__ = ["SEARCHED", "UnknownEncoding", "charset_known", "decode_charset", "decode_header", "decode_transfer",
           "fold", "part_text"]

WORD = re.compile(rb"=\?([^?\s]{1,40})\?([bBqQ])\?([^?\s]*)\?=")
BETWEEN = re.compile(rb"(=\?[^?\s]{1,40}\?[bBqQ]\?[^?\s]*\?=)[ \t\r\n]+(?==\?[^?\s]{1,40}\?[bBqQ]\?[^?\s]*\?=)")
NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")
TAG = re.compile(r"<[^<>]*>")

SEARCHED = 4_194_304
"""Octets of one part's text that are searched."""

# Python's codecs that are no charsets of mail, or that take more than linear time.
UNWANTED = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"})


class UnknownEncoding(Exception):
    """A Content-Transfer-Encoding nobody knows."""


@lru_cache(maxsize=256)
def find_codec(name: bytes) -> str | None:
    """Python's name of a charset; None for one that is not known."""
    text = name.decode("ascii", "replace").strip().lower().partition("*")[0]  # RFC 2231 §5: a language after *
    try:
        found = codecs.lookup(text)
    except (LookupError, ValueError):
        return None
    if not getattr(found, "_is_text_encoding", True) or found.name.replace("_", "-") in UNWANTED:
        return None
    return found.name


def charset_known(name: bytes) -> bool:
    return find_codec(name) is not None


def decode_charset(octets: bytes, charset: bytes) -> str:
    """As text, with replacement characters; octets in an unknown charset are read as UTF-8, else as Latin-1."""
    codec = find_codec(charset) if charset else "utf-8"
    if codec in (None, "utf-8", "ascii"):
        try:
            return octets.decode("utf-8")
        except UnicodeDecodeError:
            return octets.decode("latin-1")
    assert codec is not None
    try:
        return octets.decode(codec, "replace")
    except (UnicodeError, ValueError):
        return octets.decode("latin-1")


def decode_header(value: bytes) -> str:
    """A field's value with its encoded words (RFC 2047) undone."""
    if b"=?" not in value:
        return decode_charset(value, b"")
    value = BETWEEN.sub(rb"\1", value)
    parts: list[str] = []
    at = 0
    for match in WORD.finditer(value):
        parts.append(decode_charset(value[at:match.start()], b""))
        coded = match[3]
        octets = (binascii.a2b_qp(coded, header=True) if match[2] in b"qQ" else decode_base64(coded))
        parts.append(decode_charset(octets, match[1]))
        at = match.end()
    parts.append(decode_charset(value[at:], b""))
    return "".join(parts)


def decode_base64(octets: bytes) -> bytes:
    """As much of it as is base64."""
    octets = NOT_BASE64.sub(b"", octets)
    end = octets.find(b"=")
    clean = octets if end < 0 else octets[:end]
    clean = clean[:-1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def decode_transfer(octets: bytes, encoding: bytes) -> bytes:
    """Undo a Content-Transfer-Encoding (RFC 2045 §6). Raises UnknownEncoding."""
    if encoding in (b"7bit", b"8bit", b"binary"):
        return octets
    if encoding == b"base64":
        return decode_base64(octets)
    if encoding == b"quoted-printable":
        return binascii.a2b_qp(octets)
    raise UnknownEncoding(encoding)


def part_text(data: bytes, part: Part) -> str:
    """The text of a part, for searching; "" for what is no text."""
    if part.children or part.type != b"text":
        return ""
    octets = data[part.body:min(part.end, part.body + SEARCHED)]
    with suppress(UnknownEncoding):
        octets = decode_transfer(octets, part.encoding)
    text = decode_charset(octets, part.parameter(b"charset") or b"")
    if part.subtype == b"html":
        return TAG.sub("", text) + text
    return text


def fold(text: str) -> str:
    """For comparing without regard to case (RFC 5051, near enough: what Unicode calls case folding)."""
    return text.casefold()
