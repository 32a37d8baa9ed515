"""The mail store: one object for all mail of a data folder."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path

from sandbox.errors import remedy
from sandbox.world.mail import folders, writes
from sandbox.world.mail.observers import FolderObservers
from sandbox.world.mail.origins import Origin, Origins
from sandbox.world.mail.reader import QUOTA, MailReader
from sandbox.world.mail.schema import Durability, StoreError, claim, connect, migrate
from sandbox.world.mail.spool import Spool
from sandbox.world.mail.values import Delivery, Flagged, FolderChange, Outbound, Stored
from sandbox.world.mail.writer import Transaction, Writer

__all__ = ["MailStore"]

Append = tuple[Spool, Delivery, float, bool]


class MailStore(MailReader):
    """Mail on disk, ours alone. Reading is inherited, and blocks; writing returns a future, done when it is safe.

    Opening raises StoreBusy and StoreError.
    """

    def __init__(self, folder: Path, *, durability: Durability = "power", quota: int = QUOTA) -> None:
        self.durability = durability
        self._spools = folder / "spool"
        self._maildrops: set[str] = set()
        self._guard = threading.Lock()
        self._observers = FolderObservers()
        self.origins = Origins()
        for path in (folder, folder / "files", self._spools):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = claim(folder)
        file = folder / "mail.db"
        try:
            database = connect(file, durability)
            migrate(database, file)
            super().__init__(folder, quota=quota)
            self._tidy(database)
        except (StoreError, sqlite3.Error) as error:
            self._lock.close()
            if isinstance(error, StoreError):
                raise
            raise StoreError(f"{file} cannot be used ({error}); {remedy(error)}, or use another --data DIR"
                             ) from error
        self._writer = Writer(database, self._observers.announce, durability)

    def close(self) -> None:
        """Finish what is queued, and let go of the folder. Blocks."""
        self._writer.close()
        super().close()
        self._lock.close()

    def _tidy(self, database: sqlite3.Connection) -> None:
        """Remove what a killed process left behind: half a message, or a whole one that was never acknowledged."""
        for file in self._spools.iterdir():
            file.unlink()
        for file in self._files.iterdir():
            if database.execute("SELECT 1 FROM content WHERE file = ?", (file.name,)).fetchone() is None:
                file.unlink()

    # Messages

    def spool(self) -> Spool:
        """Somewhere to put a message while it arrives."""
        return Spool(self._spools, safe=self.durability == "power")

    def store(self, head: bytes, spool: Spool, deliveries: Sequence[Delivery], outbound: Sequence[Outbound] = (),
              *, received: float = 0.0, utf8: bool = False, replaces: Sequence[int] = (),
              origin: Origin | int = 0) -> Future[Stored]:
        """Keep a message once and put it wherever it goes, all or nothing.

        replaces: legs of the queue that end with it, as a bounce ends those it is about;
        head: what goes before the text; spool: sealed; received: seconds since the epoch, 0 for now; utf8: whether
        it needs a reader that knows RFC 6532; origin: the exchange it came with, known before anybody hears that
        there is something to carry. The future raises OverQuota, NoSuchFolder, OSError.
        """
        when = received or time.time()
        place = writes.rename_durably if self.durability == "power" else os.rename

        def work(tx: Transaction) -> Stored:
            stored = writes.store(tx, head, spool, deliveries, outbound, when, replaces, quota=self.quota, utf8=utf8,
                                  files=self._files, place=place)
            if origin and outbound:
                self.origins.note(stored.content, origin)
            return stored

        return self._writer.submit(work)

    def put(self, text: bytes, *deliveries: Delivery, received: float = 0.0, utf8: bool = False) -> Future[Stored]:
        """Keep a message that is in memory already, as seed mail and bounces are."""
        spool = self.spool()
        spool.add(text)
        spool.seal()
        return self.store(b"", spool, deliveries, received=received, utf8=utf8)

    def append(self, messages: Sequence[Append]) -> Future[list[Stored]]:
        """Several messages, all or none (RFC 3502). Each: (sealed spool, delivery, received, utf8)."""
        place = writes.rename_durably if self.durability == "power" else os.rename
        return self._writer.submit(lambda tx: [
            writes.store(tx, b"", spool, [delivery], (), received or time.time(), (), quota=self.quota, utf8=utf8,
                         files=self._files, place=place)
            for spool, delivery, received, utf8 in messages])

    def copy(self, source: int, uids: Iterable[int], target: int) -> Future[list[tuple[int, int]]]:
        return self._writer.submit(lambda tx: writes.copy(tx, source, uids, target))

    def move(self, source: int, uids: Iterable[int], target: int) -> Future[list[tuple[int, int]]]:
        return self._writer.submit(lambda tx: writes.move(tx, source, uids, target, self._files))

    def set_flags(self, folder: int, uids: Iterable[int], change: Callable[[frozenset[str]], Iterable[str]],
                  unchanged_since: int | None = None) -> Future[Flagged]:
        """See `writes.set_flags`. A power cut may undo the latest changes; nothing else does."""
        return self._writer.submit(lambda tx: writes.set_flags(tx, folder, uids, change, unchanged_since),
                                   precious=False)

    def expunge(self, folder: int, uids: Iterable[int]) -> Future[list[int]]:
        return self._writer.submit(lambda tx: writes.expunge(tx, folder, uids, self._files))

    # Accounts and folders

    def require_account(self, name: str, quota: int | None = None) -> Future[int]:
        octets = self.quota if quota is None else quota
        return self._writer.submit(lambda tx: writes.require_account(tx, name, octets))

    def remove_account(self, name: str) -> Future[None]:
        return self._writer.submit(lambda tx: writes.remove_account(tx, name, self._files))

    def create_folder(self, account: str, name: str, special: str = "") -> Future[int]:
        """A folder, and those above it that are missing. The future raises FolderExists."""
        return self._writer.submit(lambda tx: folders.create(
            tx, writes.require_account(tx, account, self.quota), name, special))

    def delete_folder(self, folder: int) -> Future[None]:
        return self._writer.submit(lambda tx: writes.delete_folder(tx, folder, self._files))

    def rename_folder(self, account: str, old: str, new: str) -> Future[None]:
        """With the folders inside it; of INBOX only the mail moves (RFC 9051 §6.3.6).

        The future raises NoSuchFolder, FolderExists.
        """
        return self._writer.submit(lambda tx: folders.rename(
            tx, writes.require_account(tx, account, self.quota), old, new, self._files))

    def set_subscribed(self, account: str, name: str, subscribed: bool) -> Future[None]:
        """Whether there is such a folder or not."""
        return self._writer.submit(lambda tx: folders.set_subscribed(
            tx, writes.require_account(tx, account, self.quota), name, subscribed))

    def claim_recent(self, folder: int, uid: int) -> Future[int]:
        """See `writes.claim_recent`. As safe as flags are."""
        return self._writer.submit(lambda tx: writes.claim_recent(tx, folder, uid), precious=False)

    # The queue

    def retry_outbound(self, legs: Iterable[int], due: float, facts: str | None = None) -> Future[None]:
        return self._writer.submit(lambda tx: writes.retry_outbound(tx, legs, due, facts))

    def delete_outbound(self, legs: Iterable[int]) -> Future[None]:
        return self._writer.submit(lambda tx: writes.delete_outbound(tx, legs, self._files))

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

    def watch(self, folder: int, observer: Callable[[FolderChange], None]) -> Callable[[], None]:
        """Hear of each change to a folder, or to the QUEUE, once it is safe; returns a function that ends it.

        The observer is called in the writer's thread and must be quick. One that raises is logged and removed.
        """
        return self._observers.add(folder, observer)

    def watch_names(self, account: str, observer: Callable[[FolderChange], None]) -> Callable[[], None]:
        """The same for the names of an account's folders, and for what it is subscribed to. Blocks."""
        return self._observers.add(-self.account_number(account), observer)
