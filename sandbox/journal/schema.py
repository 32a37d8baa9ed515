"""The tables of the store, and how a file comes to have them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sandbox.errors import StoreError

__all__ = ["MIGRATIONS", "StoreError", "connect", "migrate"]


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
    # 2: long bodies, in files of their own.
    """
    CREATE TABLE bodies (
        id INTEGER PRIMARY KEY,     -- also the file's name
        size INTEGER NOT NULL
    );
    CREATE TABLE mentions (         -- which sessions need which bodies
        session INTEGER NOT NULL, body INTEGER NOT NULL,
        batch INTEGER NOT NULL,     -- no later page of the session mentions it
        PRIMARY KEY (session, body)
    ) WITHOUT ROWID;
    CREATE INDEX mentions_body ON mentions (body);
    """,
    # 3: blobs are mentioned as bodies are. Before, one stayed while any session was there that was older than its
    # last use, and so for as long as somebody idled. Of those no more is known than that.
    """
    INSERT INTO mentions SELECT found.session, found.id, next_ids.batch FROM (
        SELECT (SELECT MIN(sessions.id) FROM sessions WHERE sessions.id >= blobs.session) AS session, id FROM blobs
    ) AS found, next_ids WHERE found.session IS NOT NULL;
    CREATE TABLE blobs_3 (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
    INSERT INTO blobs_3 SELECT id, data FROM blobs;
    DROP TABLE blobs;
    ALTER TABLE blobs_3 RENAME TO blobs;
    """,
    # 4: which exchange made the sandbox open a session itself, and which space answered.
    """
    ALTER TABLE sessions ADD COLUMN cause INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE sessions ADD COLUMN space TEXT NOT NULL DEFAULT 'main';
    """,
    # 5: what batches that could not be written would have brought to a body. Its file has zeros there.
    """
    CREATE TABLE holes (
        body INTEGER NOT NULL, start INTEGER NOT NULL, length INTEGER NOT NULL,
        PRIMARY KEY (body, start)
    ) WITHOUT ROWID;
    """,
)
"""Each brings the schema one version on; `PRAGMA user_version` says how many were applied. Append, never edit."""


def connect(path: Path, *, kept: bool = True) -> sqlite3.Connection:
    """Open a journal for writing. kept: else it is thrown away, and nothing waits for the disk."""
    db = sqlite3.connect(path, check_same_thread=False)
    # In WAL mode NORMAL keeps the file consistent through a power cut and every commit through a kill.
    db.execute(f"PRAGMA synchronous = {'NORMAL' if kept else 'OFF'}")
    db.execute("PRAGMA journal_mode = WAL")
    # Bringing the log home waits for the disk; by default that is every 4 MB, which is every batch of a long body.
    db.execute("PRAGMA wal_autocheckpoint = 8192")
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
