"""Reads a journal's store, also while a sandbox writes it: the log command, the exports, the tests."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec

from sandbox.address import Address
from sandbox.journal.bodies import BodyReader, folder_of
from sandbox.journal.records import Chunk, Datagram, Exchange, Session, Stream
from sandbox.journal.schema import MIGRATIONS, StoreError
from sandbox.journal.store import ChunkRow

__all__ = ["Reader"]


class Reader:
    """A look into the store at `path`. Raises StoreError when there is none to read."""

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
        self._exchanges = msgspec.msgpack.Decoder(list[Exchange])
        self._chunks = msgspec.msgpack.Decoder(list[ChunkRow])
        self._last_blob = (0, b"")
        self._bodies = BodyReader(folder_of(path))
        self._datagrams = msgspec.msgpack.Decoder(tuple[int, int, list[Datagram]])
        self._facts = msgspec.msgpack.Decoder(dict[str, dict[str, Any]])

    def close(self) -> None:
        self._bodies.close()
        self._db.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def session(self, number: int) -> Session | None:
        """One session, or None when it is not (or no longer) there."""
        for session in self._sessions("id = ?", (number,)):
            return session
        return None

    def sessions(self, *, protocol: str = "", service: str = "", client: str = "", since: float = 0.0,
                 ) -> Iterator[Session]:
        """Sessions, oldest first. client: a host; since: seconds since the epoch, and the session touched it."""
        where, values = conditions(protocol=protocol, service=service, client_host=client)
        return self._sessions(f"{where} AND (closed = 0 OR closed >= ?)", (*values, since))

    def exchanges(self, *, after: int = 0, protocol: str = "", service: str = "", client: str = "",
                  since: float = 0.0) -> Iterator[tuple[Session, Exchange]]:
        """Exchanges in the order they ended. after: only those with a higher id; since: ended at or after."""
        for batch in self._batches("ASC", after, since, protocol=protocol, service=service, client_host=client):
            yield from batch

    def newest(self, count: int, *, protocol: str = "", service: str = "", client: str = "",
               since: float = 0.0) -> list[tuple[Session, Exchange]]:
        """The last `count` exchanges, in the order they ended. Reads no more of the store than they take."""
        found: list[tuple[Session, Exchange]] = []
        for batch in self._batches("DESC", 0, since, protocol=protocol, service=service, client_host=client):
            found[:0] = batch
            if len(found) >= count:
                break
        return found[-count:]

    def _batches(self, order: str, after: int, since: float, **columns: str,
                 ) -> Iterator[list[tuple[Session, Exchange]]]:
        """The exchanges of one batch after another, each in the order they ended."""
        where, values = conditions(**columns)
        wanted = f"session IN (SELECT id FROM sessions WHERE {where})" if values else "1"
        rows = self._db.execute(
            f"SELECT batch, session, exchanges, datagrams FROM pages WHERE last > ? AND ended >= ? AND {wanted} "
            f"ORDER BY batch {order}, id", (after, since, *values))
        known: dict[int, Session | None] = {}
        for _, pages in groupby(rows, key=itemgetter(0)):
            exchanges = [exchange for _, number, *blobs in pages for exchange in self._exchanges_of(number, *blobs)
                         if exchange.id > after and exchange.ended >= since]
            exchanges.sort(key=lambda exchange: exchange.id)
            for number in {exchange.session for exchange in exchanges} - known.keys():
                known[number] = self.session(number)
            # A session can be retired while we read.
            yield [(session, exchange) for exchange in exchanges if (session := known[exchange.session]) is not None]

    def chunks(self, session: int) -> Iterator[Chunk]:
        """The chunks of a session, all streams, in the order they passed."""
        for chunks, datagrams in self._db.execute(
                "SELECT chunks, datagrams FROM pages WHERE session = ? ORDER BY id", (session,)):
            if chunks:
                for time, stream, offset, length, data in self._chunks.decode(chunks):
                    if isinstance(data, int):
                        data = self._blob(data)
                    elif isinstance(data, tuple):
                        data = self._bodies.read(*data, length)
                    yield Chunk(time, stream, offset, length, data)
            for datagram, client, server in self._datagrams_of(datagrams):
                yield Chunk(datagram.time, Stream.CLIENT, client, len(datagram.data), datagram.data)
                if datagram.answer is not None:
                    yield Chunk(datagram.time, Stream.SERVER, server, len(datagram.answer), datagram.answer)

    def stream(self, session: int, stream: Stream) -> bytes:
        """One direction of a session, whole. Where a limit cut it, what is missing is left out."""
        return b"".join(chunk.data for chunk in self.chunks(session) if chunk.stream == stream)

    def octets(self, session: int, stream: Stream, start: int, end: int) -> bytes:
        """A range of one stream, such as an exchange's; what a limit cut is left out."""
        return b"".join(chunk.data[max(0, start - chunk.offset):max(0, end - chunk.offset)]
                        for chunk in self.chunks(session) if chunk.stream == stream)

    def _exchanges_of(self, session: int, exchanges: bytes | None, datagrams: bytes | None) -> Iterator[Exchange]:
        """The exchanges of one page."""
        if exchanges:
            yield from self._exchanges.decode(exchanges)
        for datagram, client, server in self._datagrams_of(datagrams):
            yield datagram.exchange(session, client, server)

    def _datagrams_of(self, blob: bytes | None) -> Iterator[tuple[Datagram, int, int]]:
        """The datagrams of one page, each with its offset and its answer's."""
        if blob:
            client, server, datagrams = self._datagrams.decode(blob)
            for datagram in datagrams:
                yield datagram, client, server
                client += len(datagram.data)
                server += len(datagram.answer or b"")

    def _blob(self, number: int) -> bytes:
        """Bytes that are kept once. The latest is remembered: it is most often the next one too."""
        if number != self._last_blob[0]:
            row = self._db.execute("SELECT data FROM blobs WHERE id = ?", (number,)).fetchone()
            self._last_blob = (number, row[0] if row else b"")
        return self._last_blob[1]

    def _sessions(self, where: str, values: Iterable[object]) -> Iterator[Session]:
        rows = self._db.execute(
            "SELECT id, service, protocol, transport, client_host, client_port, server_host, server_port, parent,"
            f' cause, space, opened, closed, "end", facts FROM sessions WHERE {where} ORDER BY id', tuple(values))
        for (number, service, protocol, transport, host, port, own_host, own_port, parent, cause, space, opened,
             closed, end, facts) in rows:
            yield Session(id=number, service=service, protocol=protocol, transport=transport,
                          client=Address(host, port), server=Address(own_host, own_port), parent=parent,
                          cause=cause, space=space, opened=opened, closed=closed, end=end,
                          facts=self._facts.decode(facts))


def conditions(**columns: str) -> tuple[str, tuple[str, ...]]:
    """A WHERE clause for the columns that are asked for."""
    asked = {name: value for name, value in columns.items() if value}
    return " AND ".join([f"{name} = ?" for name in asked]) or "1", tuple(asked.values())
