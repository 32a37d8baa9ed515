"""The live stream (server-sent events): each frame is made once, and every page that watches has its place in a ring.

A frame is what happened in a tenth of a second. Rows are made, and encoded, when the first page asks for them; pages
that see everything, under the same filter, share the octets. A page that is overtaken by the ring is told how much it
missed and goes on; it never holds anybody up. A page that is gone shows only at the next write: hence the heartbeats.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import msgspec
import trio

from sandbox.dashboard.access import Seen
from sandbox.explain.rows import Place, row, session_row
from sandbox.journal.bus import Begun, Happened
from sandbox.journal.journal import Journal
from sandbox.journal.records import Exchange, Session

__all__ = ["Live", "Watcher", "event"]

EVERY = 0.1
"""Seconds from one frame to the next."""
RING = 100
"""Frames that are kept: what a page can be late by, ten seconds."""
ROWS = 2_000
"""Exchanges of one frame that are made into rows; of more only the newest."""
PAGES = 100
"""Streams to one address: a class behind one router, with three tabs each. Each may have a filter of its own, which
costs the loop."""
HEARTBEAT = 10.0
"""Seconds without news until a comment is sent."""

encode = msgspec.json.Encoder().encode


class Frame(NamedTuple):
    """What happened in one turn. missed: exchanges that were too many for it."""

    number: int
    happened: Happened
    missed: int


class Live:
    """One for a live page; `run` must be running for anybody to be told anything."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._bus = journal.bus
        self._ring: deque[Frame] = deque(maxlen=RING)
        self._number = 0
        self._collected: list[Happened] = []
        self._news = trio.Event()
        self._some = trio.Event()
        self._watchers = 0
        self._by_address: Counter[str] = Counter()
        self._stopped = False
        self._encoded: dict[tuple[int, str], bytes] = {}
        """What those who see everything get, by frame and filter."""

    async def run(self) -> None:
        """Make frames while anybody watches."""
        while True:
            await self._some.wait()
            await trio.sleep(EVERY)
            self._some = trio.Event()
            self._frame()

    async def stop_after(self, stop: trio.Event) -> None:
        """Then tell everybody that the sandbox stops, and end their streams."""
        await stop.wait()
        self._stopped = True
        self._wake()

    @contextmanager
    def subscribed(self, address: str = "") -> Iterator[Watcher]:
        """Somebody at this address watches, from this moment on."""
        self._by_address[address] += 1
        if self._watchers == 0:
            self._bus.watch(self._happened)
        self._watchers += 1
        try:
            yield Watcher(self, self._number)
        finally:
            self._watchers -= 1
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
            if self._watchers == 0:
                self._bus.unwatch(self._happened)
                self._ring.clear()
                self._encoded.clear()
                self._collected.clear()

    def crowded(self, address: str) -> bool:
        """Whether as many pages watch from there as may."""
        return self._by_address[address] >= PAGES

    async def after(self, number: int) -> Sequence[Frame] | None:
        """The frames after that number, () when nothing came for a while, None when the sandbox stops."""
        if not self._ring or self._ring[-1].number <= number:
            if self._stopped:
                return None
            news = self._news
            with trio.move_on_after(HEARTBEAT):
                await news.wait()
        return [frame for frame in self._ring if frame.number > number] or (None if self._stopped else ())

    def _happened(self, happened: Happened) -> None:
        self._collected.append(happened)
        self._some.set()

    def _frame(self) -> None:
        collected, self._collected = self._collected, []
        if not collected or not self._watchers:
            return
        exchanges = [news for happened in collected for news in happened.exchanges]
        missed = max(0, len(exchanges) - ROWS)
        self._number += 1
        self._ring.append(Frame(self._number, Happened(
            [one for happened in collected for one in happened.opened], exchanges[missed:],
            [one for happened in collected for one in happened.closed],
            [one for happened in collected for one in happened.begun if not one.exchange.id]), missed))
        oldest = self._ring[0].number
        self._encoded = {key: data for key, data in self._encoded.items() if key[0] >= oldest}
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = trio.Event()

    def shared(self, frame: Frame, seen: Seen, text: str) -> bytes:
        """A frame as everybody gets it who sees everything under the filter of this text."""
        key = (frame.number, text)
        data = self._encoded.get(key)
        if data is None:
            data = self._encoded[key] = encoded(frame, seen, 0, self.open(seen))
        return data

    def open(self, seen: Seen) -> int:
        """How many sessions are under way, of those that may be seen."""
        return seen.counted(self.journal.under_way.values())


class Watcher:
    """One page's place in the ring."""

    def __init__(self, live: Live, number: int) -> None:
        self._live = live
        self._number = number

    async def frames(self, seen: Seen, text: str | None, after: int) -> AsyncGenerator[bytes, None]:
        """What happens, encoded, until the sandbox stops. text: the filter's, where everybody with it gets the same,
        else None; after: the id of the last exchange that the page has."""
        while (frames := await self._live.after(self._number)) is not None:
            if not frames:
                yield b":\n\n"
                continue
            if frames[0].number > self._number + 1:
                yield event("gap", {"missed": frames[0].number - self._number - 1})
            self._number = frames[-1].number
            pieces = [self._live.shared(frame, seen, text) if text is not None and after < first_id(frame)
                      else encoded(frame, seen, after, self._live.open(seen)) for frame in frames]
            if data := b"".join(pieces):
                yield data
        yield event("stop", None)


def first_id(frame: Frame) -> int:
    exchanges = frame.happened.exchanges
    return exchanges[0][1].id if exchanges else 2**62


def encoded(frame: Frame, seen: Seen, after: int, under_way: int) -> bytes:
    """A frame for those who see this much of it; b"" for nothing. under_way: sessions that are open now."""
    pieces = []
    if frame.missed:
        pieces.append(event("gap", {"missed": frame.missed}))
    happened = frame.happened
    if begun := begun_rows(happened.begun, seen):
        pieces.append(event("begun", begun))
    exchanges = [(session, exchange) for session, exchange in happened.exchanges
                 if exchange.id > after and seen.matches(session, exchange)]
    if exchanges:
        pieces.append(event("exchanges", [row(*pair) for pair in exchanges], exchanges[-1][1].id))
    opened = [session for session in happened.opened if seen.sees(session)]
    closed = [session for session in happened.closed if seen.sees(session)]
    if opened or closed:
        pieces.append(event("sessions", {"opened": [session_row(one) for one in opened[-50:]],
                                         "closed": [session_row(one) for one in closed[-50:]],
                                         "sessions_open": under_way}))
    return b"".join(pieces)


def begun_rows(begun: Sequence[Begun], seen: Seen) -> list[dict[str, object]]:
    return [{"begun": f"{session.id}:{exchange.started}", "session": session.id, "protocol": session.protocol,
             "service": session.service, "client": Place(session.client.host, session.client.port),
             "verb": exchange.verb, "asked": exchange.asked, "started": exchange.started}
            for session, exchange in begun[-50:] if seen.matches(session, as_ended(session, exchange))]


def as_ended(session: Session, exchange: object) -> Exchange:
    """What is under way, as an exchange without an outcome: filters know only those."""
    verb, asked = getattr(exchange, "verb", ""), getattr(exchange, "asked", "")
    started = getattr(exchange, "started", 0.0)
    return Exchange(0, session.id, started, started, verb, asked, "", "", "", (0, 0), (0, 0),
                    dict(getattr(exchange, "facts", {})))


def event(name: str, data: object, number: int = 0) -> bytes:
    """One server-sent event."""
    return b"event: %b\n%bdata: %b\n\n" % (name.encode(), b"id: %d\n" % number if number else b"", encode(data))
