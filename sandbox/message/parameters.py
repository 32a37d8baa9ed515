"""The value of Content-Type and its kin: a word, and parameters (RFC 2045 §5.1, RFC 2231), however badly written."""

from __future__ import annotations

import re
from typing import NamedTuple

from sandbox.message.charsets import decode_charset
from sandbox.message.lexical import quoted_end, skip, unquote
from sandbox.message.words import decode_header

__all__ = ["MOST", "media", "parameter", "parameter_text", "parameters", "token"]

MOST = 100
"""Parameters of one field that are told apart."""

SECTIONS = 1000
"""Pieces of continued parameters (RFC 2231 §3) that are read in one field."""

WORD = re.compile(rb'[^\s/;()",=]+')
NAME = re.compile(rb'[^\s=;"()]+')
BARE = re.compile(rb'[^\s;("]+')
SEPARATOR = re.compile(rb'[;("]')
PLAIN = re.compile(rb'[^\s;"()]+(?:;[ \t]*[^\s=;"()*]+=(?:"[^"\\]*"|[^\s;"()]+))*;?')
"""A value as nearly all are: nothing rare, nothing forgotten."""

PAIR = re.compile(rb';[ \t]*([^\s=;"()*]+)=(?:"([^"\\]*)"|([^\s;"()]+))')
PLAIN_MEDIA = re.compile(rb'([^\s/;()",=]+)/([^\s/;()",=]+)(?=;|\Z)')
SECTION = re.compile(rb"([^*]+)\*(0|[1-9][0-9]{0,3})(\*?)")
PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
TO_ENCODE = re.compile(rb"[^A-Za-z0-9!#$&+.^_`{|}~-]")


class Coded(NamedTuple):
    """A parameter's octets, in the charset that it names; b"" where it names none."""

    octets: bytes
    charset: bytes
    extended: bool


def token(value: bytes) -> bytes:
    """The first word of a structured value."""
    found = WORD.match(value, skip(value, 0))
    return found[0] if found else b""


def media(value: bytes | None, default: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """(type, subtype) in lower case. What is no media type is the default (RFC 2045 §5.2)."""
    if not value:
        return default
    plain = PLAIN_MEDIA.match(value)
    if plain is not None:
        return plain[1].lower(), plain[2].lower()
    first = WORD.match(value, skip(value, 0))
    if first is None:
        return default
    slash = skip(value, first.end())
    second = WORD.match(value, skip(value, slash + 1)) if value.startswith(b"/", slash) else None
    return (first[0].lower(), second[0].lower()) if second else default


def parameters(value: bytes) -> list[tuple[bytes, bytes]]:
    """In order, names in lower case, quotes undone, continued ones as one (RFC 2231 §6 asks that of IMAP).

    A value with a charset keeps its form, `name*` and `utf-8'de'%C3%BC`.
    """
    return plain_parameters(value) or any_parameters(value)


def plain_parameters(value: bytes) -> list[tuple[bytes, bytes]]:
    """The same where the value is `PLAIN`, without taking it apart word by word; else nothing."""
    if PLAIN.fullmatch(value) is None:
        return []
    return [(name.lower(), quoted or bare) for name, quoted, bare in PAIR.findall(value)][:MOST]


def any_parameters(value: bytes) -> list[tuple[bytes, bytes]]:
    plain: list[tuple[bytes, bytes]] = []
    sections: dict[bytes, dict[int, tuple[bytes, bool]]] = {}
    places: dict[bytes, int] = {}
    for name, text in raw_parameters(value):
        found = SECTION.fullmatch(name)
        if found is None:
            plain.append((name, text))
            continue
        whole = found[1]
        if whole not in sections:
            places[whole] = len(plain)
            plain.append((whole, b""))
            sections[whole] = {}
        sections[whole].setdefault(int(found[2]), (text, bool(found[3])))
    for whole, pieces in sections.items():
        plain[places[whole]] = joined(whole, pieces)
    return plain[:MOST]


def joined(name: bytes, pieces: dict[int, tuple[bytes, bool]]) -> tuple[bytes, bytes]:
    """One parameter of its sections, in the order of their numbers, whichever way they came."""
    ordered = [pieces[number] for number in sorted(pieces)]
    if not any(coded for _, coded in ordered):
        return name, b"".join(text for text, _ in ordered)
    start = b"" if ordered[0][1] and ordered[0][0].count(b"'") >= 2 else b"''"
    return name + b"*", start + b"".join(
        text if coded else TO_ENCODE.sub(lambda found: b"%%%02X" % found[0][0], text) for text, coded in ordered)


def raw_parameters(value: bytes) -> list[tuple[bytes, bytes]]:
    """As they stand, after the first semicolon."""
    found: list[tuple[bytes, bytes]] = []
    at = next_semicolon(value, 0)
    while at < len(value) and len(found) < SECTIONS:
        at = skip(value, at)
        name = NAME.match(value, at)
        if name is None:
            at = next_semicolon(value, at)
            continue
        at = skip(value, name.end())
        if value.startswith(b"=", at):
            text, at = read_value(value, skip(value, at + 1))
            found.append((name[0].lower(), text))
        at = skip(value, at)
        if not NAME.match(value, at):  # else the semicolon was forgotten
            at = next_semicolon(value, at)
    return found


def read_value(value: bytes, at: int) -> tuple[bytes, int]:
    """A parameter's value, and where it ends. One with spaces and no quotes is taken for what was meant."""
    if value.startswith(b'"', at):
        end = quoted_end(value, at + 1)
        return unquote(value[at + 1:end]), end + 1
    bare = BARE.match(value, at)
    if bare is None:
        return b"", at
    after = skip(value, bare.end())
    if after < len(value) and not value.startswith(b";", after):
        end = value.find(b";", after)
        end = len(value) if end < 0 else end
        if b"=" not in value[after:end]:
            return value[at:end].strip(), end
    return bare[0], after


def next_semicolon(value: bytes, at: int) -> int:
    """Behind the next one that is in no comment and no quotes; the end without one."""
    while (found := SEPARATOR.search(value, at)) is not None:
        if found[0] == b";":
            return found.end()
        at = skip(value, found.start()) if found[0] == b"(" else quoted_end(value, found.end()) + 1
    return len(value)


def parameter(value: bytes | None, name: bytes) -> Coded | None:
    """One parameter, percent signs undone. The form with a charset is preferred to the one without."""
    if not value:
        return None
    plain: Coded | None = None
    for each, text in parameters(value):
        if each == name + b"*":
            parts = text.split(b"'", 2)
            charset, text = (parts[0], parts[2]) if len(parts) == 3 else (b"", text)
            return Coded(PERCENT.sub(lambda found: bytes([int(found[1], 16)]), text), charset, extended=True)
        if each == name and plain is None:
            plain = Coded(text, b"", extended=False)
    return plain


def parameter_text(value: bytes | None, name: bytes) -> str:
    """One as people read it, "" without one. Encoded words are undone though RFC 2047 §5 forbids them here."""
    found = parameter(value, name)
    if found is None:
        return ""
    return decode_charset(found.octets, found.charset) if found.extended else decode_header(found.octets)
