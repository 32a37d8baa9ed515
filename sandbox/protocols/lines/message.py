"""A mail message in its parts (RFC 5322, RFC 2045), as it passes in SMTP, POP3 and IMAP: fields, MIME parts, bodies.

Where the parts are says `sandbox.message`, as everywhere. On the way through SMTP and POP3 a line that begins with a
dot has one more in front; delimiter lines and base64 never do.
"""

from __future__ import annotations

from sandbox.message.charsets import decode_charset
from sandbox.message.scan import Part, scan
from sandbox.message.transfer import UnknownEncoding, decode_transfer
from sandbox.protocols.contract.spans import Cutter
from sandbox.protocols.lines.dissect import line_stop
from sandbox.protocols.lines.fields import field_body
from sandbox.protocols.lines.values import LONGEST_VALUE

__all__ = ["header", "message", "multipart"]

DECODED = 4_096
"""Octets of a body that are decoded for its value."""

CAPITALS = {"message-id": "Message-ID", "mime-version": "MIME-Version", "dkim-signature": "DKIM-Signature"}
"""Names with more capital letters than others."""


def message(cutter: Cutter, stop: int) -> None:
    """The message up to a place: header fields, the empty line, the body."""
    stop = min(stop, cutter.end)
    root = scan(cutter.octets[cutter.position:stop])
    with cutter.within(stop, "message", "smtp:part.message") as inner:
        entity(inner, root, cutter.position)


def entity(cutter: Cutter, part: Part, base: int) -> None:
    """A message or a part of one. base: where the message begins in the octets."""
    body = base + part.body
    with_header = Cutter(cutter.octets, cutter.position, min(body, cutter.end), cutter.budget)
    header(with_header)
    with_header.line_end("empty line")
    cutter.spans += with_header.done()
    cutter.position = with_header.position
    if part.children and part.multipart:
        with cutter.within(cutter.end, "body", "smtp:part.body", f"{len(part.children)} parts") as inner:
            multipart(inner, part, base)
    elif part.children:
        child = part.children[0]
        with cutter.within(cutter.end, "message inside", "smtp:part.message-inside") as inner:
            entity(inner, child, base)
    else:
        cutter.to(cutter.end, "body", "smtp:part.body", said(cutter.octets[cutter.position:cutter.end], part))


def multipart(cutter: Cutter, part: Part, base: int) -> None:
    """Parts, and the delimiter lines between them (RFC 2046 §5.1.1)."""
    for number, child in enumerate(part.children, 1):
        start, end = base + child.start, base + child.end
        between(cutter, start, "preamble" if number == 1 else "text")
        kind = (child.type + b"/" + child.subtype).decode("ascii", "backslashreplace")
        with cutter.within(end, "part", "smtp:part.part", f"part {number}: {kind}") as inner:
            entity(inner, child, base)
    between(cutter, cutter.end, "epilogue")


def between(cutter: Cutter, end: int, name: str) -> None:
    """What is between two parts: the delimiter line, the line end before it, which belongs to it, and text that no
    program shows."""
    end = min(end, cutter.end)
    while cutter.position < end:
        if cutter.peek(2) in (b"\r\n",) or cutter.peek(1) == b"\n":
            cutter.line_end()
        elif cutter.peek(2) == b"--":
            line = cutter.line()
            closing = cutter.octets[cutter.position:line].rstrip().endswith(b"--")
            cutter.to(min(line, end), "closing delimiter" if closing else "delimiter",
                      f"smtp:part.{'closing-' if closing else ''}delimiter")
            cutter.line_end()
            if name == "epilogue" and closing:
                cutter.line_end()
                cutter.to(end, "epilogue", "smtp:part.epilogue")
        else:
            stop = cutter.octets.find(b"\n--", cutter.position, end)
            cutter.to(end if stop < 0 else stop + 1, name, "smtp:part.epilogue")


def said(octets: bytes, part: Part) -> str:
    """A body's text without its transfer encoding; of what is no text, what it is. "" where that is written there."""
    if part.encoding in (b"7bit", b"8bit", b"binary") and part.type == b"text":
        return ""
    kind = (part.type + b"/" + part.subtype).decode("ascii", "backslashreplace")
    try:
        plain = decode_transfer(octets[:DECODED].replace(b"\n..", b"\n."), part.encoding)
    except UnknownEncoding:
        return f"{kind} in an unknown encoding"
    if part.type != b"text":
        return kind
    return decode_charset(plain, part.parameter(b"charset") or b"")[:LONGEST_VALUE]


def header(cutter: Cutter) -> None:
    """Fields with their continuation lines (RFC 5322 §2.2)."""
    while cutter.left and cutter.peek(2) != b"\r\n" and cutter.peek(1) != b"\n":
        stop = line_stop(cutter)
        while stop < cutter.end and cutter.octets[stop] in b" \t":
            following = cutter.octets.find(b"\n", stop, cutter.end)
            stop = cutter.end if following < 0 else following + 1
        name, colon, _ = cutter.octets[cutter.position:stop].partition(b":")
        if not colon or b"\n" in name:
            cutter.to(stop, "text", "lines:part.text")
            continue
        written = name.decode("latin-1").strip()
        key = f"smtp:field.{canonical(written)}"
        with cutter.within(stop, "field", key) as line:
            line.to(line.position + len(name.rstrip()), "field name", key)
            line.skip(b" \t")
            line.take(1, "colon", "smtp:part.colon")
            line.skip(b" \t")
            last = line.end - len(line_ending(cutter.octets, line.position, line.end))
            field_body(line, last, written.lower(), key)
            line.line_end()


def line_ending(octets: bytes, start: int, end: int) -> bytes:
    tail = octets[max(start, end - 2):end]
    return tail if tail == b"\r\n" else tail[-1:] if tail.endswith(b"\n") else b""


def canonical(name: str) -> str:
    """A field's name as the knowledge has it."""
    return CAPITALS.get(name.lower()) or "-".join(word.capitalize() for word in name.split("-"))
