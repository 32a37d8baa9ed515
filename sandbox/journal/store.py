"""The journal on disk: one SQLite file, written by one thread.

A *page* holds what one session did in one batch: its exchanges and its chunks, each as one MessagePack blob, or for
a datagram flow the datagrams with their answers, from which both follow. Bytes that pass again and again, such as a
page of a website, are blobs of their own, kept once. The pages of a batch are one transaction.
Exchange ids rise through the batches, so reading in batch order and sorting inside a batch gives exchanges in the
order they ended. Readers (`sandbox.journal.reader`) may look while it is written.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

import msgspec

from sandbox.errors import UserError
from sandbox.journal.records import Datagram, Exchange, Session

__all__ = ["FILE", "Batch", "ChunkRow", "DatagramRow", "Page", "Store", "StoreError"]

FILE = "journal.sqlite3"
"""The store's name in a data folder."""

log = logging.getLogger(__name__)

ChunkRow = tuple[float, int, int, int, bytes | int]
"""A `Chunk`, field by field: the writer's side makes many and reads none. A number stands for a blob."""


Description = tuple[str, str, str, str, str, Mapping[str, str] | None]
"""What an exchange was about: verb, asked, outcome, answered, key, notes."""

DatagramRow = tuple[int, float, bytes, bytes | None, Description]
"""A `Datagram`, likewise."""


class StoreError(UserError):
    """The store cannot be used; the text says why and what to do."""


class Page(NamedTuple):
    """What one session did in one batch."""

    session: int
    exchanges: Sequence[Exchange]
    chunks: Sequence[ChunkRow]
    datagrams: Sequence[DatagramRow]
    start: tuple[int, int]
    """Offsets of the first datagram and of its answer in their streams."""

    def datagram_exchanges(self) -> Iterator[Exchange]:
        """Its datagrams as exchanges."""
        client, server = self.start
        for number, time, data, answer, about in self.datagrams:
            yield Datagram(number, time, data, answer, (*about[:5], dict(about[5] or {}))).exchange(
                self.session, client, server)
            client += len(data)
            server += len(answer or b"")

    def last(self) -> tuple[int, float]:
        """The id of its last exchange, 0 for none, and when its last record was made."""
        if self.datagrams:
            return self.datagrams[-1][0], self.datagrams[-1][1]
        last = self.exchanges[-1] if self.exchanges else None
        return (last.id if last else 0,
                max(last.ended if last else 0.0, self.chunks[-1][0] if self.chunks else 0.0))


class Batch(NamedTuple):
    """What goes into the store in one transaction. blobs: bytes that repeat, with their numbers; used: the numbers
    that its chunks mention; next_ids: of the session and exchange to come; size: octets it
    takes in memory."""

    opened: Sequence[Session]
    pages: Sequence[Page]
    closed: Sequence[Session]
    blobs: Sequence[tuple[int, bytes]]
    used: Collection[int]
    next_ids: tuple[int, int]
    size: int


MIGRATIONS = (
    # 1: the first schema. `exchanges` stands before `chunks` so that listing them does not read the bytes.
    """
    CREATE TABLE sessions (
        id INTEGER PRIMARY KEY,
        service TEXT NOT NULL, protocol TEXT NOT NULL, transport TEXT NOT NULL,
        client_host TEXT NOT NULL, client_port INTEGER NOT NULL,
        server_host TEXT NOT NULL, server_port INTEGER NOT NULL,
        parent INTEGER NOT NULL DEFAULT 0,
        opened REAL NOT NULL, closed REAL NOT NULL DEFAULT 0, "end" TEXT NOT NULL DEFAULT '',
        facts BLOB NOT NULL, size INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE pages (
        id INTEGER PRIMARY KEY,
        batch INTEGER NOT NULL, session INTEGER NOT NULL,
        last INTEGER NOT NULL,      -- id of the last exchange in it, 0 for none
        ended REAL NOT NULL,        -- when its last record was made
        size INTEGER NOT NULL,
        exchanges BLOB, chunks BLOB,
        datagrams BLOB              -- [offset of the first one, of the first answer, [datagram ...]]
    );
    CREATE INDEX pages_session ON pages (session);
    CREATE INDEX pages_batch ON pages (batch);
    CREATE INDEX pages_last ON pages (last);
    CREATE INDEX pages_ended ON pages (ended);
    CREATE TABLE blobs (        -- bytes that passed many times, such as a page; chunks mention their number
        id INTEGER PRIMARY KEY,
        session INTEGER NOT NULL,   -- no later one mentions it
        data BLOB NOT NULL
    );
    CREATE TABLE next_ids (session INTEGER NOT NULL, exchange INTEGER NOT NULL, batch INTEGER NOT NULL);
    INSERT INTO next_ids VALUES (1, 1, 1);
    """,
)
"""Each brings the schema one version on; `PRAGMA user_version` says how many were applied. Append, never edit."""

SPARE = 0.9
"""Retention removes sessions until this share of the allowed size is left, so that it does not run every batch."""


class Store:
    """The SQLite file of one journal. size: octets of records kept.

    Raises StoreError when the file is no journal, or one of a later version.
    """

    def __init__(self, path: Path, *, size: int) -> None:
        self._path = path
        self._limit = size
        self._encoder = msgspec.msgpack.Encoder()
        self._queue: SimpleQueue[Batch | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._on_written: Callable[[int], None] = lambda size: None
        try:
            self._db = connect(path)
            migrate(self._db)
            self._recover()
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{path}: not a usable journal ({error}); move it away, or use another --data DIR"
                             ) from error
        (self._size,) = self._db.execute("SELECT (SELECT COALESCE(SUM(size), 0) FROM sessions)"
                                         " + (SELECT COALESCE(SUM(LENGTH(data)), 0) FROM blobs)").fetchone()
        (self._batch,) = self._db.execute("SELECT batch FROM next_ids").fetchone()

    def next_ids(self) -> tuple[int, int, int]:
        """The ids that the next session, the next exchange and the next blob get."""
        session, exchange = self._db.execute("SELECT session, exchange FROM next_ids").fetchone()
        (blob,) = self._db.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM blobs").fetchone()
        return session, exchange, blob

    def start(self, on_written: Callable[[int], None]) -> None:
        """Start the writer. on_written: called in its thread with the size of each batch that is in the store."""
        self._on_written = on_written
        self._thread = threading.Thread(target=self._write_all, name="journal", daemon=True)
        self._thread.start()

    def submit(self, batch: Batch) -> None:
        """Queue a batch. Never blocks; the caller counts what waits."""
        self._queue.put(batch)

    def close(self) -> None:
        """Write what is queued, stop the writer, close the file. Does no harm twice."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        self._db.close()

    # -- the writer thread ------------------------------------------------------------------------------------

    def _write_all(self) -> None:
        while (batch := self._queue.get()) is not None:
            try:
                with self._db:
                    self._write(batch)
                    if self._size > self._limit:
                        self._retire()
            except (sqlite3.Error, msgspec.MsgspecError):
                # A full disk must not stop the world; say it, and let the clients go on.
                log.exception("a batch of the journal could not be written to %s", self._path)
            self._on_written(batch.size)

    def _write(self, batch: Batch) -> None:
        encode = self._encoder.encode
        self._db.executemany(
            'INSERT INTO sessions (id, service, protocol, transport, client_host, client_port, server_host,'
            ' server_port, parent, opened, facts) VALUES (?,?,?,?,?,?,?,?,?,?,?)',
            [(s.id, s.service, s.protocol, s.transport, *s.client, *s.server, s.parent, s.opened, encode(s.facts))
             for s in batch.opened])
        latest = batch.next_ids[0] - 1
        self._db.executemany("INSERT INTO blobs (id, session, data) VALUES (?,?,?)",
                             [(number, latest, data) for number, data in batch.blobs])
        self._db.executemany("UPDATE blobs SET session = ? WHERE id = ?", [(latest, number) for number in batch.used])
        self._size += sum(len(data) for _, data in batch.blobs)
        rows, sizes = [], []
        for page in batch.pages:
            exchanges = encode(page.exchanges) if page.exchanges else None
            chunks = encode(page.chunks) if page.chunks else None
            datagrams = encode((*page.start, page.datagrams)) if page.datagrams else None
            size = sum(len(blob) for blob in (exchanges, chunks, datagrams) if blob)
            rows.append((self._batch, page.session, *page.last(), size, exchanges, chunks, datagrams))
            sizes.append((size, page.session))
            self._size += size
        self._db.executemany("INSERT INTO pages (batch, session, last, ended, size, exchanges, chunks, datagrams)"
                             " VALUES (?,?,?,?,?,?,?,?)", rows)
        self._db.executemany("UPDATE sessions SET size = size + ? WHERE id = ?", sizes)
        self._db.executemany('UPDATE sessions SET closed = ?, "end" = ?, facts = ? WHERE id = ?',
                             [(s.closed, s.end, encode(s.facts), s.id) for s in batch.closed])
        self._batch += 1
        self._db.execute("UPDATE next_ids SET session = ?, exchange = ?, batch = ?", (*batch.next_ids, self._batch))

    def _retire(self) -> None:
        """Make room: whole sessions that are over leave first, oldest first; then the oldest pages of open ones."""
        spare = int(self._limit * SPARE)
        for session, size in self._db.execute(
                "SELECT id, size FROM sessions WHERE closed > 0 ORDER BY id").fetchall():
            if self._size <= spare:
                break
            self._db.execute("DELETE FROM pages WHERE session = ?", (session,))
            self._db.execute("DELETE FROM sessions WHERE id = ?", (session,))
            self._size -= size
        self._drop_blobs()
        for page, session, size in self._db.execute("SELECT id, session, size FROM pages ORDER BY id").fetchall():
            if self._size <= spare:
                break
            self._db.execute("DELETE FROM pages WHERE id = ?", (page,))
            self._db.execute("UPDATE sessions SET size = size - ? WHERE id = ?", (size, session))
            self._size -= size

    def _drop_blobs(self) -> None:
        """Remove the blobs that only sessions mentioned which are gone."""
        gone = "session < (SELECT COALESCE(MIN(id), 0) FROM sessions)"
        (size,) = self._db.execute(f"SELECT COALESCE(SUM(LENGTH(data)), 0) FROM blobs WHERE {gone}").fetchone()
        self._db.execute(f"DELETE FROM blobs WHERE {gone}")
        self._size -= size

    def _recover(self) -> None:
        """Close the sessions that a kill left open."""
        with self._db:
            self._db.execute(
                'UPDATE sessions SET "end" = ?, closed = MAX(opened, COALESCE('
                "(SELECT MAX(ended) FROM pages WHERE pages.session = sessions.id), 0)) WHERE closed = 0",
                ("sandbox-ended",))


def connect(path: Path) -> sqlite3.Connection:
    """Open a journal for writing."""
    db = sqlite3.connect(path, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    # Bringing the log home waits for the disk; by default that is every 4 MB, which is every batch of a long body.
    db.execute("PRAGMA wal_autocheckpoint = 8192")
    # In WAL mode NORMAL keeps the file consistent through a power cut and every commit through a kill.
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA journal_size_limit = 67108864")
    # Debian's SQLite writes zeros over what is deleted. Retention would so write a tenth of the journal at once, and
    # all clients would wait for it.
    db.execute("PRAGMA secure_delete = OFF")
    path.chmod(0o600)
    return db


def migrate(db: sqlite3.Connection) -> None:
    """Bring the schema to this version. Raises StoreError when it is from a later one."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise StoreError(f"this journal was written by a later version of the sandbox (schema {version}; this one "
                         f"knows {len(MIGRATIONS)}); update the sandbox, or use another --data DIR")
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        db.executescript(f"BEGIN;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
