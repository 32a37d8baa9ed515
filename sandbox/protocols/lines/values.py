"""What header fields of mail and of HTTP share, in its parts: words, parameters, encoded words, base64."""

from __future__ import annotations

import base64
import binascii
import re

from sandbox.message.charsets import decode_strict
from sandbox.message.lexical import unquote
from sandbox.message.words import decode_header
from sandbox.protocols.contract.spans import Cutter

__all__ = ["LONGEST_VALUE", "base64_text", "encoded", "listed", "parameters", "shown", "text",
           "until_semicolon"]

LONGEST_VALUE = 1000
"""Characters of a decoded value."""

NAME = re.compile(rb'[^\s=;,"]*')
EQUALS = re.compile(rb"[ \t]*=[ \t]*")
QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
WORD = re.compile(rb"=\?[^?\s]{1,40}\?[bBqQ]\?[^?\s]*\?=")


def shown(octets: bytes) -> str:
    """Octets as a value: text where they are some, else as hexadecimal digits. Bounded."""
    found = decode_strict(octets[:LONGEST_VALUE], b"")
    return octets[:64].hex(" ") if found is None or not found.replace("\r\n", " ").isprintable() else found


def base64_text(octets: bytes) -> str:
    """What base64 says, "" where it is none. A NUL, which separates names and passwords in logins, as a space."""
    try:
        found = base64.b64decode(octets[:4 * LONGEST_VALUE], validate=True)
    except (binascii.Error, ValueError):
        return ""
    return shown(found.replace(b"\0", b" ").strip(b" "))


def text(cutter: Cutter, end: int, name: str, key: str) -> None:
    """Text with encoded words, decoded (RFC 2047)."""
    written = cutter.octets[cutter.position:end]
    if b"=?" not in written:
        cutter.to(end, name, key)
        return
    with cutter.within(end, name, key, decode_header(written[:4 * LONGEST_VALUE])[:LONGEST_VALUE]) as inner:
        encoded(inner)


def encoded(cutter: Cutter) -> None:
    """All that is left, encoded words told apart from what is between."""
    for found in WORD.finditer(cutter.octets, cutter.position, cutter.end):
        cutter.to(found.start(), "text", "lines:part.text")
        cutter.to(found.end(), "encoded word", "lines:part.encoded-word", decode_header(found[0])[:LONGEST_VALUE])
    cutter.to(cutter.end, "text", "lines:part.text")


def parameters(cutter: Cutter, first: str, key: str) -> None:
    """A word, and parameters behind semicolons (RFC 2045 §5.1, RFC 9110 §5.6.6). first, key: of the word."""
    until_semicolon(cutter, first, key)
    while cutter.left:
        cutter.take(1, "semicolon", "lines:part.separator")
        cutter.skip(b" \t\r\n")
        since = len(cutter.spans)
        parameter(cutter)
        cutter.nest(since, "parameter", "lines:part.parameter")
        cutter.skip(b" \t\r\n")
        until_semicolon(cutter, "text", "lines:part.text")


def parameter(cutter: Cutter) -> None:
    """A name and its value, which may be in quotes."""
    octets, end = cutter.octets, cutter.end
    name = NAME.match(octets, cutter.position, end)
    assert name is not None
    cutter.to(name.end(), "parameter name", "lines:part.parameter-name")
    equals = EQUALS.match(octets, cutter.position, end)
    if equals is None:
        return
    cutter.to(equals.end(), "equals sign", "lines:part.separator")
    quoted = QUOTED.match(octets, cutter.position, end)
    if quoted is not None:
        value = shown(unquote(quoted[0].strip(b'"')))
        cutter.to(quoted.end(), "parameter value", "lines:part.parameter-value", value)
    else:
        until_semicolon(cutter, "parameter value", "lines:part.parameter-value")


def until_semicolon(cutter: Cutter, name: str, key: str) -> None:
    """What comes before the next semicolon, and white space behind it."""
    found = cutter.find(b";")
    text = cutter.octets[cutter.position:cutter.end if found < 0 else found]
    cutter.take(len(text.rstrip()), name, key)
    cutter.skip(b" \t\r\n")


def listed(cutter: Cutter, name: str, key: str, separator: bytes = b",") -> None:
    """Words between separators, each with parameters of its own."""
    while cutter.left:
        cutter.skip(b" \t\r\n")
        stop = cutter.find(separator)
        with cutter.within(cutter.end if stop < 0 else stop, name, key) as inner:
            if inner.find(b";") >= 0:
                parameters(inner, name, key)
        if cutter.left:
            cutter.take(1, "comma", "lines:part.separator")
