"""Reads a journal's store, also while a sandbox writes it: the log command, the exports, the tests."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from sandbox.address import Address
from sandbox.errors import StoreError
from sandbox.journal.batch import ChunkRow
from sandbox.journal.beside import beside_the_loop
from sandbox.journal.bodies import BodyReader, folder_of
from sandbox.journal.matching import EVERYTHING, SIDES, Matcher, Narrowing, reads_octets
from sandbox.journal.records import Chunk, Exchange, Session, Stream
from sandbox.journal.scanning import DATAGRAMS, Scan, exchanges_of
from sandbox.journal.schema import MIGRATIONS

__all__ = ["Found", "Reader"]

COLUMNS = ('id, service, protocol, transport, client_host, client_port, server_host, server_port, parent, cause,'
           ' space, opened, closed, "end", facts')

READ_OF_A_SIDE = 65_536
"""Octets of each side of an exchange that a matcher may look at."""

KNOWN = 1_000
"""Sessions that a search remembers, those of the exchanges around."""


class Found(NamedTuple):
    """What one slice of a search came to. exchanges: those that match, in the direction of the search; share: of the
    way that is done, 0 to 1; next: from where another search goes on, as `before` where the newest come first, else
    as `after`; 0 where nothing is left; searched: exchanges that were looked at, without those left out unread."""

    exchanges: Sequence[tuple[Session, Exchange]]
    share: float
    next: int
    searched: int


class Reader:
    """A look into the store at `path`; for one thread at a time. Raises StoreError when there is none to read."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise StoreError(f"{path}: no journal there; has a sandbox run with this --data DIR?")
        try:
            self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{path}: not a usable journal ({error})") from error
        if version != len(MIGRATIONS):
            raise StoreError(f"{path}: schema {version}, but this sandbox reads {len(MIGRATIONS)}")
        self._chunks = msgspec.msgpack.Decoder(list[ChunkRow])
        self._last_blob = (0, b"")
        self._bodies = BodyReader(folder_of(path))
        self._facts = msgspec.msgpack.Decoder(dict[str, dict[str, Any]])

    def close(self) -> None:
        self._bodies.close()
        self._db.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # -- sessions and exchanges -------------------------------------------------------------------------------

    def session(self, number: int) -> Session | None:
        """One session, or None when it is not (or no longer) there."""
        for session in self._sessions("id = ?", (number,)):
            return session
        return None

    def sessions(self, *, protocol: str = "", service: str = "", client: str = "", since: float = 0.0,
                 ) -> Iterator[Session]:
        """Sessions, oldest first. client: a host; since: seconds since the epoch, and the session touched it."""
        asked = {"protocol": protocol, "service": service, "client_host": client}
        where = "".join(f"{name} = ? AND " for name, value in asked.items() if value)
        return self._sessions(f"{where}(closed = 0 OR closed >= ?)", (*filter(None, asked.values()), since))

    def search(self, matcher: Matcher | None = None, *, after: int = 0, before: int = 0, newest: bool = False,
               ) -> Iterator[Found]:
        """Exchanges that match (None: all), slice by slice; each is a little work, so that whoever asks can stop, or
        do something else in between. after, before: only ids between, 0 for no end; newest: from the highest id down.
        """
        return self._search(matcher.narrowing() if matcher else EVERYTHING, matcher, after, before, newest)

    def last(self) -> int:
        """The highest id of an exchange there is, 0 for none."""
        (number,) = self._db.execute("SELECT COALESCE(MAX(last), 0) FROM pages").fetchone()
        return int(number)

    def exchange(self, number: int) -> tuple[Session, Exchange] | None:
        """One exchange with its session, or None when it is not (or no longer) there."""
        for found in self.search(after=number - 1, before=number + 1):
            for pair in found.exchanges:
                return pair
        return None

    def exchanges(self, *, after: int = 0, protocol: str = "", service: str = "", client: str = "",
                  since: float = 0.0) -> Iterator[tuple[Session, Exchange]]:
        """Exchanges in the order they ended. after: only those with a higher id; since: ended at or after."""
        narrowing = narrowed(since, protocol=protocol, service=service, client=client)
        for found in self._search(narrowing, None, after, 0, newest=False):
            yield from found.exchanges

    def newest(self, count: int, matcher: Matcher | None = None) -> list[tuple[Session, Exchange]]:
        """The last `count` exchanges that match, in the order they ended. Reads no more of the store than they take.
        """
        newest: list[tuple[Session, Exchange]] = []
        for found in self.search(matcher, newest=True):
            newest += found.exchanges
            if len(newest) >= count:
                break
        return newest[:count][::-1]

    def _search(self, narrowing: Narrowing, matcher: Matcher | None, after: int, before: int, newest: bool,
                ) -> Iterator[Found]:
        known: dict[int, Session | None] = {}
        slices = iter(Scan(self._db, narrowing, after=after, before=before, newest=newest))
        while True:
            with beside_the_loop():
                piece = next(slices, None)
                if piece is None:
                    return
                found = Found(self._matching(piece.exchanges, matcher, known), piece.share, piece.next,
                              len(piece.exchanges))
            yield found

    def _matching(self, exchanges: Sequence[Exchange], matcher: Matcher | None, known: dict[int, Session | None],
                  ) -> list[tuple[Session, Exchange]]:
        """Those that match, with their sessions. known: sessions that were looked up before."""
        if len(known) > KNOWN:
            known.clear()
        new = {exchange.session for exchange in exchanges} - known.keys()
        if new:
            known.update(dict.fromkeys(new))  # a session can be retired while we read
            known.update((session.id, session) for session in self._sessions(
                "id IN (SELECT value FROM json_each(?))", (json.dumps(sorted(new)),)))
        pairs = [(session, exchange) for exchange in exchanges
                 if (session := known[exchange.session]) is not None]
        if matcher is None:
            return pairs
        token = SIDES.set(self._sides if reads_octets(matcher) else None)
        try:
            return [pair for pair in pairs if matcher.matches(*pair)]
        finally:
            SIDES.reset(token)

    def _sides(self, session: Session, exchange: Exchange) -> tuple[bytes, bytes]:
        """What both sides said, for a matcher."""
        client, server = (self.octets(session.id, stream, start, min(end, start + READ_OF_A_SIDE))
                          for stream, (start, end) in ((Stream.CLIENT, exchange.client),
                                                       (Stream.SERVER, exchange.server)))
        return client, server

    def _sessions(self, where: str, values: Iterable[object]) -> Iterator[Session]:
        rows = self._db.execute(f"SELECT {COLUMNS} FROM sessions WHERE {where} ORDER BY id", tuple(values))
        for (number, service, protocol, transport, host, port, own_host, own_port, parent, cause, space, opened,
             closed, end, facts) in rows:
            yield Session(id=number, service=service, protocol=protocol, transport=transport,
                          client=Address(host, port), server=Address(own_host, own_port), parent=parent,
                          cause=cause, space=space, opened=opened, closed=closed, end=end,
                          facts=self._facts.decode(facts))

    def children(self, session: int) -> list[Session]:
        """The sessions that carry data for this one, oldest first."""
        return list(self._sessions("parent = ?", (session,)))

    # -- octets -----------------------------------------------------------------------------------------------

    def exchanges_of(self, session: int) -> list[Exchange]:
        """The exchanges of one session, in the order they ended."""
        rows = self._db.execute("SELECT session, exchanges, datagrams FROM pages WHERE session = ? AND last > 0"
                                " ORDER BY id", (session,))
        return [exchange for row in rows for exchange in exchanges_of(*row)]

    def chunks(self, session: int) -> Iterator[Chunk]:
        """The chunks of a session, all streams, in the order they passed."""
        for chunks, datagrams in self._db.execute(
                "SELECT chunks, datagrams FROM pages WHERE session = ? ORDER BY id", (session,)):
            if chunks:
                for time, stream, offset, length, data in self._chunks.decode(chunks):
                    if isinstance(data, int):
                        data = self._blob(data)
                    elif isinstance(data, tuple):
                        for begin, piece, octets in self._pieces(*data, length):
                            yield Chunk(time, stream, offset + begin, piece, octets)
                        continue
                    yield Chunk(time, stream, offset, length, data)
            if datagrams:
                client, server, rows = DATAGRAMS.decode(datagrams)
                for datagram in rows:
                    yield Chunk(datagram.time, Stream.CLIENT, client, len(datagram.data), datagram.data)
                    client += len(datagram.data)
                    if datagram.answer is not None:
                        yield Chunk(datagram.time, Stream.SERVER, server, len(datagram.answer), datagram.answer)
                        server += len(datagram.answer)

    def stream(self, session: int, stream: Stream) -> bytes:
        """One direction of a session, whole. Where a limit cut it, what is missing is left out."""
        return b"".join(chunk.data for chunk in self.chunks(session) if chunk.stream == stream)

    def octets(self, session: int, stream: Stream, start: int, end: int) -> bytes:
        """A range of one stream, such as an exchange's; what a limit cut is left out."""
        found = []
        for chunk in self.chunks(session):
            if chunk.stream == stream:
                if chunk.offset >= end:
                    break
                found.append(chunk.data[max(0, start - chunk.offset):max(0, end - chunk.offset)])
        return b"".join(found)

    def _pieces(self, body: int, position: int, length: int) -> Iterator[tuple[int, int, bytes]]:
        """A range of a body: where each piece of it begins, its length, and its octets, none of what is missing."""
        end, at = position + length, position
        holes = self._db.execute("SELECT start, start + length FROM holes WHERE body = ? AND start < ?"
                                 " AND start + length > ? ORDER BY start", (body, end, position)).fetchall()
        for start, stop in [*holes, (end, end)]:
            if at < start:
                yield at - position, start - at, self._bodies.read(body, at, start - at)
            at, stop = max(at, start), min(stop, end)
            if at < stop:
                yield at - position, stop - at, b""
            at = stop

    def _blob(self, number: int) -> bytes:
        """Bytes that are kept once. The latest is remembered: it is most often the next one too."""
        if number != self._last_blob[0]:
            row = self._db.execute("SELECT data FROM blobs WHERE id = ?", (number,)).fetchone()
            self._last_blob = (number, row[0] if row else b"")
        return self._last_blob[1]


def narrowed(since: float, **columns: str) -> Narrowing:
    """For the columns that are asked for."""
    return Narrowing(columns={name: frozenset([value]) for name, value in columns.items() if value}, since=since)
