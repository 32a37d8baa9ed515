"""What a mail store can be asked: folders, messages, the queue. Each method blocks for as long as SQLite needs."""

from __future__ import annotations

import hashlib
import queue
import sqlite3
import sys
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from sandbox.world.mail.schema import StoreError, connect
from sandbox.world.mail.values import Counts, Folder, Item, NoSuchFolder, Outbound, View

__all__ = ["ITEM", "QUOTA", "MailReader"]

QUOTA = 1_073_741_824
"""Octets one account may have: a class of thirty with attachments fits, a runaway test does not fill the disk."""

PIECE = 65_536
"""Octets of a message read at once."""

FOLDER = ("SELECT folder.id, account.name, folder.name, special, uidvalidity, uidnext, modseq, recent, "
          "EXISTS (SELECT 1 FROM subscription WHERE subscription.account = account.id "
          "AND subscription.name = folder.name) FROM folder JOIN account ON account.id = folder.account ")
ITEM = "SELECT uid, size, content, modseq, received, flags, recipient FROM message "


class MailReader:
    """The mail in a folder, to look at only; another process may be changing it meanwhile. Any thread may ask.

    quota: octets that an account has of which nothing is known yet. Raises StoreError where there is no mail.
    """

    def __init__(self, folder: Path, *, quota: int = QUOTA) -> None:
        self.folder = folder
        self.quota = quota
        self._file = folder / "mail.db"
        self._files = folder / "files"
        self._readers: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        if not self._file.exists():
            raise StoreError(f"there is no mail in {folder}")

    def close(self) -> None:
        """Close what is open. Nobody may be reading any more."""
        while not self._readers.empty():
            self._readers.get().close()

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

    # Accounts and folders

    def accounts(self) -> list[str]:
        with self._reading() as database:
            return [name for (name,) in database.execute("SELECT name FROM account ORDER BY name")]

    def account_number(self, name: str) -> int:
        """0 for one that is not there."""
        with self._reading() as database:
            row = database.execute("SELECT id FROM account WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row is not None else 0

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

    def subscriptions(self, account: str) -> list[str]:
        with self._reading() as database:
            return [name for (name,) in database.execute(
                "SELECT subscription.name FROM subscription JOIN account ON account.id = subscription.account "
                "WHERE account.name = ? ORDER BY 1", (account,))]

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
            rows = database.execute(
                "SELECT flags, count(*), sum(size), sum(uid >= recent) FROM message JOIN folder ON id = folder "
                "WHERE folder = ? GROUP BY flags", (folder,)).fetchall()
        messages = unseen = deleted = size = deleted_size = recent = 0
        for text, count, octets, fresh in rows:
            flags = text.split()
            messages += count
            size += octets
            unseen += count if "\\Seen" not in flags else 0
            deleted += count if "\\Deleted" in flags else 0
            deleted_size += octets if "\\Deleted" in flags else 0
            recent += fresh
        return Counts(messages, unseen, deleted, size, deleted_size, recent)

    def first_recent(self, folder: int) -> int:
        """From this UID on no session was told of any message."""
        with self._reading() as database:
            row = database.execute("SELECT recent FROM folder WHERE id = ?", (folder,)).fetchone()
        return int(row[0]) if row is not None else 0

    def vanished(self, folder: int, since: int) -> list[int]:
        """The UIDs that were expunged after a mod-sequence."""
        with self._reading() as database:
            return [uid for (uid,) in database.execute(
                "SELECT uid FROM vanished WHERE folder = ? AND modseq > ? ORDER BY uid", (folder, since))]

    # Messages in folders

    def items(self, folder: int, *, changed_since: int = 0) -> list[Item]:
        """The messages of a folder by UID; only those with a later mod-sequence, if one is given."""
        with self._reading() as database:
            if changed_since:
                rows = database.execute(ITEM + "WHERE folder = ? AND modseq > ? ORDER BY uid",
                                        (folder, changed_since))
            else:
                rows = database.execute(ITEM + "WHERE folder = ? ORDER BY uid", (folder,))
            return list(map(Item._make, rows))

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

    def copies(self, content: int) -> list[tuple[str, str, Item]]:
        """Where a message is: (account, folder, item) of each copy, a thousand at most."""
        with self._reading() as database:
            rows = database.execute(
                "SELECT account.name, folder.name, uid, message.size, content, message.modseq, received, flags, "
                "recipient FROM message JOIN folder ON folder.id = message.folder "
                "JOIN account ON account.id = folder.account WHERE content = ? ORDER BY 1, 2, 3 LIMIT 1000",
                (content,))
            return [(account, folder, Item(*item)) for account, folder, *item in rows]

    def items_flagged(self, folder: int, flag: str) -> list[int]:
        """The UIDs of the messages that have a flag."""
        with self._reading() as database:
            return [uid for uid, flags in database.execute(
                "SELECT uid, flags FROM message WHERE folder = ? AND instr(flags, ?) ORDER BY uid", (folder, flag))
                if flag in flags.split()]

    # Messages themselves

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

    def read_starts(self, contents: Sequence[int], octets: int) -> dict[int, bytes]:
        """The first octets of several messages, those of them that are there; a thousand at most."""
        found: dict[int, bytes] = {}
        large = []
        marks = ",".join("?" * len(contents))
        with self._reading() as database:
            for content, head, text in database.execute(
                    f"SELECT id, head, substr(text, 1, ?) FROM content WHERE id IN ({marks})", (octets, *contents)):
                if text is None:
                    large.append(content)
                else:
                    found[content] = (head + text)[:octets]
        for content in large:
            with suppress(KeyError):
                found[content] = b"".join(self.read(content, end=octets))
        return found

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

    # The queue

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


def same(left: Iterator[bytes], right: Iterator[bytes]) -> bool:
    """Whether two messages of one size are equal, however they are cut."""
    ours, theirs = hashlib.sha256(), hashlib.sha256()
    for piece in left:
        ours.update(piece)
    for piece in right:
        theirs.update(piece)
    return ours.digest() == theirs.digest()
