"""Writes FETCH responses. Everything that reads messages belongs into a thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sandbox.protocols.imap.grammar.fetching import Attribute, Section
from sandbox.protocols.imap.grammar.writing import internal_date, literal
from sandbox.protocols.imap.library import Known, Library
from sandbox.protocols.imap.mime.scan import Part
from sandbox.protocols.imap.mime.text import UnknownEncoding, decode_transfer
from sandbox.protocols.imap.view import View
from sandbox.world.mail import Item

__all__ = ["Renderer", "Span"]

WHOLE = 1_048_576
"""Octets of a message up to which it is held in memory to be written; stretches of a larger one are streamed."""

OLD = {
    "RFC822": Attribute("BODY", Section()),
    "RFC822.HEADER": Attribute("BODY", Section((), "HEADER"), peek=True),
    "RFC822.TEXT": Attribute("BODY", Section((), "TEXT")),
}
"""The names of before 1996, which RFC 3501 §6.4.5 defines by the newer ones."""

CHEAP = frozenset({"FLAGS", "UID", "INTERNALDATE", "RFC822.SIZE", "MODSEQ"})


class Span(NamedTuple):
    """Octets of a message that are sent straight from the store."""

    content: int
    start: int
    end: int


Piece = bytes | Span


class Renderer:
    """Writes some attributes of messages of a view.

    changed: UIDs whose flags are shown although nobody asked; reads: whether messages have to be read; sees: whether
    fetching marks as seen; lost: whether a message was gone; unknown_encoding: whether BINARY failed.
    """

    def __init__(self, library: Library, attributes: Iterable[Attribute], view: View) -> None:
        self._library = library
        self._attributes = list(attributes)
        self._view = view
        self._names = {attribute.name for attribute in self._attributes}
        self._headings = {each: each.write(response=True) + b" " for each in self._attributes}
        self.changed: set[int] = set()
        self.reads = not self._names <= CHEAP
        self._shape = not self._names.isdisjoint(("BODY", "BODYSTRUCTURE"))
        self._whole = any(each.section is not None and not (each.section.fields and not each.section.part)
                          for each in (OLD.get(attribute.name, attribute) for attribute in self._attributes))
        self.sees = any((OLD.get(each.name, each).section is not None) and not OLD.get(each.name, each).peek
                        for each in self._attributes)
        self.lost = False
        self.unknown_encoding = False

    def render(self, items: Sequence[Item]) -> list[Piece]:
        """The responses for messages, in their order. Blocks where `reads` says so."""
        written: list[Piece] = []
        if not self.reads:
            number, cheap, attributes = self._view.number, self._cheap, self._attributes
            lines = [b"* %d FETCH (%b)\r\n" % (
                number(item.uid), b" ".join([cheap(attribute.name, item) for attribute in attributes]))
                for item in items]
            return [b"".join(lines[start:start + 500]) for start in range(0, len(lines), 500)]
        contents = [item.content for item in items]
        known = self._library.several(contents)
        wanted = contents if self._whole else [
            content for content, each in known.items() if self._shape and each.root is None]
        texts = self._library.store.read_small(wanted) if wanted else {}
        for item in items:
            try:
                data, _ = texts.get(item.content, (None, False))
                written += self._render_message(item, Message(self._library, item, known[item.content], data))
            except KeyError:
                self.lost = True
        return joined(written)

    def _render_message(self, item: Item, message: Message) -> list[Piece]:
        """Raises KeyError when it is gone."""
        written: list[Piece] = [b"* %d FETCH (" % self._view.number(item.uid)]
        space = b""
        for attribute in self._attributes:
            if attribute.name in CHEAP:
                written.append(space + self._cheap(attribute.name, item))
            else:
                try:
                    written += [space, *message.write(attribute, self._headings[attribute])]
                except UnknownEncoding:
                    self.unknown_encoding = True
                    continue
            space = b" "
        if item.uid in self.changed and "FLAGS" not in self._names:
            written.append(space + self._cheap("FLAGS", item))
        written.append(b")\r\n")
        return written

    def _cheap(self, name: str, item: Item) -> bytes:
        """An attribute that is known without reading the message."""
        if name == "UID":
            return b"UID %d" % item.uid
        if name == "FLAGS":
            if item.uid >= self._view.recent:
                return f"FLAGS ({item.flags} \\Recent)".replace("( ", "(").encode()
            return b"FLAGS (%b)" % item.flags.encode()
        if name == "MODSEQ":
            return b"MODSEQ (%d)" % item.modseq
        if name == "INTERNALDATE":
            return b"INTERNALDATE " + internal_date(item.received)
        return b"RFC822.SIZE %d" % item.size


class Message:
    """One message while it is written: read at most once. data: its octets, if they are at hand."""

    def __init__(self, library: Library, item: Item, known: Known, data: bytes | None) -> None:
        self._library = library
        self._item = item
        self.known = known
        self._data = data

    @property
    def data(self) -> bytes:
        if self._data is None:
            self._data = self._library.data(self._item.content)
        return self._data

    @property
    def root(self) -> Part:
        return self._library.root(self._item.content, self._data)

    def write(self, attribute: Attribute, heading: bytes) -> list[Piece]:
        """heading: its name in a response, and a space."""
        if attribute.name == "ENVELOPE":
            return [b"ENVELOPE " + self.known.envelope]
        if attribute.name in ("BODY", "BODYSTRUCTURE") and attribute.section is None:
            extended = attribute.name == "BODYSTRUCTURE"
            return [attribute.name.encode() + b" " + self.known.structure(self.root, extended=extended)]
        meant = OLD.get(attribute.name, attribute)
        assert meant.section is not None
        if meant.name == "BODY":
            return [heading, *self._body(meant.section, attribute.partial)]
        return [heading, *self._binary(meant)]

    def _body(self, section: Section, partial: tuple[int, int] | None) -> list[Piece]:
        """BODY[...]: a literal, streamed where it is large; NIL where there is no such part."""
        if section.fields:
            if not section.part:
                return [self._cut(self.known.fields(section), partial)]
            part = self._text_part(section.part)
            if part is None:
                return [b"NIL"]
            others = section.text == "HEADER.FIELDS.NOT"
            return [self._cut(part.header.pick(section.fields, others=others), partial)]
        found = self._place(section)
        if found is None:
            return [b"NIL"]
        start, end = found
        if partial is not None:
            start, end = min(start + partial[0], end), min(start + partial[0] + partial[1], end)
        if self._item.size <= WHOLE:
            return [literal(self.data[start:end])]
        if start == end:
            return [b'""']
        return [b"{%d}\r\n" % (end - start), Span(self._item.content, start, end)]

    def _place(self, section: Section) -> tuple[int, int] | None:
        """Where a section begins and ends in the message."""
        if not section.part and not section.text:
            if self._item.size > WHOLE:
                self._library.store.needs_utf8(self._item.content)  # raises KeyError when it is gone
            return 0, self._item.size
        if section.text in ("", "MIME"):
            part = self.root.find(section.part)
            if part is None:
                return None
            if section.text == "MIME":
                return part.start, part.body
            return (part.body, part.end)
        part = self._text_part(section.part)
        if part is None:
            return None
        return (part.start, part.body) if section.text == "HEADER" else (part.body, part.end)

    def _text_part(self, numbers: tuple[int, ...]) -> Part | None:
        """The message that HEADER and TEXT are of: the whole, or one inside (RFC 9051 §6.4.5)."""
        if not numbers:
            return self.root
        part = self.root.find(numbers)
        return part.children[0] if part is not None and part.message else None

    def _binary(self, attribute: Attribute) -> list[Piece]:
        """BINARY[...] and BINARY.SIZE[...] (RFC 3516). Raises UnknownEncoding."""
        assert attribute.section is not None
        numbers = attribute.section.part
        if not numbers:
            data = self.data
        else:
            part = self.root.find(numbers)
            if part is None:
                return [b"0" if attribute.name == "BINARY.SIZE" else b"NIL"]
            data = self.data[part.body:part.end]
            if not part.children:
                data = decode_transfer(data, part.encoding)
        if attribute.name == "BINARY.SIZE":
            return [b"%d" % len(data)]
        return [self._cut(data, attribute.partial, binary=b"\0" in data)]

    def _cut(self, data: bytes, partial: tuple[int, int] | None, *, binary: bool = False) -> bytes:
        if partial is not None:
            data = data[partial[0]:partial[0] + partial[1]]
        return literal(data, binary=binary)


def joined(written: list[Piece]) -> list[Piece]:
    """Octets that follow each other as one piece."""
    result: list[Piece] = []
    waiting: list[bytes] = []
    for piece in written:
        if isinstance(piece, bytes):
            waiting.append(piece)
        else:
            result += [b"".join(waiting), piece]
            waiting = []
    return [*result, b"".join(waiting)]
