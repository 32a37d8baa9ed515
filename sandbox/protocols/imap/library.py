"""What is known of messages' structure, kept for all sessions together: a message never changes once it is stored."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import date
from email.utils import parsedate_tz
from typing import NamedTuple

from sandbox.protocols.imap.grammar.fetching import Section
from sandbox.protocols.imap.mime.scan import Part, scan
from sandbox.protocols.imap.mime.structure import envelope, structure
from sandbox.world.mail import MailStore

__all__ = ["Known", "Library"]

KEPT = 4000
"""Messages remembered, at a few thousand octets each."""


SECTIONS, SHORT, NAMES = 4, 4096, 400
"""How many selections of header fields are remembered of a message, and the octets of each and of its names: a mail
program asks for the same ones again and again."""


class Sent(NamedTuple):
    """The Date field. day: as it stands there, whatever the zone; moment: seconds since the epoch."""

    day: date
    moment: float


class Known:
    """What is known of one message."""

    __slots__ = ("_envelope", "_fields", "_sent", "_structures", "root")

    def __init__(self, root: Part) -> None:
        self.root = root
        self._envelope = b""
        self._structures: dict[bool, bytes] = {}
        self._fields: dict[Section, bytes] = {}
        self._sent: Sent | str | None = ""

    @property
    def envelope(self) -> bytes:
        self._envelope = self._envelope or envelope(self.root)
        return self._envelope

    def structure(self, *, extended: bool) -> bytes:
        if extended not in self._structures:
            self._structures[extended] = structure(self.root, extended=extended)
        return self._structures[extended]

    def fields(self, section: Section) -> bytes | None:
        """Header fields that have been picked before (see `remember`)."""
        return self._fields.get(section)

    def remember(self, section: Section, picked: bytes) -> None:
        if len(picked) <= SHORT and sum(map(len, section.fields)) <= NAMES:
            if len(self._fields) >= SECTIONS:
                self._fields = {}       # a new one, since another thread may be at the old one
            self._fields[section] = picked

    @property
    def sent(self) -> Sent | None:
        """When the Date field says it was written; None where it says nothing that can be read."""
        if isinstance(self._sent, str):
            self._sent = read_date(self.root.first(b"date"))
        return self._sent


class Library:
    """Everything here may block: call it in a thread. Raises KeyError for a message nobody has any more."""

    def __init__(self, store: MailStore) -> None:
        self.store = store
        self._known: OrderedDict[int, Known] = OrderedDict()
        self._guard = threading.Lock()

    def data(self, content: int) -> bytes:
        """A message's octets."""
        return b"".join(self.store.read(content))

    def known(self, content: int, data: bytes | None = None) -> Known:
        """data: the message's octets, if they are at hand."""
        with self._guard:
            found = self._known.get(content)
            if found is not None:
                self._known.move_to_end(content)
                return found
        found = Known(scan(self.data(content) if data is None else data))
        with self._guard:
            self._known[content] = found
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        return found


def read_date(value: bytes | None) -> Sent | None:
    if value is None:
        return None
    try:
        found = parsedate_tz(value.decode("latin-1"))
        if found is None:
            return None
        day = date(*found[:3])
        moment = ((day.toordinal() - 719_163) * 86_400 + found[3] * 3600 + found[4] * 60 + found[5] - (found[9] or 0))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return Sent(day, moment)
