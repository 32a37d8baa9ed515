"""The journal as the API reads it: searches through `Asking`, single looks in a thread; the loop never waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import trio

from sandbox.journal.asking import Asking, Pair
from sandbox.journal.journal import Journal
from sandbox.journal.matching import Matcher
from sandbox.journal.reader import Reader

__all__ = ["Archive", "Page"]

T = TypeVar("T")

PATIENCE = 0.4
"""Seconds a search may take before its answer comes with what there is: whoever asked sees that it goes on."""
COUNTING = 10.0
"""The same for a count, which has nothing to show before its end."""
LOOKS = 4
"""Single looks at a time; others wait."""


class Page(NamedTuple):
    """Exchanges, newest first. next: the id to go on before, 0 where there are no more; complete: whether the search
    has come to the end of the journal or of the page; searched: the share of the way, 0 to 1."""

    found: list[Pair]
    next: int
    complete: bool
    searched: float


class Archive:
    """What was recorded, of one journal."""

    def __init__(self, journal: Journal) -> None:
        self.asking = Asking(journal)
        self._journal = journal
        self._limiter = trio.CapacityLimiter(LOOKS)

    async def newest(self, matcher: Matcher | None, *, limit: int, before: int = 0, after: int = 0,
                     oldest: bool = False) -> Page:
        """The newest exchanges that match, with ids between; or the oldest, then `next` is the id to go on after."""
        found: list[Pair] = []
        until = time.monotonic() + PATIENCE
        async with self.asking.history(matcher, before=before, after=after, limit=limit + 1,
                                       newest=not oldest) as history:
            async for part in history:
                found += part.exchanges
                if len(found) > limit:
                    return Page(found[:limit], found[limit - 1][1].id, True, part.share)
                if time.monotonic() > until and part.next:
                    return Page(found, part.next, False, part.share)
        return Page(found, 0, True, 1.0)

    async def count(self, matcher: Matcher | None) -> tuple[int, bool]:
        """How many match, and whether all were looked at."""
        number = 0
        until = time.monotonic() + COUNTING
        async with self.asking.history(matcher) as history:
            async for part in history:
                number += len(part.exchanges)
                if time.monotonic() > until:
                    return number, part.share >= 1
        return number, True

    async def accounts(self, matcher: Matcher) -> set[str]:
        """The people as whom somebody was logged in, as far as can be found with patience."""
        names: set[str] = set()
        until = time.monotonic() + PATIENCE
        async with self.asking.history(matcher) as history:
            async for part in history:
                names.update(exchange.facts["account"] for _, exchange in part.exchanges)
                if time.monotonic() > until:
                    break
        return names

    async def read(self, function: Callable[[Reader], T]) -> T:
        """Run a function over a reader of its own, in a thread, when all that has happened so far is written."""
        await self._journal.settle()

        def visit() -> T:
            with Reader(self._journal.path) as reader:
                return function(reader)

        return await trio.to_thread.run_sync(visit, limiter=self._limiter, abandon_on_cancel=True)
