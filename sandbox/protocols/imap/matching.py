"""Decides which messages a search is about. Everything here belongs into a thread.

A search key becomes a function from a message to yes or no. Of several that must all hold the cheap ones are asked
first: flags and dates cost nothing, a text means reading the message.
"""

from __future__ import annotations

import re
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from sandbox.message.addresses import Mailbox, read_addresses
from sandbox.message.charsets import decode_charset
from sandbox.message.scan import Part
from sandbox.message.text import fold, searched_text
from sandbox.message.words import decode_header
from sandbox.protocols.imap.grammar.searching import Key
from sandbox.protocols.imap.grammar.sets import NumberSet
from sandbox.protocols.imap.library import Known, Library
from sandbox.protocols.imap.objects import email_id, thread_id
from sandbox.protocols.imap.view import View
from sandbox.world.mail import Item

__all__ = ["Found", "Matcher", "read_headers"]

BATCH = 5000
TOGETHER = 500
"""Messages whose headers are read at once."""

DAY = 86_400
SYSTEM = {"ANSWERED": "\\answered", "DELETED": "\\deleted", "DRAFT": "\\draft", "FLAGGED": "\\flagged",
          "SEEN": "\\seen"}
ADDRESSES = ("FROM", "TO", "CC", "BCC")

ODD = re.compile(rb'["\\()\[\]:;\x00-\x1f]|  | [@.>]|[@.<] |[^ ]<|<[^<>]*<')
"""What makes addresses look otherwise than they are meant: quotes, comments, routes, groups, space amid them."""


class Found(NamedTuple):
    """A message with its number."""

    number: int
    item: Item


Matches = Callable[[Found], bool]


@lru_cache(maxsize=4096)
def flag_set(flags: str) -> frozenset[str]:
    return frozenset(flags.lower().split())


class Test(NamedTuple):
    """cost: 0 for what the item says, 1 for the header, 2 for the text."""

    matches: Matches
    cost: int


class Matcher:
    """One search in one view. `find` blocks. Numbers beyond the last are no fault in a search: nothing has them."""

    def __init__(self, library: Library, view: View, key: Key, charset: bytes) -> None:
        self._library = library
        self._folder = view.folder
        self._uids: array[int] = view.uids[:]
        self._view = view
        self._charset = charset
        self._now = time.time()
        self._present: Known | None = None
        """What is known of the message that is looked at; None for one that has been removed."""
        self._last: tuple[int, bytes, Part] | None = None
        self.uses_modseq = False
        keys = key.values if key.name == "AND" else [key]
        tests = sorted((self._compile(each) for each in keys if isinstance(each, Key)), key=lambda test: test.cost)
        self._cheap = [test.matches for test in tests if not test.cost]
        self._dear = [test.matches for test in tests if test.cost]

    def find(self, among: Sequence[int] | None = None) -> list[Found]:
        """In order. among: only these UIDs, which rise."""
        found: list[Found] = []
        if among is None:
            batches = (self._look_up(start) for start in range(0, len(self._uids), BATCH))
        else:
            batches = (self._look_up_few(among[start:start + TOGETHER]) for start in range(0, len(among), TOGETHER))
        for batch in batches:
            candidates = [each for each in batch if all(test(each) for test in self._cheap)]
            if self._dear:
                candidates = self._read_all(candidates)
            found += candidates
        return found

    def _look_up_few(self, uids: Sequence[int]) -> Iterator[Found]:
        for item in self._library.store.items_of(self._folder, uids):
            yield Found(self._view.number(item.uid), item)

    def _look_up(self, start: int) -> Iterator[Found]:
        """A batch of the view's messages, those of them that are still there."""
        uids = self._uids
        number = start
        for item in self._library.store.items_between(self._folder, uids[start], uids[start:start + BATCH][-1]):
            while uids[number] < item.uid:
                number += 1
            if uids[number] == item.uid:
                yield Found(number + 1, item)

    def _read_all(self, candidates: Sequence[Found]) -> list[Found]:
        """Those that pass the tests for which a message has to be read."""
        found = []
        for each, known in read_headers(self._library, candidates):
            self._present = known
            with suppress(KeyError):  # removed while we looked
                if all(test(each) for test in self._dear):
                    found.append(each)
        return found

    def _compile(self, key: Key) -> Test:
        name = key.name
        if name == "AND":
            tests = sorted((self._compile(each) for each in key.values if isinstance(each, Key)),
                           key=lambda test: test.cost)
            functions = [test.matches for test in tests]
            return Test(lambda found: all(matches(found) for matches in functions), tests[-1].cost)
        if name in ("NOT", "OR"):
            tests = [self._compile(each) for each in key.values if isinstance(each, Key)]
            first, last = tests[0].matches, tests[-1].matches
            cost = max(test.cost for test in tests)
            if name == "NOT":
                return Test(lambda found: not first(found), cost)
            if tests[-1].cost < tests[0].cost:
                first, last = last, first
            return Test(lambda found: first(found) or last(found), cost)
        value = key.values[0] if key.values else None
        if value is None:
            return Test(self._bare(name), 0)
        if isinstance(value, NumberSet):
            return Test(self._numbers(value, uid=name == "UID"), 0)
        if isinstance(value, date):
            return self._dated(name, value)
        if isinstance(value, int):
            return Test(self._counted(name, value), 0)
        assert isinstance(value, bytes)
        if name in ("KEYWORD", "UNKEYWORD"):
            return Test(flagged(value.decode().lower(), wanted=name == "KEYWORD"), 0)
        if name == "EMAILID":
            return Test(lambda found: email_id(found.item).encode() == value, 0)
        if name == "THREADID":
            return Test(lambda found: thread_id(found.item, self._known(found.item)).encode() == value, 1)
        text = fold(decode_charset(value, self._charset))
        if name == "HEADER":
            second = key.values[1]
            assert isinstance(second, bytes)
            return Test(self._header(value.lower(), fold(decode_charset(second, self._charset))), 1)
        if name in ADDRESSES:
            return Test(self._addressed(name.lower().encode(), text), 1)
        if name == "SUBJECT":
            return Test(self._header(b"subject", text), 1)
        return Test(self._text(text, headers=name == "TEXT"), 2)

    def _bare(self, name: str) -> Matches:
        """Keys without a value."""
        recent = self._view.recent
        if name == "ALL":
            return lambda found: True
        if name == "RECENT":
            return lambda found: found.item.uid in recent
        if name == "OLD":
            return lambda found: found.item.uid not in recent
        if name == "NEW":
            return lambda found: found.item.uid in recent and "\\seen" not in flag_set(found.item.flags)
        if name in SYSTEM:
            return flagged(SYSTEM[name], wanted=True)
        return flagged(SYSTEM[name.removeprefix("UN")], wanted=False)

    def _numbers(self, numbers: NumberSet, *, uid: bool) -> Matches:
        uids = self._uids
        if numbers.saved:
            saved = frozenset(self._view.saved)
            return lambda found: found.item.uid in saved
        largest = (uids[-1] if uids else 0) if uid else len(uids)
        ranges = numbers.resolve(largest)
        starts = [low for low, _ in ranges]

        def inside(number: int) -> bool:
            place = bisect_right(starts, number) - 1
            return place >= 0 and number <= ranges[place][1]

        return (lambda found: inside(found.item.uid)) if uid else (lambda found: inside(found.number))

    def _dated(self, name: str, day: date) -> Test:
        """Whole days; of INTERNALDATE in UTC, as it is shown; of the Date field as it stands there."""
        if not name.startswith("SENT"):
            start = (day.toordinal() - 719_163) * DAY
            if name == "BEFORE":
                return Test(lambda found: found.item.received < start, 0)
            if name == "SINCE":
                return Test(lambda found: found.item.received >= start, 0)
            return Test(lambda found: start <= found.item.received < start + DAY, 0)

        def sent(found: Found) -> bool:
            written = self._known(found.item).sent
            if written is None:
                return False
            if name == "SENTBEFORE":
                return written.day < day
            return written.day >= day if name == "SENTSINCE" else written.day == day

        return Test(sent, 1)

    def _counted(self, name: str, number: int) -> Matches:
        now = self._now
        if name == "LARGER":
            return lambda found: found.item.size > number
        if name == "SMALLER":
            return lambda found: found.item.size < number
        if name == "OLDER":
            return lambda found: found.item.received <= now - number
        if name == "YOUNGER":
            return lambda found: found.item.received >= now - number
        self.uses_modseq = True
        return lambda found: found.item.modseq >= number

    def _header(self, field: bytes, text: str) -> Matches:
        """An empty text asks whether the field is there (RFC 9051 §6.4.4)."""
        def matches(found: Found) -> bool:
            return any(text in fold(decode_header(value)) for value in self._known(found.item).header.values(field))

        return matches

    def _addressed(self, field: bytes, text: str) -> Matches:
        """The same in what the envelope has: addresses, each with its name, however they are written."""
        def matches(found: Found) -> bool:
            values = self._known(found.item).header.values(field)
            if not text:
                return bool(values)
            return any(in_addresses(text, value) for value in values)

        return matches

    def _text(self, text: str, *, headers: bool) -> Matches:
        def matches(found: Found) -> bool:
            data, root = self._read(found.item)
            parts = root.walk()
            for index, part in enumerate(parts):
                if (headers if index == 0 else part.start < part.body) and (headers or part.children) and any(
                        text in fold(f"{name.decode('ascii')}: {decode_header(value)}")
                        for name, value in part.header.all()):
                    return True
            return any(text in fold(searched_text(data, part)) for part in parts)

        return matches

    def _known(self, item: Item) -> Known:
        """Raises KeyError when it has been removed."""
        if self._present is None:
            raise KeyError(item.content)
        return self._present

    def _read(self, item: Item) -> tuple[bytes, Part]:
        """The message and its parts; the last one is kept for the search's other keys. Raises KeyError."""
        if self._last is None or self._last[0] != item.content:
            data = self._library.data(item.content)
            self._last = item.content, data, self._library.root(item.content, self._known(item), data)
        return self._last[1], self._last[2]


def read_headers(library: Library, found: Sequence[Found]) -> Iterator[tuple[Found, Known | None]]:
    """Each with what is known of it, None for one that nobody has any more. Blocks now and then."""
    for start in range(0, len(found), TOGETHER):
        batch = found[start:start + TOGETHER]
        known = library.several([each.item.content for each in batch])
        for each in batch:
            yield each, known.get(each.item.content)


def in_addresses(text: str, value: bytes) -> bool:
    """Whether a folded text is in one of the addresses of a field. Most fields are written as they are meant: what is
    not in one of those is in none of its addresses, and it need not be taken apart."""
    if not ODD.search(value) and text not in fold(decode_header(value)):
        return False
    return any(text in fold(written(box)) for box in read_addresses(value))


def written(box: Mailbox) -> str:
    """An address as people write it, without quotes; a group's name."""
    local = decode_header(box.local or b"")
    address = f"{local}@{decode_header(box.host)}" if box.host else local
    return f"{box.shown_name} <{address}>" if box.name else address


def flagged(flag: str, *, wanted: bool) -> Matches:
    if wanted:
        return lambda found: flag in flag_set(found.item.flags)
    return lambda found: flag not in flag_set(found.item.flags)
