"""The store's tables, and how a folder on disk is opened."""

from __future__ import annotations

import fcntl
import sqlite3
from pathlib import Path
from typing import IO, Literal

from sandbox.errors import StoreError

__all__ = ["SYNCHRONOUS", "Durability", "StoreBusy", "StoreError", "claim", "connect", "migrate"]

Durability = Literal["power", "process", "memory"]

SYNCHRONOUS: dict[Durability, str] = {
    "power": "FULL",      # a commit is on the disk: it survives a power cut
    "process": "NORMAL",  # a commit is with the operating system: it survives a killed process
    "memory": "OFF",      # no promise, for folders that are thrown away
}

# One entry a version: what leads to it from the one before. Never change one that was released; add another.
MIGRATIONS = ("""
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('uidvalidity', 0);

CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    quota INTEGER NOT NULL,            -- octets, 0 for none
    used INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE folder (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES account(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    special TEXT NOT NULL DEFAULT '',
    uidvalidity INTEGER NOT NULL,
    uidnext INTEGER NOT NULL DEFAULT 1,
    modseq INTEGER NOT NULL DEFAULT 1,
    recent INTEGER NOT NULL DEFAULT 1,
    subscribed INTEGER NOT NULL DEFAULT 1,
    UNIQUE (account, name)
);

CREATE TABLE content (                 -- a message as it was received, once, whoever has it
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    size INTEGER NOT NULL,             -- of head and text together
    utf8 INTEGER NOT NULL DEFAULT 0,   -- whether it needs a reader that knows RFC 6532
    head BLOB NOT NULL,                -- what was put before the text on arrival: trace fields
    text BLOB,                         -- the text, or
    file TEXT                          -- the name of the file that has it
);
CREATE INDEX content_file ON content (file) WHERE file IS NOT NULL;

CREATE TABLE message (
    folder INTEGER NOT NULL REFERENCES folder(id) ON DELETE CASCADE,
    uid INTEGER NOT NULL,
    content INTEGER NOT NULL REFERENCES content(id),
    size INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    received REAL NOT NULL,
    flags TEXT NOT NULL DEFAULT '',
    recipient TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (folder, uid)
) WITHOUT ROWID;
CREATE INDEX message_modseq ON message (folder, modseq);
CREATE INDEX message_content ON message (content);

CREATE TABLE vanished (                -- what was expunged, for QRESYNC (RFC 7162)
    folder INTEGER NOT NULL REFERENCES folder(id) ON DELETE CASCADE,
    uid INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    PRIMARY KEY (folder, uid)
) WITHOUT ROWID;
CREATE INDEX vanished_modseq ON vanished (folder, modseq);

CREATE TABLE outbound (                -- mail under way, a row for each recipient
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    content INTEGER NOT NULL REFERENCES content(id),
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    facts TEXT NOT NULL,
    due REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL
);
CREATE INDEX outbound_due ON outbound (due);
CREATE INDEX outbound_content ON outbound (content);
""", """
CREATE TABLE subscription (            -- a name, whether or not there is a folder of that name (RFC 9051 §6.3.7)
    account INTEGER NOT NULL REFERENCES account(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    PRIMARY KEY (account, name)
) WITHOUT ROWID;
INSERT INTO subscription SELECT account, name FROM folder WHERE subscribed;
ALTER TABLE folder DROP COLUMN subscribed;
""")


class StoreBusy(StoreError):
    """Another process uses it."""


def claim(folder: Path) -> IO[bytes]:
    """Take the folder for this process until the file that is returned is closed. Raises StoreBusy.

    The kernel gives the lock back when the process ends, however it ends.
    """
    lock = open(folder / "lock", "wb")  # noqa: SIM115 - it stays open as long as the store
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise StoreBusy(f"the mail in {folder} is in use by another sandbox; "
                        "stop it, or choose another --data") from None
    return lock


def connect(file: Path, durability: Durability = "power", *, read_only: bool = False) -> sqlite3.Connection:
    """A connection that any one thread at a time may use, in autocommit mode."""
    database = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=10)
    database.execute(f"PRAGMA synchronous = {SYNCHRONOUS[durability]}")  # first: the other waits for the disk too
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA foreign_keys = ON")
    database.execute("PRAGMA cache_size = -8000")
    # Debian's SQLite writes zeros over what is deleted: to expunge 10,000 messages of 20 kB took five times as long.
    database.execute("PRAGMA secure_delete = OFF")
    if read_only:
        database.execute("PRAGMA query_only = ON")
    return database


def migrate(database: sqlite3.Connection, file: Path) -> None:
    """Bring the tables to the present version, each step whole or not at all. Raises StoreError."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise StoreError(f"{file} was written by a newer sandbox (version {version}, this one knows "
                         f"{len(MIGRATIONS)}); update this one, or use another --data")
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        database.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")
