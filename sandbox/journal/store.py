"""The journal on disk: one SQLite file, written by one thread.

A *page* holds what one session did in one batch: its exchanges and its chunks, each as one MessagePack blob, or for
a datagram flow the datagrams with their answers, from which both follow. Bytes that pass again and again, such as a
page of a website, are blobs of their own, kept once; long bodies are files (`bodies`). The pages of a batch are one
transaction.
Exchange ids rise through the batches, so reading in batch order and sorting inside a batch gives exchanges in the
order they ended. Readers (`sandbox.journal.reader`) may look while it is written.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import msgspec

from sandbox.errors import remedy
from sandbox.journal.batch import Batch, still_due, together
from sandbox.journal.bodies import Bodies, folder_of
from sandbox.journal.retention import Retention
from sandbox.journal.schema import StoreError, connect, migrate
from sandbox.journal.shared import Shared

__all__ = ["FILE", "Store"]

FILE = "journal.sqlite3"
"""The store's name in a data folder."""

log = logging.getLogger(__name__)


class Store:
    """The SQLite file of one journal, and the bodies beside it. size: octets of records kept; kept: whether it is
    there after the end.

    Raises StoreError when the file is no journal, or one of a later version.
    """

    def __init__(self, path: Path, *, size: int, kept: bool = True) -> None:
        self.size = size
        self.path = path
        self._encoder = msgspec.msgpack.Encoder()
        self._queue: SimpleQueue[Batch | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._on_written: Callable[[int, bool], None] = lambda size, whole: None
        self._due: Batch | None = None
        """Of batches that could not be written."""
        self._failures = 0
        """How many in a row those were."""
        self._bodies = Bodies(folder_of(path))
        try:
            self._db = connect(path, kept=kept)
            migrate(self._db)
            self._retention = Retention(self._db, self._bodies, size)
            self._recover()
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{path}: not a usable journal ({error}); {remedy(error)}, or use another "
                             "--data DIR") from error
        (self._batch,) = self._db.execute("SELECT batch FROM next_ids").fetchone()

    def next_ids(self) -> tuple[int, int, int]:
        """The ids that the next session, the next exchange, and the next blob or body get."""
        session, exchange = self._db.execute("SELECT session, exchange FROM next_ids").fetchone()
        (number,) = self._db.execute("SELECT 1 + MAX((SELECT COALESCE(MAX(id), 0) FROM blobs),"
                                     " (SELECT COALESCE(MAX(id), 0) FROM bodies))").fetchone()
        return session, exchange, number

    def start(self, on_written: Callable[[int, bool], None]) -> None:
        """Start the writer. on_written: called in its thread with the size of each batch, and whether it is in the
        store; else it is lost."""
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
        self._bodies.close()
        self._db.close()

    # -- the writer thread ------------------------------------------------------------------------------------

    def _write_all(self) -> None:
        while (batch := self._queue.get()) is not None:
            size = batch.size
            if self._due is not None:
                batch = together(self._due, batch)
            try:
                with self._db:
                    self._write(batch)
                    self._retention.make_room()
            except Exception:
                # A full disk must not stop the world, nor may anything else stop this thread: clients would wait for
                # it for ever. Say it, once, and let them go on.
                if not self._failures:
                    log.exception("a batch of the journal could not be written to %s and is lost; if the disk is "
                                  "full, free some space", self.path)
                self._failures += 1
                self._due = still_due(batch)
                self._after_failure(batch)
            else:
                if self._failures:
                    log.warning("the journal is written again to %s; %d batches before are lost", self.path,
                                self._failures)
                self._failures, self._due = 0, None
            self._sweep()
            self._on_written(size, self._due is None)

    def _after_failure(self, batch: Batch) -> None:
        """The transaction came to nothing: go by what is in the store."""
        try:
            self._retention.rolled_back({body for body, _, _ in batch.shared.pieces})
        except Exception:  # nor may this stop the thread
            log.debug("the journal cannot be read either", exc_info=True)

    def _sweep(self) -> None:
        try:
            self._retention.sweep()
        except OSError:
            log.exception("a long body that the journal has dropped could not be removed beside %s; the next start "
                          "tries again", self.path)

    def _write(self, batch: Batch) -> None:
        encode = self._encoder.encode
        self._db.executemany(
            'INSERT INTO sessions (id, service, protocol, transport, client_host, client_port, server_host,'
            ' server_port, parent, cause, space, opened, facts) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)',
            [(s.id, s.service, s.protocol, s.transport, *s.client, *s.server, s.parent, s.cause, s.space, s.opened,
              encode(s.facts)) for s in batch.opened])
        self._write_shared(batch.shared)
        rows, sizes = [], []
        for page in batch.pages:
            exchanges = encode(page.exchanges) if page.exchanges else None
            chunks = encode(page.chunks) if page.chunks else None
            datagrams = encode((*page.start, page.datagrams)) if page.datagrams else None
            size = sum(len(blob) for blob in (exchanges, chunks, datagrams) if blob)
            rows.append((self._batch, page.session, *page.last(), size, exchanges, chunks, datagrams))
            sizes.append((size, page.session))
            self._retention.size += size
        self._db.executemany("INSERT INTO pages (batch, session, last, ended, size, exchanges, chunks, datagrams)"
                             " VALUES (?,?,?,?,?,?,?,?)", rows)
        self._db.executemany("UPDATE sessions SET size = size + ? WHERE id = ?", sizes)
        self._db.executemany('UPDATE sessions SET closed = ?, "end" = ?, facts = ? WHERE id = ?',
                             [(s.closed, s.end, encode(s.facts), s.id) for s in batch.closed])
        self._db.executemany("UPDATE sessions SET cause = ? WHERE id = ?", [(s.cause, s.id) for s in batch.caused])
        self._batch += 1
        self._db.execute("UPDATE next_ids SET session = ?, exchange = ?, batch = ?", (*batch.next_ids, self._batch))

    def _write_shared(self, shared: Shared) -> None:
        sizes: dict[int, int] = {}
        ends: dict[int, int] = {}
        for body, position, data in shared.pieces:
            end = ends[body] if body in ends else self._end_of(body)
            if position > end:  # a batch was lost
                self._db.execute("INSERT INTO holes (body, start, length) VALUES (?,?,?)",
                                 (body, end, position - end))
            self._bodies.write(body, data, position)
            sizes[body] = sizes.get(body, 0) + len(data)
            ends[body] = position + len(data)
        self._db.executemany("INSERT INTO bodies (id, size) VALUES (?,?)"
                             " ON CONFLICT (id) DO UPDATE SET size = size + excluded.size", sizes.items())
        self._db.executemany("INSERT INTO mentions (session, body, batch) VALUES (?,?,?)"
                             " ON CONFLICT (session, body) DO UPDATE SET batch = excluded.batch",
                             [(*mention, self._batch) for mention in shared.mentions])
        self._db.executemany("INSERT INTO blobs (id, data) VALUES (?,?)", shared.blobs)
        self._retention.size += sum(sizes.values()) + sum(len(data) for _, data in shared.blobs)
        self._retention.pin(shared.pinned, shared.released)

    def _end_of(self, body: int) -> int:
        """Where the next piece of a body belongs: pieces come in order."""
        (end,) = self._db.execute(
            "SELECT COALESCE((SELECT size FROM bodies WHERE id = ?), 0)"
            " + COALESCE((SELECT SUM(length) FROM holes WHERE body = ?), 0)", (body, body)).fetchone()
        return int(end)

    def _recover(self) -> None:
        """Close the sessions that a kill left open, and drop what only it knew of."""
        with self._db:
            self._db.execute(
                'UPDATE sessions SET "end" = ?, closed = MAX(opened, COALESCE('
                "(SELECT MAX(ended) FROM pages WHERE pages.session = sessions.id), 0)) WHERE closed = 0",
                ("sandbox-ended",))
            self._retention.recover()
