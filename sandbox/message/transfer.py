"""Content-Transfer-Encoding (RFC 2045 §6) undone, of what is faulty as much as can be."""

from __future__ import annotations

import binascii
import re

__all__ = ["IDENTITY", "UnknownEncoding", "decode_base64", "decode_transfer"]

IDENTITY = (b"7bit", b"8bit", b"binary")
"""Those that change nothing."""

NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")
FOREIGN_LINE = re.compile(rb"\n[^\n]*[^A-Za-z0-9+/=\s][^\n]*")
TRAILING = re.compile(rb"[ \t]\r?\n")
ODD = re.compile(rb"=(?:=|\r(?!\n))")
ESCAPED = re.compile(rb"=(?:([0-9A-Fa-f]{2})|\r?\n|\Z)")


class UnknownEncoding(Exception):
    """A Content-Transfer-Encoding nobody knows."""


def decode_transfer(octets: bytes, encoding: bytes) -> bytes:
    """encoding: in lower case. Raises UnknownEncoding."""
    if encoding in IDENTITY:
        return octets
    if encoding == b"base64":
        return decode_base64(without_footer(octets))
    if encoding == b"quoted-printable":
        return decode_quoted(octets)
    raise UnknownEncoding(encoding)


def decode_base64(octets: bytes) -> bytes:
    """As much of it as is base64: other octets are passed over, and the first = ends it (RFC 2045 §6.8)."""
    octets = NOT_BASE64.sub(b"", octets)
    end = octets.find(b"=")
    clean = octets if end < 0 else octets[:end]
    clean = clean[:-1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def without_footer(octets: bytes) -> bytes:
    """Without what a mailing list wrote below: lines that are no base64, after one that can only be the last."""
    found = FOREIGN_LINE.search(octets)
    if found is None:
        return octets
    before = octets[:found.start()].rstrip()
    return before if len(NOT_BASE64.sub(b"", before)) % 4 else octets


def decode_quoted(octets: bytes) -> bytes:
    """Quoted-printable. White space before a line end was added on the way and is no text (RFC 2045 §6.7 rule 3)."""
    if TRAILING.search(octets) or octets.endswith((b" ", b"\t")):
        lines = [line[:-1].rstrip(b" \t") + b"\r" if line.endswith(b"\r") else line.rstrip(b" \t")
                 for line in octets.split(b"\n")]
        octets = b"\n".join(lines)
    if ODD.search(octets) is None:
        return binascii.a2b_qp(octets)
    return ESCAPED.sub(lambda found: bytes([int(found[1], 16)]) if found[1] else b"", octets)
