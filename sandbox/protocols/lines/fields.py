"""The bodies of a message's header fields in their parts: addresses, Received, Content-* and the like (RFC 5322)."""

from __future__ import annotations

import re

from sandbox.protocols.contract.spans import Cutter
from sandbox.protocols.lines.values import listed, parameters, text

__all__ = ["field_body"]

ADDRESSES = frozenset({"from", "sender", "reply-to", "to", "cc", "bcc", "return-path", "resent-from", "resent-to",
                       "resent-cc", "resent-sender", "delivered-to", "disposition-notification-to", "errors-to"})
WITH_PARAMETERS = {"content-type": ("media type", "lines:part.media-type"),
                   "content-disposition": ("disposition", "smtp:field.Content-Disposition"),
                   "dkim-signature": ("tag", "smtp:field.DKIM-Signature"),
                   "auto-submitted": ("word", "smtp:field.Auto-Submitted")}
IDENTIFIERS = frozenset({"message-id", "in-reply-to", "references", "content-id", "resent-message-id"})

ADDRESS = re.compile(rb'<[^<>\r\n]*>|(?<![^\s,:;])[^\s<>@,:;"()]+@[^\s<>@,:;"()]+')
IDENTIFIER = re.compile(rb"<[^<>\s]*>")
CLAUSE = re.compile(rb"(?:(?<=\s)|\A)(from|by|via|with|id|for)[ \t]", re.IGNORECASE)


def field_body(line: Cutter, end: int, name: str, key: str) -> None:
    """What stands behind the colon, up to a place. name: of the field, in small letters."""
    if name in ADDRESSES:
        with line.within(end, "field body", key) as inner:
            addresses(inner)
    elif name == "received":
        with line.within(end, "field body", key) as inner:
            received(inner)
    elif name in IDENTIFIERS:
        with line.within(end, "field body", key) as inner:
            identifiers(inner)
    elif name in WITH_PARAMETERS:
        with line.within(end, "field body", key) as inner:
            parameters(inner, *WITH_PARAMETERS[name])
    elif name == "list-unsubscribe":
        with line.within(end, "field body", key) as inner:
            listed(inner, "link", key)
    else:
        text(line, end, "field body", key)


def addresses(cutter: Cutter) -> None:
    """Names for people, and the addresses (RFC 5322 §3.4)."""
    for found in ADDRESS.finditer(cutter.octets, cutter.position, cutter.end):
        names(cutter, found.start())
        cutter.to(found.end(), "address", "smtp:part.address")
    names(cutter, cutter.end)


def names(cutter: Cutter, end: int) -> None:
    """What stands before an address: a comma, a name."""
    while cutter.position < end:
        cutter.skip(b" \t\r\n")
        if cutter.peek(1) == b",":
            cutter.take(1, "comma", "lines:part.separator")
            continue
        written = cutter.octets[cutter.position:end]
        name = written.rstrip()
        if name:
            text(cutter, cutter.position + len(name), "display name", "smtp:part.display-name")


def received(cutter: Cutter) -> None:
    """From whom, by whom, with what protocol, under which number, for whom, and when (RFC 5321 §4.4)."""
    semicolon = cutter.octets.rfind(b";", cutter.position, cutter.end)
    last = cutter.end if semicolon < 0 else semicolon
    starts = [found.start(1) for found in CLAUSE.finditer(cutter.octets, cutter.position, last)]
    for start, stop in zip(starts, [*starts[1:], last], strict=True):
        cutter.to(start, "comment", "smtp:part.received-comment")
        stop = start + len(cutter.octets[start:stop].rstrip())
        word = cutter.octets[start:stop].split(None, 1)[0].decode("ascii", "replace").lower()
        with cutter.within(stop, word, f"smtp:part.received-{word}") as clause:
            clause.take(len(word), "word", f"smtp:part.received-{word}")
            clause.skip(b" \t\r\n")
            bracket = clause.find(b"(")
            plain = clause.octets[clause.position:clause.end if bracket < 0 else bracket].rstrip()
            clause.take(len(plain), f"{word} value", f"smtp:part.received-{word}")
            clause.skip(b" \t\r\n")
            clause.to(clause.end, "comment", "smtp:part.received-comment")
        cutter.skip(b" \t\r\n")
    cutter.to(last, "comment", "smtp:part.received-comment")
    if semicolon >= 0:
        cutter.take(1, "semicolon", "lines:part.separator")
        cutter.skip(b" \t\r\n")
        cutter.to(cutter.end, "date", "smtp:part.received-date")


def identifiers(cutter: Cutter) -> None:
    """Message identifiers (RFC 5322 §3.6.4)."""
    for found in IDENTIFIER.finditer(cutter.octets, cutter.position, cutter.end):
        cutter.skip(b" \t\r\n")
        cutter.to(found.start(), "text", "lines:part.text")
        cutter.to(found.end(), "message identifier", "smtp:part.identifier")
    cutter.skip(b" \t\r\n")
    cutter.to(cutter.end, "text", "lines:part.text")
