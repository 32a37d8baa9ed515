"""Searches whose results are kept up to date, as a client asks with RETURN (UPDATE) (RFC 5267 §4.3).

Only messages that came, changed or went since the last time are looked at. Contexts belong to the mailbox that is
open; what is told of them goes with its other news.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from sandbox.protocols.imap.grammar.searching import Criterion, Key
from sandbox.protocols.imap.grammar.sets import compress
from sandbox.protocols.imap.grammar.writing import string
from sandbox.protocols.imap.library import Library
from sandbox.protocols.imap.matching import Found, Matcher
from sandbox.protocols.imap.sorting import place_of
from sandbox.protocols.imap.view import View

__all__ = ["MOST", "Context", "Question", "fixed"]

MOST = 10
"""Contexts of one session: each is asked again with every piece of news."""


class Question(NamedTuple):
    """What was asked. criteria: the order of SORT, () for SEARCH; uid: whether the client wants UIDs."""

    key: Key
    charset: bytes
    criteria: tuple[Criterion, ...]
    uid: bool


def fixed(key: Key) -> bool:
    """Whether what a key means stays the same while message numbers change, and later searches are saved."""
    return key.name != "SET" and all(fixed(each) for each in key.values if isinstance(each, Key))


class Context:
    """results: UIDs in the order of the answer."""

    def __init__(self, tag: str, question: Question, found: Sequence[Found]) -> None:
        self.tag = tag
        self.question = question
        self.results = [each.item.uid for each in found]

    def remove_gone(self, gone: Sequence[tuple[int, int]]) -> bytes:
        """Before EXPUNGE is told, in message numbers as they are until then. gone: as in `News`; b"" for nothing."""
        numbers = {uid: number + before for before, (number, uid) in enumerate(gone)}
        steps = self._remove([uid for _, uid in gone])
        return self._write(b"REMOVEFROM", steps, numbers)

    def look_again(self, library: Library, view: View, uids: Sequence[int]) -> bytes:
        """At messages that came or changed; b"" for nothing to tell. Blocks."""
        asked = self.question
        found = Matcher(library, view, asked.key, asked.charset).find(uids)
        matching = {each.item.uid for each in found}
        there = set(self.results)
        numbers = {uid: view.number(uid) for uid in uids}
        line = self._write(b"REMOVEFROM", self._remove([uid for uid in uids if uid not in matching]), numbers)
        return line + self._write(b"ADDTO", [
            self._add(library, view, each) for each in found if each.item.uid not in there], numbers)

    def _remove(self, uids: Sequence[int]) -> list[tuple[int, int]]:
        """(place, UID) of each that was a result: places as they are when those before are gone."""
        steps = []
        for uid in uids:
            if self.question.criteria:
                place = self.results.index(uid) if uid in self.results else len(self.results)
            else:
                place = bisect_left(self.results, uid)
            if place < len(self.results) and self.results[place] == uid:
                del self.results[place]
                steps.append((place + 1, uid))
        return steps

    def _add(self, library: Library, view: View, found: Found) -> tuple[int, int]:
        uid = found.item.uid
        if self.question.criteria:
            place = place_of(library, view, self.results, found, self.question.criteria)
        else:
            place = bisect_left(self.results, uid)
        self.results.insert(place, uid)
        return place + 1, uid

    def _write(self, word: bytes, steps: Sequence[tuple[int, int]], numbers: dict[int, int]) -> bytes:
        """Where the order is that of the mailbox, place 0 says that the client knows it (RFC 5267 §4.3.3)."""
        if not steps:
            return b""
        named = [(place, uid if self.question.uid else numbers[uid]) for place, uid in steps]
        if self.question.criteria:
            words = b" ".join(b"%d %d" % step for step in named)
        else:
            words = b"0 " + compress(sorted(number for _, number in named))
        scale = b" UID" if self.question.uid else b""
        return b"* ESEARCH (TAG %b)%b %b (%b)\r\n" % (string(self.tag.encode()), scale, word, words)
