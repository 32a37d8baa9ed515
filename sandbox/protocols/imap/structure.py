"""ENVELOPE, BODY and BODYSTRUCTURE of a part, as they stand on the wire (RFC 9051 §7.5.2)."""

from __future__ import annotations

from sandbox.message.addresses import Mailbox, read_addresses
from sandbox.message.headers import Header
from sandbox.message.parameters import parameters, token
from sandbox.message.scan import Part
from sandbox.protocols.imap.grammar.writing import nstring, string

__all__ = ["envelope", "structure"]

ADDRESSES = (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc")


def envelope(header: Header) -> bytes:
    """Of a message. Sender and Reply-To are From where they are missing or empty."""
    first = header.first
    lists = {name: addresses(header, name) for name in ADDRESSES}
    lists[b"sender"] = lists[b"sender"] or lists[b"from"]
    lists[b"reply-to"] = lists[b"reply-to"] or lists[b"from"]
    words = [nstring(first(b"date")), nstring(first(b"subject")), *(lists[name] or b"NIL" for name in ADDRESSES),
             nstring(first(b"in-reply-to")), nstring(first(b"message-id"))]
    return b"(" + b" ".join(words) + b")"


def addresses(header: Header, name: bytes) -> bytes:
    """All addresses of the fields of a name; b"" for none."""
    found = [box for value in header.values(name) for box in read_addresses(value)]
    return b"(" + b"".join(map(address, found)) + b")" if found else b""


def address(box: Mailbox) -> bytes:
    return b"(" + b" ".join(map(nstring, box)) + b")"


def structure(part: Part, *, extended: bool) -> bytes:
    """BODYSTRUCTURE, or BODY, which is the same without what was added later."""
    if part.multipart:
        words = [b"".join(structure(child, extended=extended) for child in part.children), string(part.subtype)]
        if extended:
            words += [listed(parameters(part.first(b"content-type") or b"")), *extension(part)]
        return b"(" + b" ".join(words) + b")"
    kind = part.type, part.subtype
    if kind in ((b"message", b"rfc822"), (b"message", b"global")) and not part.children:
        # A message that cannot be looked into, as it is encoded, which RFC 2046 §5.2.1 forbids, or too deep inside.
        # Of a message the grammar wants an envelope and a body (RFC 9051 §9, body-type-msg), so it is told as octets.
        kind = b"application", b"octet-stream"
    words = [*map(string, kind),
             listed(parameters(part.first(b"content-type") or b"") if part.first(b"content-type") else []),
             nstring(part.first(b"content-id")), nstring(part.first(b"content-description")),
             string(part.encoding), b"%d" % (part.end - part.body)]
    if part.message:
        inner = part.children[0]
        words += [envelope(inner.header), structure(inner, extended=extended), b"%d" % part.lines]
    elif part.type == b"text":
        words.append(b"%d" % part.lines)
    if extended:
        words += [nstring(part.first(b"content-md5")), *extension(part)]
    return b"(" + b" ".join(words) + b")"


def listed(pairs: list[tuple[bytes, bytes]]) -> bytes:
    if not pairs:
        return b"NIL"
    return b"(" + b" ".join(string(word) for pair in pairs for word in pair) + b")"


def extension(part: Part) -> list[bytes]:
    """Disposition, languages, location."""
    disposition = part.first(b"content-disposition")
    kind = token(disposition or b"")
    language = [word for value in part.header.values(b"content-language") if (word := value.strip())]
    tags = [word.strip() for value in language for word in value.split(b",") if word.strip()]
    return [
        b"(" + string(kind) + b" " + listed(parameters(disposition or b"")) + b")" if kind else b"NIL",
        b"(" + b" ".join(map(string, tags)) + b")" if len(tags) > 1 else string(tags[0]) if tags else b"NIL",
        nstring(part.first(b"content-location")),
    ]
