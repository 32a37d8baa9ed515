"""An SQLite file of the world that threads share, one at a time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Database"]


class Database:
    """One connection and the lock around it. Everything may wait for the disk, and for the others.

    path: the file, or ":memory:" to keep nothing. Raises sqlite3.Error.
    """

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)

    @contextmanager
    def alone(self) -> Iterator[sqlite3.Connection]:
        """The connection, with nobody else at it; each statement stands for itself."""
        with self._lock:
            yield self._connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run statements as one: all of them are on disk when it ends, or none."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        with self._lock:
            self._connection.close()
