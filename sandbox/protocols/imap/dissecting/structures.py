"""ENVELOPE, BODYSTRUCTURE and the items of FETCH in their parts (RFC 9051 §7.5.2)."""

from __future__ import annotations

import re

from sandbox.protocols.contract.spans import Cutter
from sandbox.protocols.imap.dissecting.tokens import DEEPEST, Shape, value, values

__all__ = ["FLAGS", "items", "section"]

ITEM = re.compile(rb"([A-Za-z0-9.]+)(\[[^\]\r\n]*\])?(<[\d.]+>)?")

FLAGS = Shape("flags", "flag.", (Shape("flag", "flag."),))
ADDRESS = Shape("address", "part.address", (
    Shape("display name", "part.display-name"), Shape("route", "part.route"),
    Shape("mailbox name", "part.local-part"), Shape("host name", "part.host-name")))


def addresses(name: str) -> Shape:
    return Shape(name.lower(), f"smtp:field.{name}", (ADDRESS,))


ENVELOPE = Shape("envelope", "attribute.ENVELOPE", (
    Shape("date", "smtp:field.Date"), Shape("subject", "smtp:field.Subject"), addresses("From"), addresses("Sender"),
    addresses("Reply-To"), addresses("To"), addresses("Cc"), addresses("Bcc"),
    Shape("in-reply-to", "smtp:field.In-Reply-To"), Shape("message-id", "smtp:field.Message-ID")))

MEDIA_PARAMETERS = Shape("media parameters", "part.media-parameters", (
    Shape("media parameter", "part.media-parameters"),))
DISPOSITION = Shape("disposition", "smtp:field.Content-Disposition", (
    Shape("disposition", "smtp:field.Content-Disposition"), MEDIA_PARAMETERS))
LANGUAGE = Shape("language", "part.body-language")
LOCATION = Shape("location", "part.body-location")
SUBTYPE = Shape("media subtype", "part.media-type")
ENDING = (DISPOSITION, LANGUAGE, LOCATION, Shape("extension", "part.extension"))
MULTIPART = (SUBTYPE, MEDIA_PARAMETERS, *ENDING)
BASIC = (
    Shape("media type", "part.media-type"), SUBTYPE, MEDIA_PARAMETERS, Shape("content id", "part.content-id"),
    Shape("description", "part.description"), Shape("transfer encoding", "smtp:field.Content-Transfer-Encoding"),
    Shape("size", "part.size"))
CHECKSUM = Shape("checksum", "part.checksum")
LINES = Shape("lines", "part.line-count")


def body(line: Cutter, depth: int) -> None:
    """The inside of one body structure: parts and what they are together, or one part's properties."""
    line.skip(b" ")
    if line.peek(1) == b"(":
        while line.peek(1) == b"(":
            value(line, BODY if depth < DEEPEST else SUBTYPE, depth)
            line.skip(b" ")
        values(line, MULTIPART, depth)
        return
    kind = line.octets[line.position:line.position + 10].strip(b'"').upper()
    if kind.startswith(b"TEXT"):
        values(line, (*BASIC, LINES, CHECKSUM, *ENDING), depth)
    elif kind.startswith(b"MESSAGE") and b"(" in line.octets[line.position:line.line()]:
        letter(line, depth)
    else:
        values(line, (*BASIC, CHECKSUM, *ENDING), depth)


def letter(line: Cutter, depth: int) -> None:
    """A message inside: it alone has an envelope after its size."""
    for shape in BASIC:
        line.skip(b" ")
        if line.peek(1) in (b")", b"\r", b"\n", b""):
            return
        value(line, shape, depth)
    line.skip(b" ")
    values(line, (ENVELOPE, BODY, LINES, CHECKSUM, *ENDING) if line.peek(1) == b"(" else (CHECKSUM, *ENDING), depth)


BODY = Shape("body structure", "attribute.BODYSTRUCTURE", body)

SHAPES = {
    "FLAGS": FLAGS, "ENVELOPE": ENVELOPE, "BODY": BODY, "BODYSTRUCTURE": BODY,
    "UID": Shape("UID", "attribute.UID"), "INTERNALDATE": Shape("date", "attribute.INTERNALDATE"),
    "RFC822.SIZE": Shape("size", "attribute.RFC822.SIZE"), "MODSEQ": Shape("mod-sequence", "attribute.MODSEQ"),
    "RFC822": Shape("message", "attribute.RFC822", content="message"),
    "RFC822.HEADER": Shape("header", "attribute.RFC822.HEADER", content="header"),
    "RFC822.TEXT": Shape("body", "attribute.RFC822.TEXT"),
    "EMAILID": Shape("object", "attribute.EMAILID"), "THREADID": Shape("object", "attribute.THREADID"),
}


def items(line: Cutter, depth: int) -> None:
    """Names and values in turn, up to the closing bracket."""
    while line.left and line.peek(1) not in (b")", b"\r", b"\n"):
        line.skip(b" ")
        found = ITEM.match(line.octets, line.position, line.end)
        if found is None:
            value(line, Shape("value", "part.argument"), depth)
            continue
        name, inside = found[1].decode("ascii").upper(), (found[2] or b"").upper()
        section(line)
        if line.peek(1) != b" ":
            continue
        line.skip(b" ")
        if line.peek(1) in (b")", b"\r", b"\n", b""):
            continue
        if not found[2]:
            value(line, SHAPES.get(name, Shape("value", f"attribute.{name}")), depth)
            continue
        content = ""
        if name == "BODY" and not found[3]:
            content = "header" if b"HEADER" in inside or b"MIME" in inside else "message" if inside == b"[]" else ""
        value(line, Shape("value", f"attribute.{name}[]", content=content), depth)


def section(line: Cutter) -> None:
    """The name of an item, with its section and range."""
    found = ITEM.match(line.octets, line.position, line.end)
    if found is None:
        value(line, Shape("item", "part.argument"))
        return
    name = found[1].decode("ascii").upper()
    key = f"attribute.{name}[]" if found[2] else f"attribute.{name}"
    if name in ("ALL", "FAST", "FULL"):
        key = "part.macro"
    if not found[2]:
        line.to(found.end(), "item", key)
        return
    with line.within(found.end(), "item", key) as inner:
        inner.take(len(found[1]), "item", key)
        inner.take(len(found[2]), "section", "part.section")
        inner.to(inner.end, "partial", "part.partial")
