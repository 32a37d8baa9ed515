"""Responses as octets (RFC 9112 §4, §6, §7.1). Pure.

A site cannot break out of its response: a field that holds CR, LF, NUL or another control octet is an error, and
the fields that frame a message are written here alone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from sandbox.protocols.http.dates import now
from sandbox.protocols.http.messages import Headers
from sandbox.protocols.http.scanner import TOKEN, VALUE
from sandbox.protocols.http.status import PHRASES, reason

__all__ = ["Written", "chunk", "field_lines", "last_chunk", "response_head"]

LAST_CHUNK = b"0\r\n"
OURS = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection"})
"""What frames the message and belongs to this connection alone (RFC 9110 §7.6.1); a site's own are left out."""
USUAL = 256
"""A field's value is remembered up to this length (characters)."""
LINES = {status: b"HTTP/1.1 %d %b\r\n" % (status, phrase.encode("ascii")) for status, phrase in PHRASES.items()}


class Written(NamedTuple):
    """Header fields as they go on the wire, and what is often asked about them.

    names: in lower case; media: the type without parameters; negotiated: whether Vary names Accept-Encoding;
    closing: whether the site asked for the connection to end.
    """

    lines: bytes
    names: frozenset[str]
    media: str
    negotiated: bool
    closing: bool


def field_lines(headers: Headers, upgrade: bool = False) -> Written:
    """The fields of a response. upgrade: whether Connection is the site's to say, in a 101. Raises ValueError.

    The result is remembered with the headers until they change.
    """
    if isinstance(headers.written, Written) and not upgrade:
        return headers.written
    lines = []
    names = set()
    closing = False
    for name, value in headers:
        lower = name.lower()
        if lower in OURS and not (upgrade and lower == "connection"):
            closing |= lower == "connection" and "close" in value.lower()
            continue
        lines.append(usual_line(name, value) if len(value) < USUAL else field_line(name, value))
        names.add(lower)
    media = headers.get("content-type").partition(";")[0].strip().lower()
    negotiated = "vary" in names and "accept-encoding" in headers.tokens("vary")
    written = Written(b"".join(lines), frozenset(names), media, negotiated, closing)
    if not upgrade:
        headers.written = written
    return written


def field_line(name: str, value: str) -> bytes:
    """One field with its line end. Raises ValueError for what cannot be a field (RFC 9110 §5.1, §5.5)."""
    try:
        key, text = name.encode("ascii"), value.strip(" \t").encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"the field {name!r} has characters no header field can carry: {value!r}") from None
    if not key or key.translate(None, TOKEN):
        raise ValueError(f"{name!r} is not the name of a header field")
    if text.translate(None, VALUE):
        raise ValueError(f"the field {name!r} has a control character in its value: {value!r}")
    return b"%b: %b\r\n" % (key, text)


usual_line = lru_cache(maxsize=2048)(field_line)
"""Most fields are the ones before them again."""


def response_head(status: int, phrase: str, written: Written, framing: bytes) -> bytes:
    """Status line and header section. framing: our own field lines (Content-Length, Connection ...)."""
    line = LINES.get(status) if not phrase else None
    if line is None:
        line = b"HTTP/1.1 %d %b\r\n" % (status, clean_phrase(phrase or reason(status)))
    if "date" in written.names:
        return b"%b%b%b\r\n" % (line, written.lines, framing)
    return b"%bDate: %b\r\nServer: sandbox\r\n%b%b\r\n" % (line, now(), written.lines, framing)


def clean_phrase(phrase: str) -> bytes:
    """Raises ValueError."""
    try:
        text = phrase.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"the reason phrase {phrase!r} has characters a status line cannot carry") from None
    if text.translate(None, VALUE):
        raise ValueError(f"the reason phrase {phrase!r} has a control character in it")
    return text


def chunk(data: bytes) -> bytes:
    """One chunk; b"" for no data, which would end the body."""
    return b"%X\r\n%b\r\n" % (len(data), data) if data else b""


def last_chunk(trailers: Headers | None) -> bytes:
    """The end of a chunked body, with its trailer section. Raises ValueError."""
    return LAST_CHUNK + (field_lines(trailers).lines if trailers is not None else b"") + b"\r\n"
