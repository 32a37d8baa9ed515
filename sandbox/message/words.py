"""Encoded words (RFC 2047): text in header fields that is not ASCII."""

from __future__ import annotations

import binascii
import re

from sandbox.message.charsets import decode_charset
from sandbox.message.transfer import decode_base64

__all__ = ["decode_header"]

WORD = re.compile(rb"=\?([^?\s]{1,40})\?([bBqQ])\?([^?\s]*)\?=")


def decode_header(value: bytes) -> str:
    """A field's value with its encoded words undone.

    White space between two of them is none of the text (RFC 2047 §6.2). Neighbours in one charset are put together
    before they are read: §5 forbids a character that begins in one and ends in the next, and many programs write so.
    """
    if b"=?" not in value:
        return decode_charset(value, b"")
    parts: list[str] = []
    waiting: list[bytes] = []
    charset, at = b"", 0
    for match in WORD.finditer(value):
        between = value[at:match.start()]
        same = bool(waiting) and match[1].lower() == charset and not between.strip(b" \t\r\n")
        if not same:
            parts.append(decode_charset(b"".join(waiting), charset))
            waiting = []
            if not at or between.strip(b" \t\r\n"):
                parts.append(decode_charset(between, b""))
        coded = match[3]
        waiting.append(binascii.a2b_qp(coded, header=True) if match[2] in b"qQ" else decode_base64(coded))
        charset, at = match[1].lower(), match.end()
    parts += [decode_charset(b"".join(waiting), charset), decode_charset(value[at:], b"")]
    return "".join(parts)
