"""What is known of messages, kept for all sessions together: a message never changes once it is stored.

Searching and sorting ask for a field or two of every message there is. So a message begins here with its header
alone, read with many others at once, and its parts are found when somebody wants to see them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from sandbox.message.dates import Sent, read_date
from sandbox.message.headers import Header
from sandbox.message.scan import LONGEST_HEADER, Part, body_start, scan
from sandbox.protocols.imap.grammar.fetching import Section
from sandbox.protocols.imap.structure import envelope, structure
from sandbox.world.mail import MailStore

__all__ = ["Known", "Library"]

KEPT = 4000
"""Messages remembered, at a few thousand octets each."""

START = 4096
"""Octets of a message in which its header is looked for at first."""

LONG = 32_768
"""Octets of a header above which it is not remembered."""

PARTS = 50
"""Parts of a message above which they are not remembered: each takes hundreds of octets, for a few in the mail."""

SECTIONS, SHORT, NAMES = 4, 4096, 400
"""How many selections of header fields are remembered of a message, and the octets of each and of its names: a mail
program asks for the same ones again and again."""


class Known:
    """What is known of one message. root: its parts, once somebody has asked for them."""

    __slots__ = ("_envelope", "_fields", "_sent", "_structures", "header", "root")

    def __init__(self, header: Header) -> None:
        self.header = header
        self.root: Part | None = None
        self._envelope = b""
        self._structures: dict[bool, bytes] = {}
        self._fields: dict[Section, bytes] = {}
        self._sent: Sent | str | None = ""

    @property
    def envelope(self) -> bytes:
        self._envelope = self._envelope or envelope(self.header)
        return self._envelope

    def structure(self, root: Part, *, extended: bool) -> bytes:
        """root: its own."""
        found = self._structures.get(extended)
        if found is None:
            found = structure(root, extended=extended)
            if len(found) <= LONG:
                self._structures[extended] = found
        return found

    def fields(self, section: Section) -> bytes:
        """Fields of the message's own header."""
        picked = self._fields.get(section)
        if picked is None:
            picked = self.header.pick(section.fields, others=section.text == "HEADER.FIELDS.NOT")
            if len(picked) <= SHORT and sum(map(len, section.fields)) <= NAMES:
                if len(self._fields) >= SECTIONS:
                    self._fields = {}       # a new one, since another thread may be at the old one
                self._fields[section] = picked
        return picked

    @property
    def sent(self) -> Sent | None:
        """When the Date field says it was written; None where it says nothing that can be read."""
        if isinstance(self._sent, str):
            self._sent = read_date(self.header.first(b"date"))
        return self._sent


class Library:
    """Everything here may block: call it in a thread. Reading raises KeyError for a message nobody has any more."""

    def __init__(self, store: MailStore) -> None:
        self.store = store
        self._known: OrderedDict[int, Known] = OrderedDict()
        self._guard = threading.Lock()

    def data(self, content: int) -> bytes:
        """A message's octets."""
        return b"".join(self.store.read(content))

    def several(self, contents: Sequence[int]) -> dict[int, Known]:
        """Those that are there; a thousand at most. Of messages not met before only the beginning is read."""
        found: dict[int, Known] = {}
        strange = []
        with self._guard:
            for content in contents:
                known = self._known.get(content)
                if known is None:
                    strange.append(content)
                else:
                    self._known.move_to_end(content)
                    found[content] = known
        if strange:
            fresh = {content: Known(Header(self._whole_header(content, start)))
                     for content, start in self.store.read_starts(strange, START).items()}
            self._remember(fresh)
            found |= fresh
        return found

    def root(self, content: int, known: Known, data: bytes | None = None) -> Part:
        """A message's parts. known: what is known of it; data: its octets, if they are at hand."""
        root = known.root
        if root is None:
            root = scan(self.data(content) if data is None else data)
            if len(root.walk()) <= PARTS:
                known.root = root
        return root

    def _whole_header(self, content: int, start: bytes) -> bytes:
        body = body_start(start, 0, len(start))
        if body == len(start) == START:
            start = b"".join(self.store.read(content, end=LONGEST_HEADER))
            body = body_start(start, 0, len(start))
        return start[:body]

    def _remember(self, fresh: dict[int, Known]) -> None:
        with self._guard:
            self._known.update((content, known) for content, known in fresh.items()
                               if len(known.header.octets) <= LONG)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)

