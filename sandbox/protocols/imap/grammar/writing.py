"""Values as octets: strings, names, flags, dates."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

from sandbox.protocols.imap.grammar.utf7 import encode_utf7

__all__ = ["astring", "flag_list", "internal_date", "literal", "mailbox", "nstring", "quoted", "string"]

PLAIN = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\]+')
QUOTABLE = re.compile(rb'[^\x00\r\n"\\\x80-\xff]{0,1000}')
ESCAPE = re.compile(rb'(["\\])')
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def literal(value: bytes, *, binary: bool = False) -> bytes:
    return b"%b{%d}\r\n%b" % (b"~" if binary else b"", len(value), value)


def quoted(value: bytes) -> bytes:
    """value: without CR, LF and NUL."""
    return b'"' + ESCAPE.sub(rb"\\\1", value) + b'"'


def string(value: bytes) -> bytes:
    """Quoted where it is short, 7-bit and needs no escape; else a literal, which every client can read."""
    if QUOTABLE.fullmatch(value):
        return b'"' + value + b'"'
    return literal(value, binary=b"\0" in value)


def nstring(value: bytes | None) -> bytes:
    return b"NIL" if value is None else string(value)


def astring(value: bytes) -> bytes:
    return value if PLAIN.fullmatch(value) and value.upper() != b"NIL" else string(value)


def mailbox(name: str, *, utf8: bool = False) -> bytes:
    """utf8: whether the client agreed on UTF-8, which may then stand in quotes (RFC 6855 §3)."""
    if not utf8:
        return astring(encode_utf7(name))
    octets = name.encode()
    return astring(octets) if octets.isascii() else quoted(octets)


def flag_list(flags: Iterable[str]) -> bytes:
    return ("(" + " ".join(flags) + ")").encode("ascii")


def internal_date(when: float) -> bytes:
    """date-time of RFC 9051 §9, in UTC. when: seconds since the epoch."""
    moment = time.gmtime(when)
    return (f'"{moment.tm_mday:2}-{MONTHS[moment.tm_mon - 1]}-{moment.tm_year:04} '
            f'{moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02} +0000"').encode()
