"""The thread that writes. What many sessions ask for at the same time becomes one commit.

A commit that must survive a power cut costs a few milliseconds, whatever is in it. So each one takes everything
that has come while the one before was written; nobody waits for company when nobody else is there. A commit of flags
alone is not worth those milliseconds: the system has it when the future is done, and the next commit of mail takes it
to the disk.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

from sandbox.world.mail.schema import SYNCHRONOUS, Durability
from sandbox.world.mail.values import FolderChange

__all__ = ["Transaction", "Writer"]

T = TypeVar("T")
TOGETHER = 256  # jobs in one commit: bounds how long the first of them waits

log = logging.getLogger(__name__)


class Transaction:
    """What a job is given. changes: to announce after the commit; after: to do after the commit."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        self.execute = database.execute
        self.executemany = database.executemany
        self.changes: list[FolderChange] = []
        self.after: list[Callable[[], None]] = []


class Job(NamedTuple):
    work: Callable[[Transaction], Any]
    future: Future[Any]
    precious: bool


class Writer:
    """Owns the one connection that writes. announce: called with a commit's changes, in the writer's thread;
    durability: what commits must survive."""

    def __init__(self, database: sqlite3.Connection, announce: Callable[[list[FolderChange]], None],
                 durability: Durability) -> None:
        self._database = database
        self._durability = durability
        self._present = durability
        self._announce = announce
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="mail writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Transaction], T], *, precious: bool = True) -> Future[T]:
        """Queue a job. The future is done once its commit is, or holds what the job raised, which undoes it alone.

        precious: whether it must survive what the store's durability says; else it survives a killed process.
        """
        if self._closed:
            raise RuntimeError("the mail store is closed")
        future: Future[T] = Future()
        self._jobs.put(Job(work, future, precious))
        return future

    def close(self) -> None:
        """Finish what is queued, then stop. Blocks."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            self._thread.join()
            self._database.close()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch = [job]
            last = False
            while len(batch) < TOGETHER and not last:
                try:
                    other = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if other is None:
                    last = True
                else:
                    batch.append(other)
            self._commit(batch)
            if last:
                return

    def _commit(self, batch: list[Job]) -> None:
        """One transaction of several jobs."""
        transaction = Transaction(self._database)
        try:
            self._promise(any(job.precious for job in batch))
            self._database.execute("BEGIN IMMEDIATE")
            results = [(job.future, *self._do(job, transaction)) for job in batch]
            self._database.execute("COMMIT")
        except Exception as error:  # a full disk, a broken file: nothing of this batch happened, and all must hear it
            if isinstance(error, sqlite3.OperationalError):  # the disk has its reasons; our code says nothing of them
                log.error("a commit of the mail store failed (%s); what it was to keep was refused", error)
            else:
                log.exception("a commit of the mail store failed")
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            for job in batch:
                job.future.set_exception(error)
            return
        for action in transaction.after:
            try:
                action()
            except OSError:
                log.exception("after a commit of the mail store")  # a file that stays is removed at the next start
        self._announce(transaction.changes)
        for future, result, failure in results:
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)

    def _promise(self, precious: bool) -> None:
        """Say what the next commit must survive."""
        wanted: Durability = "process" if self._durability == "power" and not precious else self._durability
        if wanted != self._present:
            self._database.execute(f"PRAGMA synchronous = {SYNCHRONOUS[wanted]}")
            self._present = wanted

    def _do(self, job: Job, transaction: Transaction) -> tuple[Any, Exception | None]:
        """Run a job inside a savepoint, so that one that fails does not take the others with it."""
        marks = len(transaction.changes), len(transaction.after)
        transaction.execute("SAVEPOINT job")
        try:
            result = job.work(transaction)
        except Exception as error:
            if not self._database.in_transaction:
                raise  # SQLite gave up the whole transaction
            transaction.execute("ROLLBACK TO job")
            del transaction.changes[marks[0]:], transaction.after[marks[1]:]
            return None, error
        finally:
            if self._database.in_transaction:
                transaction.execute("RELEASE job")
        return result, None
