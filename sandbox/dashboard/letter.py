"""One letter as the API gives it: what is read of it, its parts, and its HTML as it can be shown without harm."""

from __future__ import annotations

import base64
import re

import msgspec

from sandbox.explain.knowledge import lookup
from sandbox.message.message import Message
from sandbox.message.scan import Part
from sandbox.world.mail.values import Item

__all__ = ["FRAME_POLICY", "Brief", "Hop", "Letter", "brief", "brief_text", "framed", "letter", "part_numbered"]

TEXT = 1_048_576
"""Characters of a text, and of HTML, that an answer has."""
FIELDS = 1_000
"""Header fields of one letter that are shown."""
PARTS = 500
LINKS = 500
PICTURES = 4_194_304
"""Octets of pictures that are put into the HTML that names them."""

FRAME_POLICY = ("sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; "
                "base-uri 'none'; frame-ancestors 'self'")
"""Of a letter's HTML: no script, no network, only in the page's own frame."""
CID = re.compile(r"""cid:([^"'\s<>)]{1,300})""", re.IGNORECASE)
PICTURE = re.compile(r"image/(?:png|jpeg|gif|webp|bmp)", re.ASCII)
"""Pictures that hold nothing but a picture."""


class Brief(msgspec.Struct):
    """A line of a list. received: seconds since the epoch; size: octets; recipient: whom it was delivered for, "" for
    what its owner put there; number: as `sandbox mail` and the journal have it, the same for all copies."""

    uid: int
    number: int
    sender: str = msgspec.field(name="from")
    to: str
    subject: str
    received: float
    size: int
    seen: bool
    flags: list[str]
    recipient: str


class Envelope(msgspec.Struct):
    """What SMTP said: MAIL FROM, which the last server wrote into Return-Path, and RCPT TO."""

    sender: str
    recipients: list[str]


class HeaderField(msgspec.Struct):
    """key: of the knowledge, text: its sentence; "" where nothing is known."""

    name: str
    value: str
    key: str
    text: str


class PartRow(msgspec.Struct):
    """number: as IMAP counts it; depth: how deep it is inside others; leaf: whether it holds no parts."""

    number: str
    type: str
    size: int
    encoding: str
    filename: str
    depth: int
    leaf: bool


class Hop(msgspec.Struct):
    """One step of a letter's way. exchange: 0 where the journal has none."""

    title: str
    detail: str
    exchange: int
    session: int
    ended: float


class Letter(msgspec.Struct):
    """A letter read. html: its source, to be shown by `html` alone; cut: whether text or html is longer than this;
    again: the command that shows it in a terminal."""

    uid: int
    number: int
    subject: str
    sender: str = msgspec.field(name="from")
    to: list[str]
    cc: list[str]
    date: str
    message_id: str
    envelope: Envelope
    received: float
    size: int
    flags: list[str]
    headers: list[HeaderField]
    text: str
    html: str
    cut: bool
    links: list[str]
    codes: list[str]
    parts: list[PartRow]
    attachments: list[PartRow]
    way: list[Hop]
    again: str


def brief(item: Item, start: bytes) -> Brief:
    """start: the first octets of the letter, which have the header."""
    message = Message(start)
    return Brief(item.uid, item.content, brief_text(message, "From"), brief_text(message, "To"),
                 brief_text(message, "Subject"), item.received, item.size, "\\Seen" in item.flags.split(),
                 item.flags.split(), item.recipient)


def brief_text(message: Message, name: str) -> str:
    return " ".join(message.text_of(name).split())[:1000]


def letter(item: Item, message: Message, way: list[Hop]) -> Letter:
    text, html = message.readable, message.html
    rows = part_rows(message)
    attached = {each.number for each in message.attachments}
    sent = message.sent
    return Letter(
        item.uid, item.content, brief_text(message, "Subject"), brief_text(message, "From"),
        addresses(message, "To"), addresses(message, "Cc"), sent.isoformat() if sent is not None else "",
        message.message_id[:1000],
        Envelope(message.text_of("Return-Path").strip("<> ")[:1000], [item.recipient] if item.recipient else []),
        item.received, item.size, item.flags.split(),
        [header_field(field.name, field.text[:TEXT]) for field in message.fields[:FIELDS]],
        text[:TEXT], html[:TEXT], len(text) > TEXT or len(html) > TEXT,
        message.links[:LINKS], message.codes[:LINKS], rows,
        [one for one in rows if one.leaf and one.number in attached], way, f"sandbox mail show {item.content}")


def addresses(message: Message, name: str) -> list[str]:
    return [str(box) for box in message.addresses(name) if box.host is not None][:FIELDS]


def header_field(name: str, value: str) -> HeaderField:
    canonical = "-".join(word.capitalize() for word in name.split("-"))
    term = {"Message-Id": "Message-ID", "Mime-Version": "MIME-Version"}.get(canonical, canonical)
    entry = lookup("smtp", "field", term[:64])
    return HeaderField(name, value, f"smtp:field.{entry.term}" if entry else "", entry.text if entry else "")


def part_rows(message: Message) -> list[PartRow]:
    """Every part, each before what is in it."""
    found = []
    names = {each.number: each.name for each in message.attachments}
    for number, part, depth in numbered(message.root):
        leaf = not part.children
        size = len(message.decoded(part)) if leaf else part.end - part.body
        found.append(PartRow(number, (part.type + b"/" + part.subtype).decode("ascii", "backslashreplace"), size,
                             part.encoding.decode("ascii", "backslashreplace"), names.get(number, ""), depth, leaf))
        if len(found) == PARTS:
            break
    return found


def numbered(root: Part) -> list[tuple[str, Part, int]]:
    """The parts with their numbers (RFC 9051 §6.4.5) and depths; "" for a whole that has parts."""
    found: list[tuple[str, Part, int]] = []
    waiting = [("" if root.multipart else "1", root, 0)]
    while waiting:
        number, part, depth = waiting.pop()
        found.append((number, part, depth))
        inner = part.children[0].children if part.message and part.children[0].multipart else part.children
        before = f"{number}." if number else ""
        waiting += [(f"{before}{place}", child, depth + 1) for place, child in enumerate(inner, 1)][::-1]
    return found


def part_numbered(message: Message, number: str) -> Part | None:
    """The part that is called so, None without one."""
    return next((part for name, part, _ in numbered(message.root) if name == number and name), None)


def framed(message: Message) -> str:
    """The letter's HTML; pictures that came with it stand in it, and nothing else can be fetched."""
    pictures = {each.identity: each for each in message.attachments if each.identity}
    left = PICTURES

    def picture(found: re.Match[str]) -> str:
        nonlocal left
        about = pictures.get(found[1])
        if about is None or not PICTURE.fullmatch(about.type):
            return found[0]
        data = message.decoded(about.part)
        left -= len(data)
        return f"data:{about.type};base64,{base64.b64encode(data).decode()}" if left >= 0 else found[0]

    return CID.sub(picture, message.html)
