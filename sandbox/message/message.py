"""A message as people and programs look at it: fields, addresses, text, attachments. Nothing here raises.

The octets stay what they are; each thing is read when somebody asks, from the structure that `scan` finds.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from sandbox.message.addresses import Mailbox, read_addresses
from sandbox.message.charsets import decode_strict
from sandbox.message.dates import Sent, read_date
from sandbox.message.html import html_text
from sandbox.message.links import find_codes, find_links
from sandbox.message.parameters import parameter_text, token
from sandbox.message.scan import Part, scan
from sandbox.message.text import SEARCHED, decoded, part_text
from sandbox.message.transfer import IDENTITY
from sandbox.message.words import decode_header

__all__ = ["Attachment", "Field", "Message"]

KNOWN = (*IDENTITY, b"base64", b"quoted-printable")


class Field(NamedTuple):
    """A header field. name, raw: as written, the value unfolded; text: as people read it."""

    name: str
    raw: bytes
    text: str


class Attachment(NamedTuple):
    """A part that is not the text. number: as IMAP counts it, "2.1"; part: where it is; known: its encoding is.

    name: "" for none; disposition: "attachment", "inline", "" or what it says; identity: its Content-ID, bare.
    """

    number: str
    part: Part
    type: str
    name: str
    disposition: str
    identity: str
    known: bool


class Message:
    """One reading of a message's octets."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets

    @cached_property
    def root(self) -> Part:
        return scan(self.octets)

    @cached_property
    def fields(self) -> list[Field]:
        """All, in order. Lines that are no field are in `octets` only."""
        return [Field(name.decode("ascii"), value, decode_header(value))
                for name, value in self.root.header.written()]

    def text_of(self, name: str) -> str:
        """The first field of a name as people read it, "" without one."""
        value = self.root.first(name.lower().encode())
        return "" if value is None else decode_header(value)

    def has(self, name: str) -> bool:
        return self.root.first(name.lower().encode()) is not None

    def addresses(self, name: str) -> list[Mailbox]:
        """Of all fields of a name, in order."""
        return [box for value in self.root.header.values(name.lower().encode()) for box in read_addresses(value)]

    @property
    def subject(self) -> str:
        return self.text_of("subject")

    @property
    def message_id(self) -> str:
        """As it is written, with its brackets."""
        return self.text_of("message-id")

    @cached_property
    def sent(self) -> Sent | None:
        """What the Date field says."""
        return read_date(self.root.first(b"date"))

    @cached_property
    def text(self) -> str:
        """The parts that are plain text and no attachment, one after another."""
        return "\n".join(part_text(self.octets, part) for part in self._told[0])

    @cached_property
    def html(self) -> str:
        """The part that is HTML and no attachment, the first one."""
        return part_text(self.octets, self._told[1]) if self._told[1] is not None else ""

    @property
    def readable(self) -> str:
        """The text; of a letter that is HTML alone, what is read of that."""
        return self.text or html_text(self.html)

    @cached_property
    def exact(self) -> bool:
        """Whether every octet of the text was text; else some are written as \\xNN."""
        shown = self._told[0] or ([self._told[1]] if self._told[1] is not None else [])
        return all(decode_strict(decoded(self.octets, part, SEARCHED), part.parameter(b"charset") or b"") is not None
                   for part in shown)

    @property
    def attachments(self) -> list[Attachment]:
        return self._told[2]

    @cached_property
    def links(self) -> list[str]:
        return find_links(self.readable, self.html)

    @cached_property
    def codes(self) -> list[str]:
        return find_codes(f"{self.subject}\n{self.readable}")

    def decoded(self, part: Part) -> bytes:
        """A part's octets without their transfer encoding; as they stand in one that nobody knows."""
        return decoded(self.octets, part)

    @cached_property
    def _told(self) -> tuple[list[Part], Part | None, list[Attachment]]:
        """(the texts, the HTML, the others): every part without parts is in one of them."""
        texts: list[Part] = []
        html: Part | None = None
        others: list[Attachment] = []
        for number, part in numbered(self.root):
            about = attachment(number, part)
            plain = not about.name and about.disposition != "attachment" and about.known
            if plain and about.type == "text/plain":
                texts.append(part)
            elif plain and about.type == "text/html" and html is None:
                html = part
            else:
                others.append(about)
        return texts, html, others


def numbered(root: Part) -> list[tuple[str, Part]]:
    """The parts that hold no parts of this letter, with their numbers (RFC 9051 §6.4.5). A letter inside is one."""
    if not root.multipart:
        return [("1", root)]
    found: list[tuple[str, Part]] = []
    waiting = [("", root)]
    while waiting:
        number, part = waiting.pop()
        if part.multipart:
            before = number + "." if number else ""
            waiting += [(f"{before}{place}", child) for place, child in enumerate(part.children, 1)][::-1]
        else:
            found.append((number, part))
    return found


def attachment(number: str, part: Part) -> Attachment:
    disposition = part.first(b"content-disposition")
    kind = part.first(b"content-type")
    name = parameter_text(disposition, b"filename") or parameter_text(kind, b"name")
    identity = part.first(b"content-id") or b""
    return Attachment(number, part, (part.type + b"/" + part.subtype).decode("ascii", "backslashreplace"), name,
                      token(disposition or b"").lower().decode("ascii", "backslashreplace"),
                      identity.strip(b" <>").decode("ascii", "backslashreplace"), part.encoding in KNOWN)
