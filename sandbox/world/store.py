"""The part of the world that changes while it runs, in `world.sqlite3`.

The world file says how the world begins; this store holds what was changed since, and lies over it. Everything here
may wait for the disk: call it from a worker thread.
"""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from sandbox.errors import remedy
from sandbox.world.database import Database
from sandbox.world.errors import WorldError

__all__ = ["Store"]

MIGRATIONS = (
    """
    CREATE TABLE account (
        login TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        password TEXT,           -- NULL: removed, though the world file has this person
        position INTEGER NOT NULL
    );
    """,
)
"""The n-th brings a store from version n to n + 1 (PRAGMA user_version). Add to the end; never change one."""


class Store:
    """An open `world.sqlite3`, for any thread. Raises WorldError where the file is not one of ours."""

    def __init__(self, file: Path | str) -> None:
        self._file = file
        try:
            if isinstance(file, Path):
                file.touch(mode=0o600)  # it holds passwords: for the owner's eyes only
            self._database = Database(file)
            try:
                self._migrate()
            except BaseException:
                self._database.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise WorldError(str(file), found=f"a store that cannot be used ({error})", expected="an SQLite file",
                             hint=f"{remedy(error).capitalize()}, or use another data folder with --data.") from None

    def _migrate(self) -> None:
        with self._database.alone() as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
        with self.transaction() as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version > len(MIGRATIONS):
                raise WorldError(str(self._file), found=f"a store of version {version}, from a newer Sandbox",
                                 expected=f"at most version {len(MIGRATIONS)}",
                                 hint="Update Sandbox, or use another data folder with --data.")
            for migration in MIGRATIONS[version:]:
                for statement in filter(str.strip, migration.split(";")):
                    database.execute(statement)
            database.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """Run statements as one: all of them are on disk when it ends, or none."""
        return self._database.transaction()

    def close(self) -> None:
        self._database.close()
