"""A message's content in its parts: a form's fields, the parts of a multipart; what is packed is shown unpacked."""

from __future__ import annotations

import zlib

from sandbox.message.scan import scan
from sandbox.protocols.contract.spans import Cutter
from sandbox.protocols.http.dissecting.fields import pairs
from sandbox.protocols.lines.message import multipart
from sandbox.protocols.lines.values import LONGEST_VALUE, shown

__all__ = ["content_of"]

UNPACKED = 16_384
"""Octets of packed content that are unpacked for its value."""


def content_of(cutter: Cutter, end: int, kind: str, coding: str = "") -> None:
    """Content up to a place. kind, coding: what Content-Type and Content-Encoding say, "" for nothing."""
    media = kind.partition(";")[0].strip().lower()
    if coding.strip() and coding.strip().lower() != "identity":
        cutter.to(end, "content", "part.content", f"{coding.strip()}: {unpacked(cutter.peek(UNPACKED), coding)}")
    elif media == "application/x-www-form-urlencoded":
        with cutter.within(end, "content", "part.content", kind) as inner:
            pairs(inner)
    elif media.startswith("multipart/"):
        parts(cutter, end, kind)
    else:
        cutter.to(end, "content", "part.content", kind)


def unpacked(octets: bytes, coding: str) -> str:
    """The beginning of what was packed (RFC 9110 §8.4.1), or its length, where nothing here unpacks it."""
    if coding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return "packed"
    try:
        found = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(octets, LONGEST_VALUE)
    except zlib.error:
        return "packed"
    return shown(found)


def parts(cutter: Cutter, end: int, kind: str) -> None:
    """The parts of a multipart (RFC 7578, RFC 2046 §5.1), read as those of a letter that begins with its type."""
    front = f"Content-Type: {kind}\r\n\r\n".encode("latin-1", "replace")
    whole = scan(front + cutter.octets[cutter.position:end])
    if not (whole.multipart and whole.children):
        cutter.to(end, "content", "part.content", kind)
        return
    base = cutter.position - len(front)
    with cutter.within(end, "content", "part.content", kind) as inner:
        multipart(inner, whole, base)
