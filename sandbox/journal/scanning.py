"""Looks through the store for exchanges, in slices: each short, so that whoever reads can stop, or let others go on.

Theory of operation. Pages are read by their place in the table, forwards or backwards, a range of them at a time.
SQLite leaves out what cannot match: by the session's columns, by time, and by text, which lies readable in the
undecoded blobs. What is left is decoded, batch by batch, for only inside a batch the order of ids is not that of
pages. No index takes part but to find where to begin: one on what is written would cost every exchange more than it
saves.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import msgspec

from sandbox.journal.matching import EVERYTHING, Narrowing
from sandbox.journal.records import Datagram, Exchange

__all__ = ["Scan", "Slice", "exchanges_of"]

FIRST_PAGES, MOST_PAGES = 256, 4_096
"""Pages of a slice: few at first, so that the newest are there at once, then more."""

ENOUGH = 500
"""Exchanges that end a slice early; the batch is read to its end."""

COLUMNS = {"protocol": "protocol", "service": "service", "transport": "transport", "client": "client_host",
           "space": "space"}
"""Of a session, by their names in a `Narrowing`."""

LITERALS = 4
"""Texts that are looked for in undecoded blobs, the longest: each costs a pass over all of them."""

ASCII = re.compile(r"[\x20-\x7e]+")

EXCHANGES = msgspec.msgpack.Decoder(list[Exchange])
DATAGRAMS = msgspec.msgpack.Decoder(tuple[int, int, list[Datagram]])


class Slice(NamedTuple):
    """A piece of the way. exchanges: what was found, in the direction of the scan; share: of the way that is done,
    0 to 1; next: from where another scan goes on, as `before` where the newest come first, else as `after`; 0 where
    nothing is left."""

    exchanges: Sequence[Exchange]
    share: float
    next: int


def exchanges_of(session: int, exchanges: bytes | None, datagrams: bytes | None) -> list[Exchange]:
    """The exchanges of one page."""
    found = EXCHANGES.decode(exchanges) if exchanges else []
    if datagrams:
        client, server, rows = DATAGRAMS.decode(datagrams)
        for datagram in rows:
            found.append(datagram.exchange(session, client, server))
            client += len(datagram.data)
            server += len(datagram.answer or b"")
    return found


class Scan:
    """The exchanges that a narrowing leaves, of those with ids between `after` and `before` (0: no end), both left
    out; iterate over it for slices. newest: from the highest id down, else from the lowest up."""

    def __init__(self, db: sqlite3.Connection, narrowing: Narrowing = EVERYTHING, *, after: int = 0, before: int = 0,
                 newest: bool = False) -> None:
        self._db = db
        self._narrowing = narrowing
        self._after = after
        self._before = before or math.inf
        self._newest = newest
        where, self._values = conditions(narrowing)
        self._query = ("SELECT batch, id, session, exchanges, datagrams FROM pages NOT INDEXED"
                       f" WHERE id >= ? AND id < ? AND last > ? AND {where}"
                       f" ORDER BY id {'DESC' if newest else 'ASC'}")

    def __iter__(self) -> Iterator[Slice]:
        first, end = self._bounds()
        low, high, pages = first, end, FIRST_PAGES
        while low < high:
            if self._newest:
                found, high = self._slice(max(low, self._batch_start(high - pages)), high)
            else:
                stop = self._batch_start(low + pages)
                found, low = self._slice(low, min(high, stop if stop > low else self._behind(low + pages)))
            done = low >= high
            yield Slice(found, 1 - max(0, high - low) / (end - first), 0 if done else self._next(low, high))
            pages = min(2 * pages, MOST_PAGES)

    def _next(self, low: int, high: int) -> int:
        last = self._one("SELECT MAX(last) FROM pages INDEXED BY pages_batch WHERE batch = (SELECT batch FROM pages"
                         " WHERE id < ? AND last > 0 ORDER BY id DESC LIMIT 1)", high if self._newest else low)
        return last + 1 if self._newest else max(last, self._after)

    def _slice(self, start: int, stop: int) -> tuple[list[Exchange], int]:
        """What is in the pages from `start` to before `stop`, and where the next slice goes on."""
        found: list[Exchange] = []
        rows = self._db.execute(self._query, (start, stop, self._after, *self._values))
        since, until, after, before = self._narrowing.since, self._narrowing.until, self._after, self._before
        decoded = 0
        try:
            for _, group in groupby(rows, key=itemgetter(0)):
                pages = list(group)
                exchanges = [exchange for _, _, *page in pages for exchange in exchanges_of(*page)]
                decoded += len(exchanges)
                exchanges = [exchange for exchange in exchanges
                             if after < exchange.id < before and since <= exchange.ended <= until]
                exchanges.sort(key=lambda exchange: exchange.id, reverse=self._newest)
                found += exchanges
                if decoded >= ENOUGH:
                    last = pages[-1][1]
                    return found, last if self._newest else last + 1
        finally:
            rows.close()
        return found, start if self._newest else stop

    def _bounds(self) -> tuple[int, int]:
        """The pages to look through: the first, and the one behind the last."""
        one = self._one
        low, high = one("SELECT MIN(id) FROM pages"), one("SELECT MAX(id) + 1 FROM pages")
        if not high:
            return 0, 0
        if self._after:
            page = one("SELECT id FROM pages INDEXED BY pages_last WHERE last > ? ORDER BY last LIMIT 1", self._after)
            low = max(low, self._batch_start(page)) if page else high
        if self._before < math.inf:
            page = one("SELECT id FROM pages INDEXED BY pages_last WHERE last >= ? ORDER BY last LIMIT 1",
                       self._before)
            high = min(high, self._behind(page)) if page else high
        if self._narrowing.since:
            low = max(low, one("SELECT MIN(id) FROM pages INDEXED BY pages_ended WHERE ended >= ?",
                               self._narrowing.since) or high)
        if self._narrowing.until < math.inf:
            # What a page holds was recorded after the page before it: one more batch may hold what ended in time.
            page = one("SELECT MAX(id) FROM pages INDEXED BY pages_ended WHERE ended <= ?", self._narrowing.until)
            page = self._behind(page) if page else low
            high = min(high, self._behind(page))
        if self._narrowing.sessions is not None:
            numbers = json.dumps(sorted(self._narrowing.sessions))
            wanted = "FROM pages INDEXED BY pages_session WHERE session IN (SELECT value FROM json_each(?))"
            low = max(low, one(f"SELECT MIN(id) {wanted}", numbers) or high)
            high = min(high, one(f"SELECT MAX(id) + 1 {wanted}", numbers))
        return (self._batch_start(low), high) if low < high else (0, 0)

    def _one(self, query: str, *values: object) -> int:
        row = self._db.execute(query, values).fetchone()
        return int(row[0] or 0) if row else 0

    def _batch_start(self, page: int) -> int:
        """The first page of the batch that `page` belongs to; where it is gone, a place before the next one."""
        start = self._one("SELECT MIN(id) FROM pages INDEXED BY pages_batch WHERE batch ="
                          " (SELECT batch FROM pages WHERE id >= ? ORDER BY id LIMIT 1)", page)
        return min(start or page, page)

    def _behind(self, page: int) -> int:
        """The place behind the batch that `page`, or the next one there is, belongs to."""
        return self._one("SELECT MAX(id) + 1 FROM pages INDEXED BY pages_batch WHERE batch ="
                         " (SELECT batch FROM pages WHERE id >= ? ORDER BY id LIMIT 1)", page) or page + 1


def conditions(narrowing: Narrowing) -> tuple[str, list[object]]:
    """A WHERE clause for pages, and its values."""
    clauses, values = ["1"], list[object]()
    columns = []
    for name, wanted in narrowing.columns.items():
        columns.append(f"{COLUMNS[name]} IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(sorted(wanted)))
    if columns:
        clauses.append("EXISTS (SELECT 1 FROM sessions WHERE sessions.id = pages.session AND "
                       + " AND ".join(columns) + ")")
    if narrowing.sessions is not None:
        clauses.append("session IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(sorted(narrowing.sessions)))
    if narrowing.since:
        clauses.append("ended >= ?")
        values.append(narrowing.since)
    # Of other letters SQLite does not know the lower case; the ASCII that stands between them has to be there.
    pieces = {piece.lower() for literal in narrowing.literals for piece in ASCII.findall(literal)}
    for piece in sorted(pieces, key=len, reverse=True)[:LITERALS]:
        clauses.append("(instr(lower(CAST(exchanges AS TEXT)), ?) OR instr(lower(CAST(datagrams AS TEXT)), ?))")
        values += [piece, piece]
    return " AND ".join(clauses), values
