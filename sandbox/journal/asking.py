"""Asks the journal of a running sandbox: what was, what comes, and the first that is meant.

Theory of operation. History is read from the store, in a thread, a slice at a time, so that the loop never waits for
more than a turn. Who follows subscribes to the bus first. Then everything recorded so far, up to the exchange with
the highest id there is, is written, and comes from the store; what has a higher id comes from the bus. So nothing is
missing and nothing comes twice. Who reads too slowly is told how many exchanges it missed; the store has them all.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import NamedTuple, TypeVar

import trio

from sandbox.journal.bus import Happened
from sandbox.journal.journal import Journal
from sandbox.journal.matching import Matcher, Narrowing, TellsFailing, reads_octets
from sandbox.journal.reader import Found, Reader
from sandbox.journal.records import Exchange, Session

__all__ = ["Asking", "NearMiss", "News", "NotSeen"]

SEARCHES = 2
"""Slices that are read at a time, of all who ask; the others wait for their turn."""

WAITING = 20_000
"""Exchanges that may wait for one who follows."""

LOOKED_AT = 100
"""Exchanges that are matched on the loop before others get a turn."""

NEAR_MISSES = 5
NEAR_SEARCHED = 5_000
"""Of how many of the latest exchanges the nearest are told."""

Pair = tuple[Session, Exchange]
T = TypeVar("T")


class News(NamedTuple):
    """What has come to who follows. exchanges: in the order they ended; missed: how many exchanges, whether they
    match or not, came too fast for this reader just before."""

    exchanges: Sequence[Pair]
    missed: int = 0


class NearMiss(NamedTuple):
    """An exchange that was not meant, and the terms it failed."""

    session: Session
    exchange: Exchange
    failed: Sequence[str]


class NotSeen(TimeoutError):
    """What was waited for did not come in time. seen: those that match, fewer than were wanted; near_misses: the
    exchanges that came nearest, of those looked at last."""

    def __init__(self, seen: Sequence[Pair], near_misses: Sequence[NearMiss]) -> None:
        super().__init__(f"{len(seen)} exchanges match; the time is over")
        self.seen = seen
        self.near_misses = near_misses


class Asking:
    """Asks the journal. One for all who ask; it may be used from any task of its loop."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._turns = trio.CapacityLimiter(SEARCHES)

    @asynccontextmanager
    async def history(self, matcher: Matcher | None = None, *, before: int = 0, after: int = 0, limit: int = 0,
                      newest: bool = True) -> AsyncIterator[AsyncIterator[Found]]:
        """What has ended and matches, the newest first unless told otherwise, slice by slice; a slice may be empty,
        and says how far the search is. before, after: only ids between; limit: how many at most; 0 for no end.

            async with asking.history(matcher, limit=50) as history:
                async for found in history: ...
        """
        await self._journal.settle()
        reader = await self._in_thread(lambda: Reader(self._journal.path))
        try:
            async with aclosing(self._slices(reader.search(matcher, after=after, before=before, newest=newest), limit)
                                ) as slices:
                yield slices
        finally:
            reader.close()

    async def _slices(self, search: Iterator[Found], limit: int) -> AsyncGenerator[Found, None]:
        left = limit or math.inf
        while left and (found := await self._in_thread(lambda: next(search, None))) is not None:
            if len(found.exchanges) > left:
                kept = found.exchanges[:int(left)]
                found = found._replace(exchanges=kept, next=kept[-1][1].id)
            left -= len(found.exchanges)
            yield found

    async def newest(self, matcher: Matcher | None = None, *, count: int, before: int = 0) -> list[Pair]:
        """The last `count` that match, newest first."""
        async with self.history(matcher, before=before, limit=count) as history:
            return [pair async for found in history for pair in found.exchanges]

    @asynccontextmanager
    async def follow(self, matcher: Matcher | None = None, *, after: int | None = None, waiting: int = WAITING,
                     ) -> AsyncIterator[AsyncIterator[News]]:
        """What matches, in the order it ended: first what the store has after the id `after` (None: nothing), then
        what comes, without end. waiting: how many exchanges may wait for this reader.

            async with asking.follow(matcher, after=0) as following:
                async for news in following: ...
        """
        inbox = Inbox(waiting)
        self._journal.bus.watch(inbox.push)
        try:
            async with aclosing(self._follow(matcher, after, self._journal.last, inbox)) as following:
                yield following
        finally:
            self._journal.bus.unwatch(inbox.push)

    async def _follow(self, matcher: Matcher | None, after: int | None, upto: int, inbox: Inbox,
                      ) -> AsyncGenerator[News, None]:
        """upto: the last exchange that may not come through the inbox."""
        while after is not None and after < upto:
            async with self.history(matcher, after=after, before=upto + 1, newest=False) as history:
                async for found in history:
                    if found.exchanges:
                        yield News(found.exchanges)
            after = upto
            if inbox.missed:  # meanwhile more came than may wait: the store has that too
                upto = self._journal.last
                inbox.empty()
        if reads_octets(matcher):
            async for _ in inbox:
                # What was said is in the store: who looks at that is asked there, when it has been written.
                before, upto = upto, self._journal.last
                async with self.history(matcher, after=before, before=upto + 1, newest=False) as history:
                    async for found in history:
                        if found.exchanges:
                            yield News(found.exchanges)
        async for happened, missed in inbox:
            pairs: list[Pair] = []
            if missed:
                yield News((), missed)
            for start in range(0, len(happened.exchanges), LOOKED_AT):
                pairs += [pair for pair in happened.exchanges[start:start + LOOKED_AT]
                          if pair[1].id > upto and (matcher is None or matcher.matches(*pair))]
                await trio.lowlevel.checkpoint()
            if pairs:
                yield News(pairs)

    async def first(self, matcher: Matcher, *, count: int = 1, after: int = 0, since: float = 0.0,
                    timeout: float = math.inf) -> list[Pair]:
        """The first `count` exchanges that match, as soon as there are so many. after: with a higher id; since: ended
        at or after, seconds since the epoch; timeout: seconds. Raises NotSeen."""
        seen: list[Pair] = []
        wanted = Since(matcher, since)
        with trio.move_on_after(timeout):
            async with self.follow(wanted, after=after) as following:
                async for news in following:
                    seen += news.exchanges
                    if len(seen) >= count:
                        return seen[:count]
        raise NotSeen(seen, await self._near_misses(matcher, after, since))

    async def _near_misses(self, matcher: Matcher, after: int, since: float) -> list[NearMiss]:
        """Those that failed the fewest terms, of these the latest."""
        if not isinstance(matcher, TellsFailing):
            return []
        misses: list[NearMiss] = []
        async with self.history(Since(None, since), after=after, limit=NEAR_SEARCHED) as history:
            async for found in history:
                for start in range(0, len(found.exchanges), LOOKED_AT):
                    misses += [NearMiss(*pair, failed) for pair in found.exchanges[start:start + LOOKED_AT]
                               if (failed := matcher.failing(*pair))]
                    misses = heapq.nsmallest(NEAR_MISSES, misses,
                                             key=lambda miss: (len(miss.failed), -miss.exchange.id))
                    await trio.lowlevel.checkpoint()
        return misses

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await trio.to_thread.run_sync(work, limiter=self._turns)


class Since:
    """A matcher for what ended at or after a moment, too."""

    def __init__(self, matcher: Matcher | None, since: float) -> None:
        self._matcher = matcher
        self._since = since
        self.reads_octets = reads_octets(matcher)

    def matches(self, session: Session, exchange: Exchange) -> bool:
        return exchange.ended >= self._since and (self._matcher is None or self._matcher.matches(session, exchange))

    def narrowing(self) -> Narrowing:
        narrowing = Narrowing() if self._matcher is None else self._matcher.narrowing()
        return narrowing._replace(since=max(narrowing.since, self._since))


class Inbox:
    """An observer that reads at its own pace: `limit` exchanges may wait. missed: how many did not."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._batches: deque[Happened] = deque()
        self._waiting = 0
        self._news = trio.Event()
        self.missed = 0

    def push(self, happened: Happened) -> None:
        if not happened.exchanges:
            return
        self._batches.append(happened)
        self._waiting += len(happened.exchanges)
        while self._waiting > self._limit and len(self._batches) > 1:
            gone = len(self._batches.popleft().exchanges)
            self._waiting -= gone
            self.missed += gone
        self._news.set()

    def empty(self) -> None:
        self._batches.clear()
        self._waiting = self.missed = 0

    def __aiter__(self) -> Inbox:
        return self

    async def __anext__(self) -> tuple[Happened, int]:
        """The next batch, and how many exchanges were missed before it."""
        while not self._batches:
            self._news = trio.Event()
            await self._news.wait()
        happened, missed = self._batches.popleft(), self.missed
        self._waiting -= len(happened.exchanges)
        self.missed = 0
        return happened, missed
