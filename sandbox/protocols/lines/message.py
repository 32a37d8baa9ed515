"""A mail message in its parts (RFC 5322), as it passes in SMTP, POP3 and IMAP."""

from __future__ import annotations

from sandbox.protocols.contract.spans import Cutter
from sandbox.protocols.lines.dissect import line_stop

__all__ = ["message"]


def message(cutter: Cutter, stop: int) -> None:
    """The message up to a place: header fields, the empty line, the body."""
    with cutter.within(stop, "message", "smtp:part.message") as inner:
        header(inner)
        inner.line_end("empty line")
        inner.to(inner.end, "body", "smtp:part.body")


def header(cutter: Cutter) -> None:
    """Fields with their continuation lines (RFC 5322 §2.2)."""
    while cutter.left and cutter.peek(2) != b"\r\n" and cutter.peek(1) != b"\n":
        stop = line_stop(cutter)
        while stop < cutter.end and cutter.octets[stop] in b" \t":
            following = cutter.octets.find(b"\n", stop, cutter.end)
            stop = cutter.end if following < 0 else following + 1
        name = cutter.octets[cutter.position:stop].partition(b":")[0].decode("latin-1").strip()
        if b":" not in cutter.octets[cutter.position:stop]:
            return
        with cutter.within(stop, "field", f"smtp:field.{name}") as line:
            line.until(b":", "field name", f"smtp:field.{name}")
            line.take(1, "colon", "smtp:part.colon")
            line.skip(b" \t")
            line.to(line.end, "field body", f"smtp:field.{name}")
