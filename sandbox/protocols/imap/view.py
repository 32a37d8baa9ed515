"""What one session sees of its mailbox: message numbers, and the changes it has not been told of yet.

Theory of operation. The store calls `View.hear` from its writer's thread for each commit; the changes wait in a queue
that any thread may fill. The session empties it at the moments the RFC allows (`take_news`), and only then do its
message numbers change: between two such moments message 7 stays message 7, whatever others do (RFC 9051 §5.2, §5.5).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from sandbox.protocols.imap.grammar.sets import NumberSet
from sandbox.protocols.imap.replies import FLAGS
from sandbox.world.mail import FolderChange
from sandbox.world.mail import View as Snapshot

__all__ = ["News", "NoSuchMessage", "View"]


class NoSuchMessage(Exception):
    """A message number beyond the last; also the star where there is no message (RFC 9051 §9, seq-number)."""


class News(NamedTuple):
    """What is to be told. gone: (number as it is when told, UID) in order; added, flagged: UIDs; changed: those
    flagged, and those whose flags this session changed itself; exists: messages now."""

    gone: list[tuple[int, int]]
    added: list[int]
    flagged: list[int]
    changed: list[int]
    exists: int


class Recent:
    """The UIDs that are \\Recent for one session (RFC 3501 §2.3.2), as disjoint rising ranges."""

    __slots__ = ("_ends", "_starts")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, start: int, end: int) -> None:
        """From a UID on, up to another that is not meant. start: not below what was added before."""
        if start >= end:
            return
        if self._ends and self._ends[-1] >= start:
            self._ends[-1] = end
        else:
            self._starts.append(start)
            self._ends.append(end)

    def __contains__(self, uid: int) -> bool:
        place = bisect_right(self._ends, uid)
        return place < len(self._ends) and self._starts[place] <= uid

    @property
    def end(self) -> int:
        """The UID behind the last; 0 for none."""
        return self._ends[-1] if self._ends else 0

    def count(self, uids: array[int]) -> int:
        """How many of these, which rise, are."""
        return sum(bisect_left(uids, end) - bisect_left(uids, start)
                   for start, end in zip(self._starts, self._ends, strict=True))


class View:
    """One session's mailbox. saved: what `$` stands for (UIDs)."""

    __slots__ = ("_gone", "_news", "folder", "keywords", "modseq", "name", "own", "read_only", "recent", "saved",
                 "stop", "uids", "validity", "wake")

    def __init__(self, name: str, *, read_only: bool) -> None:
        self.name = name
        self.read_only = read_only
        self.folder = self.validity = self.modseq = 0
        self.recent = Recent()
        self.uids: array[int] = array("I")
        self.keywords: frozenset[str] = frozenset()
        self.saved: list[int] = []
        self.own: set[int] = set()
        """Mod-sequences of changes of flags that this session made and has answered for."""
        self._news: deque[FolderChange] = deque()
        self._gone: set[int] = set()
        self.wake: Callable[[], None] | None = None
        """Called in another thread when there is news."""
        self.stop: Callable[[], None] = lambda: None

    def hear(self, change: FolderChange) -> None:
        """Called in the store's thread."""
        self._news.append(change)
        wake = self.wake  # the session may take it away in this very moment
        if wake is not None:
            wake()

    def begin(self, snapshot: Snapshot) -> None:
        """Start from a snapshot; changes that were heard of since, and are not in it, follow."""
        folder = snapshot.folder
        self.folder, self.validity, self.modseq = folder.id, folder.uidvalidity, folder.modseq
        self.uids = snapshot.uids
        self.keywords = snapshot.keywords | frozenset(FLAGS)
        self._news = deque(change for change in list(self._news) if not 0 < change.modseq <= folder.modseq)

    @property
    def recent_count(self) -> int:
        return self.recent.count(self.uids)

    @property
    def restless(self) -> bool:
        return bool(self._news)

    def take_news(self, *, expunges: bool) -> News:
        """Everything since the last time. expunges: whether numbers may change now; else the gone ones wait."""
        added: list[int] = []
        flagged: set[int] = set()
        changed: set[int] = set()
        while self._news:
            change = self._news.popleft()
            added += change.added
            self._gone.update(change.vanished)
            self.modseq = max(self.modseq, change.modseq)
            changed.update(change.flagged)
            if change.modseq in self.own:
                self.own.discard(change.modseq)
            else:
                flagged.update(change.flagged)
        last = self.uids[-1] if self.uids else 0
        new = [uid for uid in added if uid > last and uid not in self._gone]
        gone = self._remove() if expunges else []
        self.uids.extend(new)
        here = [uid for uid in sorted(changed) if uid not in self._gone and self.number(uid)]
        return News(gone, new, [uid for uid in here if uid in flagged], here, len(self.uids))

    def _remove(self) -> list[tuple[int, int]]:
        """Take the gone ones out; each with its number at the moment the client hears of it."""
        if not self._gone:
            return []
        found = [(index, uid) for uid in sorted(self._gone)
                 if (index := bisect_left(self.uids, uid)) < len(self.uids) and self.uids[index] == uid]
        if found:
            lost = {uid for _, uid in found}
            self.uids = array("I", [uid for uid in self.uids if uid not in lost])
            if self.saved:
                self.saved = [uid for uid in self.saved if uid not in lost]
        self._gone.clear()
        return [(index + 1 - before, uid) for before, (index, uid) in enumerate(found)]

    def number(self, uid: int) -> int:
        """A message's number, 0 for none."""
        index = bisect_left(self.uids, uid)
        return index + 1 if index < len(self.uids) and self.uids[index] == uid else 0

    def choose(self, numbers: NumberSet, *, uid: bool) -> list[range]:
        """The messages of a set, as disjoint rising ranges of indexes into `uids`. Raises NoSuchMessage."""
        if numbers.saved:
            return ranges(self.number(each) - 1 for each in self.saved if self.number(each))
        if uid:
            largest = self.uids[-1] if self.uids else 0
            return [chosen for low, high in numbers.resolve(largest)
                    if (chosen := range(bisect_left(self.uids, low), bisect_left(self.uids, high + 1)))]
        if not self.uids or any(number > len(self.uids) for number in numbers.numbers):
            raise NoSuchMessage(len(self.uids))
        return [range(low - 1, high) for low, high in numbers.resolve(len(self.uids))]


def ranges(indexes: Iterable[int]) -> list[range]:
    """Rising indexes as ranges."""
    found: list[range] = []
    for index in indexes:
        if found and found[-1].stop == index:
            found[-1] = range(found[-1].start, index + 1)
        else:
            found.append(range(index, index + 1))
    return found
