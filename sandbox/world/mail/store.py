"""The mail store: one object for all mail of a data folder."""

from __future__ import annotations

import hashlib
import logging
import os
import queue
import sqlite3
import sys
import threading
import time
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

from sandbox.world.mail import folders, writes
from sandbox.world.mail.schema import Durability, StoreError, claim, connect, migrate
from sandbox.world.mail.spool import Spool
from sandbox.world.mail.values import (
    Change,
    Counts,
    Delivery,
    Flagged,
    Folder,
    Item,
    NoSuchFolder,
    Outbound,
    Stored,
    View,
)
from sandbox.world.mail.writer import Transaction, Writer

__all__ = ["PIECE", "MailStore"]

QUOTA = 1_073_741_824
"""Octets one account may have: a class of thirty with attachments fits, a runaway test does not fill the disk."""

PIECE = 65_536
"""Octets of a message read at once."""

FOLDER = ("SELECT folder.id, account.name, folder.name, special, uidvalidity, uidnext, modseq, recent, "
          "EXISTS (SELECT 1 FROM subscription WHERE subscription.account = account.id "
          "AND subscription.name = folder.name) FROM folder JOIN account ON account.id = folder.account ")
ITEM = "SELECT uid, size, content, modseq, received, flags, recipient FROM message "

log = logging.getLogger(__name__)
T = TypeVar("T")
Append = tuple[Spool, Delivery, float, bool]


class MailStore:
    """Mail on disk. See the package's docstring for which methods block.

    Opening raises StoreBusy and StoreError. read_only: look at a folder that another process may be using.
    """

    def __init__(self, folder: Path, *, durability: Durability = "power", quota: int = QUOTA,
                 read_only: bool = False) -> None:
        self.folder = folder
        self.durability = durability
        self.quota = quota
        self._file = folder / "mail.db"
        self._files = folder / "files"
        self._spools = folder / "spool"
        self._readers: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._writer: Writer | None = None
        self._lock: IO[bytes] | None = None
        self._maildrops: set[str] = set()
        self._observers: defaultdict[int, list[Callable[[Change], None]]] = defaultdict(list)
        self._guard = threading.Lock()
        if read_only:
            if not self._file.exists():
                raise StoreError(f"there is no mail in {folder}")
            return
        for path in (folder, self._files, self._spools):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = claim(folder)
        try:
            database = connect(self._file, durability)
            migrate(database, self._file)
            self._tidy(database)
        except (StoreError, sqlite3.Error) as error:
            self._lock.close()
            if isinstance(error, StoreError):
                raise
            raise StoreError(f"{self._file} cannot be used: {error}; move it away to begin anew") from error
        self._writer = Writer(database, self._announce)

    def close(self) -> None:
        """Finish what is queued, and let go of the folder. Blocks."""
        if self._writer is not None:
            self._writer.close()
        while not self._readers.empty():
            self._readers.get().close()
        if self._lock is not None:
            self._lock.close()

    def _tidy(self, database: sqlite3.Connection) -> None:
        """Remove what a killed process left behind: half a message, or a whole one that was never acknowledged."""
        for file in self._spools.iterdir():
            file.unlink()
        for file in self._files.iterdir():
            if database.execute("SELECT 1 FROM content WHERE file = ?", (file.name,)).fetchone() is None:
                file.unlink()

    # Writing: each returns a future that is done when it is safe

    def spool(self) -> Spool:
        """Somewhere to put a message while it arrives."""
        return Spool(self._spools, safe=self.durability == "power")

    def store(self, head: bytes, spool: Spool, deliveries: Sequence[Delivery], outbound: Sequence[Outbound] = (),
              *, received: float = 0.0, utf8: bool = False, replaces: Sequence[int] = ()) -> Future[Stored]:
        """Keep a message once and put it wherever it goes, all or nothing.

        replaces: legs of the queue that end with it, as a bounce ends those it is about;
        head: what goes before the text; spool: sealed; received: seconds since the epoch, 0 for now; utf8: whether
        it needs a reader that knows RFC 6532. The future raises OverQuota, NoSuchFolder, OSError.
        """
        when = received or time.time()
        place = writes.rename_durably if self.durability == "power" else os.rename
        return self._submit(lambda tx: writes.store(
            tx, head, spool, deliveries, outbound, when, replaces, quota=self.quota, utf8=utf8, files=self._files,
            place=place))

    def put(self, text: bytes, *deliveries: Delivery, received: float = 0.0, utf8: bool = False) -> Future[Stored]:
        """Keep a message that is in memory already, as seed mail and bounces are."""
        spool = self.spool()
        spool.add(text)
        spool.seal()
        return self.store(b"", spool, deliveries, received=received, utf8=utf8)

    def require_account(self, name: str, quota: int | None = None) -> Future[int]:
        return self._submit(lambda tx: writes.require_account(tx, name, self.quota if quota is None else quota))

    def remove_account(self, name: str) -> Future[None]:
        return self._submit(lambda tx: writes.remove_account(tx, name, self._files))

    def create_folder(self, account: str, name: str, special: str = "") -> Future[int]:
        """A folder, and those above it that are missing. The future raises FolderExists."""
        return self._submit(lambda tx: folders.create(
            tx, writes.require_account(tx, account, self.quota), name, special))

    def delete_folder(self, folder: int) -> Future[None]:
        return self._submit(lambda tx: writes.delete_folder(tx, folder, self._files))

    def rename_folder(self, account: str, old: str, new: str) -> Future[None]:
        """With the folders inside it; of INBOX only the mail moves (RFC 9051 §6.3.6).

        The future raises NoSuchFolder, FolderExists.
        """
        return self._submit(lambda tx: folders.rename(
            tx, writes.require_account(tx, account, self.quota), old, new, self._files))

    def set_subscribed(self, account: str, name: str, subscribed: bool) -> Future[None]:
        """Whether there is such a folder or not."""
        return self._submit(lambda tx: folders.set_subscribed(
            tx, writes.require_account(tx, account, self.quota), name, subscribed))

    def append(self, messages: Sequence[Append]) -> Future[list[Stored]]:
        """Several messages, all or none (RFC 3502). Each: (sealed spool, delivery, received, utf8)."""
        place = writes.rename_durably if self.durability == "power" else os.rename
        return self._submit(lambda tx: [
            writes.store(tx, b"", spool, [delivery], (), received or time.time(), (), quota=self.quota, utf8=utf8,
                         files=self._files, place=place)
            for spool, delivery, received, utf8 in messages])

    def set_recent(self, folder: int, uid: int) -> Future[None]:
        return self._submit(lambda tx: writes.set_recent(tx, folder, uid))

    def copy(self, source: int, uids: Iterable[int], target: int) -> Future[list[tuple[int, int]]]:
        return self._submit(lambda tx: writes.copy(tx, source, uids, target))

    def move(self, source: int, uids: Iterable[int], target: int) -> Future[list[tuple[int, int]]]:
        return self._submit(lambda tx: writes.move(tx, source, uids, target, self._files))

    def set_flags(self, folder: int, uids: Iterable[int], change: Callable[[frozenset[str]], Iterable[str]],
                  unchanged_since: int | None = None) -> Future[Flagged]:
        """See `writes.set_flags`."""
        return self._submit(lambda tx: writes.set_flags(tx, folder, uids, change, unchanged_since))

    def expunge(self, folder: int, uids: Iterable[int]) -> Future[list[int]]:
        return self._submit(lambda tx: writes.expunge(tx, folder, uids, self._files))

    def retry_outbound(self, legs: Iterable[int], due: float, facts: str | None = None) -> Future[None]:
        return self._submit(lambda tx: writes.retry_outbound(tx, legs, due, facts))

    def delete_outbound(self, legs: Iterable[int]) -> Future[None]:
        return self._submit(lambda tx: writes.delete_outbound(tx, legs, self._files))

    def _submit(self, work: Callable[[Transaction], T]) -> Future[T]:
        if self._writer is None:
            raise StoreError("this mail store is open for reading only")
        return self._writer.submit(work)

    # Reading: each blocks for as long as SQLite needs

    def accounts(self) -> list[str]:
        with self._reading() as database:
            return [name for (name,) in database.execute("SELECT name FROM account ORDER BY name")]

    def usage(self, account: str) -> tuple[int, int]:
        """(octets used, quota); quota 0 for none."""
        with self._reading() as database:
            row = database.execute("SELECT used, quota FROM account WHERE name = ?", (account,)).fetchone()
            return row or (0, self.quota)

    def folders(self, account: str) -> list[Folder]:
        with self._reading() as database:
            rows = database.execute(FOLDER + "WHERE account.name = ? ORDER BY folder.name", (account,))
            return [Folder(*row) for row in rows]

    def find_folder(self, account: str, name: str = "INBOX") -> Folder:
        """Raises NoSuchFolder."""
        with self._reading() as database:
            row = database.execute(FOLDER + "WHERE account.name = ? AND folder.name = ?",
                                   (account, name)).fetchone()
        if row is None:
            raise NoSuchFolder(name)
        return Folder(*row)

    def items(self, folder: int, *, changed_since: int = 0) -> list[Item]:
        """The messages of a folder by UID; only those with a later mod-sequence, if one is given."""
        with self._reading() as database:
            if changed_since:
                rows = database.execute(ITEM + "WHERE folder = ? AND modseq > ? ORDER BY uid",
                                        (folder, changed_since))
            else:
                rows = database.execute(ITEM + "WHERE folder = ? ORDER BY uid", (folder,))
            return list(map(Item._make, rows))

    def view(self, folder: int) -> View:
        """Raises NoSuchFolder."""
        with self._reading() as database:
            database.execute("BEGIN")
            try:
                row = database.execute(FOLDER + "WHERE folder.id = ?", (folder,)).fetchone()
                rows = database.execute("SELECT uid, flags FROM message WHERE folder = ? ORDER BY uid",
                                        (folder,)).fetchall()
            finally:
                database.execute("COMMIT")
        if row is None:
            raise NoSuchFolder(folder)
        flags = {text: frozenset(text.split()) for text in {text for _, text in rows}}
        unseen = next((uid for uid, text in rows if "\\Seen" not in flags[text]), 0)
        return View(Folder(*row), array("I", [uid for uid, _ in rows]), unseen,
                    frozenset[str]().union(*flags.values()))

    def counts(self, folder: int) -> Counts:
        with self._reading() as database:
            rows = database.execute("SELECT flags, count(*), sum(size) FROM message WHERE folder = ? GROUP BY flags",
                                    (folder,)).fetchall()
        messages = unseen = deleted = size = deleted_size = 0
        for text, count, octets in rows:
            flags = text.split()
            messages += count
            size += octets
            unseen += count if "\\Seen" not in flags else 0
            deleted += count if "\\Deleted" in flags else 0
            deleted_size += octets if "\\Deleted" in flags else 0
        return Counts(messages, unseen, deleted, size, deleted_size)

    def items_between(self, folder: int, low: int, high: int) -> list[Item]:
        """Those with UIDs from low to high, both included."""
        with self._reading() as database:
            rows = database.execute(ITEM + "WHERE folder = ? AND uid BETWEEN ? AND ? ORDER BY uid",
                                    (folder, low, high))
            return list(map(Item._make, rows))

    def items_of(self, folder: int, uids: Sequence[int]) -> list[Item]:
        """Those of the UIDs that are there; a thousand at most."""
        with self._reading() as database:
            rows = database.execute(ITEM + f"WHERE folder = ? AND uid IN ({','.join('?' * len(uids))}) ORDER BY uid",
                                    (folder, *uids))
            return list(map(Item._make, rows))

    def items_flagged(self, folder: int, flag: str) -> list[int]:
        """The UIDs of the messages that have a flag."""
        with self._reading() as database:
            return [uid for uid, flags in database.execute(
                "SELECT uid, flags FROM message WHERE folder = ? AND instr(flags, ?) ORDER BY uid", (folder, flag))
                if flag in flags.split()]

    def subscriptions(self, account: str) -> list[str]:
        with self._reading() as database:
            return [name for (name,) in database.execute(
                "SELECT subscription.name FROM subscription JOIN account ON account.id = subscription.account "
                "WHERE account.name = ? ORDER BY 1", (account,))]

    def vanished(self, folder: int, since: int) -> list[int]:
        """The UIDs that were expunged after a mod-sequence."""
        with self._reading() as database:
            return [uid for (uid,) in database.execute(
                "SELECT uid FROM vanished WHERE folder = ? AND modseq > ? ORDER BY uid", (folder, since))]

    def needs_utf8(self, content: int) -> bool:
        """Whether a message is only for readers that know RFC 6532. Raises KeyError."""
        with self._reading() as database:
            row = database.execute("SELECT utf8 FROM content WHERE id = ?", (content,)).fetchone()
        if row is None:
            raise KeyError(content)
        return bool(row[0])

    def read_small(self, contents: Sequence[int]) -> dict[int, tuple[bytes, bool]]:
        """Several messages at once, whole, those of them that are there and not too large to live in the database;
        each with whether it is only for readers that know RFC 6532."""
        marks = ",".join("?" * len(contents))
        with self._reading() as database:
            return {content: (head + text, bool(utf8)) for content, head, text, utf8 in database.execute(
                f"SELECT id, head, text, utf8 FROM content WHERE id IN ({marks}) AND text IS NOT NULL", contents)}

    def read(self, content: int, *, whole: bool = True, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """A message's octets, in pieces of bounded size. whole: with what was put before its text on arrival;
        start, end: only those between these offsets.

        Each step may block. Raises KeyError at once when nobody has the message any more.
        """
        with self._reading() as database:
            row = database.execute("SELECT head, text, file FROM content WHERE id = ?", (content,)).fetchone()
        if row is None:
            raise KeyError(content)
        head, text, file = row
        if text is not None:
            return iter([(head + text if whole else text)[start:end]])
        try:
            return self._read_file(head if whole else b"", open(self._files / file, "rb"), start, end)
        except FileNotFoundError:  # expunged just now, and its file already gone
            raise KeyError(content) from None

    def _read_file(self, head: bytes, handle: IO[bytes], start: int, end: int | None) -> Iterator[bytes]:
        with handle:
            left = sys.maxsize if end is None else max(0, end - start)
            if first := head[start:end]:
                left -= len(first)
                yield first
            handle.seek(max(0, start - len(head)))
            while left > 0 and (piece := handle.read(min(PIECE, left))):
                left -= len(piece)
                yield piece

    def outbound(self, until: float, limit: int = 100) -> list[Outbound]:
        """The legs that are due, the longest waiting first."""
        with self._reading() as database:
            rows = database.execute(
                "SELECT sender, recipient, facts, due, outbound.id, content, size, attempts, created FROM outbound "
                "JOIN content ON content.id = outbound.content WHERE due <= ? ORDER BY due, outbound.id LIMIT ?",
                (until, limit))
            return [Outbound(*row) for row in rows]

    def arrived(self) -> list[int]:
        """The legs whose very message, octet for octet, is in a mailbox for that very recipient already.

        Only a process that was killed between the two leaves such legs: ask at the start. The messages in the queue
        differ from all others by their trace fields.
        """
        with self._reading() as database:
            pairs = database.execute(
                "SELECT outbound.id, outbound.content, message.content FROM outbound "
                "JOIN content AS sent ON sent.id = outbound.content "
                "JOIN message ON message.recipient = outbound.recipient "
                "JOIN content AS kept ON kept.id = message.content "
                "WHERE kept.size - length(kept.head) = sent.size").fetchall()
        return sorted({leg for leg, sent, kept in pairs
                       if sent != kept and same(self.read(sent), self.read(kept, whole=False))})

    def next_due(self) -> float | None:
        """When the queue wants attention next, in seconds since the epoch; None when it is empty."""
        with self._reading() as database:
            row = database.execute("SELECT min(due) FROM outbound").fetchone()
            return None if row[0] is None else float(row[0])

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of our own for a moment; there are as many as there are threads that read at once."""
        try:
            database = self._readers.get_nowait()
        except queue.Empty:
            database = connect(self._file, read_only=True)
        try:
            yield database
        finally:
            self._readers.put(database)

    # Between sessions

    def lock_maildrop(self, account: str) -> bool:
        """Take an account's maildrop for one POP3 session (RFC 1939 §8). False when another has it."""
        with self._guard:
            if account in self._maildrops:
                return False
            self._maildrops.add(account)
            return True

    def release_maildrop(self, account: str) -> None:
        with self._guard:
            self._maildrops.discard(account)

    def watch(self, folder: int, observer: Callable[[Change], None]) -> Callable[[], None]:
        """Hear of each change to a folder, or to the QUEUE, once it is safe; returns a function that ends it.

        The observer is called in the writer's thread and must be quick. One that raises is logged and removed.
        """
        with self._guard:
            self._observers[folder].append(observer)

        def stop() -> None:
            with self._guard:
                if observer in self._observers[folder]:
                    self._observers[folder].remove(observer)
                if not self._observers[folder]:
                    del self._observers[folder]

        return stop

    def _announce(self, changes: list[Change]) -> None:
        for change in changes:
            if change.folder not in self._observers:
                continue
            with self._guard:
                observers = list(self._observers.get(change.folder, ()))
            for observer in observers:
                try:
                    observer(change)
                except Exception:
                    log.exception("an observer of a mail folder failed and was removed")
                    with self._guard:
                        self._observers[change.folder] = [
                            other for other in self._observers[change.folder] if other is not observer]


def same(left: Iterator[bytes], right: Iterator[bytes]) -> bool:
    """Whether two messages of one size are equal, however they are cut."""
    ours, theirs = hashlib.sha256(), hashlib.sha256()
    for piece in left:
        ours.update(piece)
    for piece in right:
        theirs.update(piece)
    return ours.digest() == theirs.digest()
