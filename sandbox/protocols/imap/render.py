"""Writes FETCH responses. Everything that reads messages belongs into a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from sandbox.message.headers import Header
from sandbox.message.scan import Part
from sandbox.message.transfer import UnknownEncoding, decode_transfer
from sandbox.protocols.imap.grammar.fetching import Attribute, Section
from sandbox.protocols.imap.grammar.writing import internal_date, literal
from sandbox.protocols.imap.library import Known, Library
from sandbox.protocols.imap.objects import email_id, thread_id
from sandbox.protocols.imap.view import View
from sandbox.world.mail import Item

__all__ = ["MessageWriter", "Piece", "Renderer", "Span"]

WHOLE = 1_048_576
"""Octets of a message up to which it is held in memory to be written; stretches of a larger one are streamed."""

OLD = {
    "RFC822": Attribute("BODY", Section()),
    "RFC822.HEADER": Attribute("BODY", Section((), "HEADER"), peek=True),
    "RFC822.TEXT": Attribute("BODY", Section((), "TEXT")),
}
"""The names of before 1996, which RFC 3501 §6.4.5 defines by the newer ones."""

OCTETS = 1_048_576
"""Octets of messages that are read for one visit to a thread, unless a single one is larger."""

CHEAP: dict[str, Callable[[Item, Known], bytes]] = {
    "UID": lambda item, known: b"UID %d" % item.uid,
    "FLAGS": lambda item, known: b"FLAGS (%b)" % item.flags.encode(),
    "MODSEQ": lambda item, known: b"MODSEQ (%d)" % item.modseq,
    "INTERNALDATE": lambda item, known: b"INTERNALDATE " + internal_date(item.received),
    "RFC822.SIZE": lambda item, known: b"RFC822.SIZE %d" % item.size,
    "EMAILID": lambda item, known: f"EMAILID ({email_id(item)})".encode(),
}
"""What is known of a message without reading it."""

NOTHING = Known(Header(b""))


class Span(NamedTuple):
    """Octets of a message that are sent straight from the store."""

    content: int
    start: int
    end: int


Piece = bytes | Span


Writer = Callable[[Item, Known], bytes]


class Plan:
    """What follows from the attributes that are asked for; most clients ask for the same few again and again.

    reads: whether messages have to be read; sees: whether fetching marks as seen; structure, whole: whether it wants
    the parts, or the octets, of each message; light: a function for each attribute that follows from the message's
    flags and header, None for others.
    """

    def __init__(self, attributes: tuple[Attribute, ...]) -> None:
        meant = [OLD.get(each.name, each) for each in attributes]
        self.attributes = attributes
        self.headings = [each.write(response=True) + b" " for each in attributes]
        self.names = frozenset(each.name for each in attributes)
        self.reads = not self.names <= CHEAP.keys()
        self.sees = any(each.section is not None and not each.peek for each in meant)
        self.structure = any(each.name in ("BODY", "BODYSTRUCTURE") and each.section is None for each in meant)
        self.whole = any(each.section is not None and not own_fields(each) for each in meant)
        self.light = [light_writer(*each) for each in zip(attributes, self.headings, strict=True)]


plan = lru_cache(maxsize=100)(Plan)


def own_fields(attribute: Attribute) -> bool:
    """Whether it asks for fields of the message's own header."""
    return attribute.section is not None and bool(attribute.section.fields) and not attribute.section.part


def light_writer(attribute: Attribute, heading: bytes) -> Writer | None:
    if attribute.name == "THREADID":
        return lambda item, known: f"THREADID ({thread_id(item, known)})".encode()
    if attribute.name == "ENVELOPE":
        return lambda item, known: b"ENVELOPE " + known.envelope
    section = attribute.section
    if section is not None and own_fields(attribute) and attribute.partial is None:
        return lambda item, known: heading + literal(known.fields(section))
    return CHEAP.get(attribute.name)


class Renderer:
    """Writes some attributes of messages of a view.

    changed: UIDs whose flags are shown although nobody asked, with their mod-sequences where condstore says so
    (RFC 7162 §3.1); lost: whether a message was gone; unknown_encoding:
    whether BINARY failed.
    """

    def __init__(self, library: Library, attributes: Iterable[Attribute], view: View, *,
                 condstore: bool = False) -> None:
        self.plan = plan(tuple(dict.fromkeys(attributes)))
        self._telling = ("FLAGS", "MODSEQ") if condstore else ("FLAGS",)
        self._library = library
        self._view = view
        self.changed: set[int] = set()
        self.lost = False
        self.unknown_encoding = False

    def render_some(self, items: Sequence[Item], start: int) -> tuple[list[Piece], int]:
        """The responses for messages from a place on, as many as are read at once; and the place behind. Blocks."""
        end, octets = start + 1, items[start].size
        while end < len(items) and octets + items[end].size <= OCTETS:
            octets += items[end].size
            end += 1
        return self.render(items[start:end]), end

    def render(self, items: Sequence[Item]) -> list[Piece]:
        """The responses for messages, in their order. Blocks where the plan says that it reads."""
        recent = self._view.recent
        if items and items[0].uid < recent.end:
            items = [item._replace(flags=f"{item.flags} \\Recent".lstrip()) if item.uid in recent else item
                     for item in items]
        if not self.plan.reads:
            return [self._render_light(items, None)]
        known = self._library.several([item.content for item in items])
        if None not in self.plan.light and not self.changed:
            return [self._render_light(items, known)]
        return self._render_messages(items, known)

    def _render_light(self, items: Sequence[Item], known: Mapping[int, Known] | None) -> bytes:
        """known: None where nothing has to be."""
        number, writers = self._view.number, [writer for writer in self.plan.light if writer is not None]
        lines = []
        for item in items:
            each = NOTHING if known is None else known.get(item.content)
            if each is None:
                self.lost = True
                continue
            lines.append(b"* %d FETCH (%b)\r\n" % (
                number(item.uid), b" ".join([write(item, each) for write in writers])))
        return b"".join(lines)

    def _render_messages(self, items: Sequence[Item], known: Mapping[int, Known]) -> list[Piece]:
        written: list[Piece] = []
        wanted = [item.content for item in items
                  if self.plan.whole or (self.plan.structure and item.content in known
                                         and known[item.content].root is None)]
        texts = self._library.store.read_small(wanted) if wanted else {}
        for item in items:
            try:
                data, _ = texts.get(item.content, (None, False))
                written += self._render_message(item, MessageWriter(self._library, item, known[item.content], data))
            except KeyError:
                self.lost = True
        return joined(written)

    def _render_message(self, item: Item, message: MessageWriter) -> list[Piece]:
        """Raises KeyError when it is gone."""
        written: list[Piece] = [b"* %d FETCH (" % self._view.number(item.uid)]
        space = b""
        for attribute, heading, light in zip(self.plan.attributes, self.plan.headings, self.plan.light, strict=True):
            if light is not None:
                written.append(space + light(item, message.known))
            else:
                try:
                    written += [space, *message.write(attribute, heading)]
                except UnknownEncoding:
                    self.unknown_encoding = True
                    continue
            space = b" "
        for name in self._telling if item.uid in self.changed else ():
            if name not in self.plan.names:
                written.append(space + CHEAP[name](item, message.known))
                space = b" "
        if not space:
            return []  # of all that was asked nothing can be told, and FETCH () breaks the grammar
        written.append(b")\r\n")
        return written


class MessageWriter:
    """One message while it is written: read at most once. data: its octets, if they are at hand."""

    def __init__(self, library: Library, item: Item, known: Known, data: bytes | None) -> None:
        self._library = library
        self._item = item
        self.known = known
        self._data = data
        self._root: Part | None = None

    @property
    def data(self) -> bytes:
        if self._data is None:
            self._data = self._library.data(self._item.content)
        return self._data

    @property
    def root(self) -> Part:
        if self._root is None:
            self._root = self._library.root(self._item.content, self.known, self._data)
        return self._root

    def write(self, attribute: Attribute, heading: bytes) -> list[Piece]:
        """An attribute that is not `light`. heading: its name in a response, and a space."""
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
            picked = self.fields(section)
            return [b"NIL" if picked is None else self._cut(picked, partial)]
        found = self.place(section)
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

    def fields(self, section: Section) -> bytes | None:
        """Header fields, of the message or of one inside; None where there is no such part."""
        if not section.part:
            return self.known.fields(section)
        part = self._text_part(section.part)
        return None if part is None else part.header.pick(
            section.fields, others=section.text == "HEADER.FIELDS.NOT")

    def place(self, section: Section) -> tuple[int, int] | None:
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
