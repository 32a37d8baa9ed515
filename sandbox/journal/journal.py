"""The loop's side of the journal: collects what passes and hands it on in batches.

Theory of operation. Every open session has a `Recorder`; `net` tells it each piece of bytes that passes and each
exchange that ends. A recorder keeps them in plain lists until the next flush, some hundredths of a second later,
when the journal takes the lists of all recorders that have any, as one batch, to the store's writer thread and the
bus. So recording costs the loop a few list appends, and the store a row per session and batch, not one per record.

Nothing is dropped. What waits in memory is counted; over the configured bound `full` is true and whoever carries
bytes awaits `room()` before it carries more: the clients wait.
"""

from __future__ import annotations

from pathlib import Path
from time import time

import trio

from sandbox.address import Address
from sandbox.journal.batch import Batch
from sandbox.journal.bus import Begun, Bus, Happened, UnderWay
from sandbox.journal.causes import Cause, Causes
from sandbox.journal.digests import Hasher
from sandbox.journal.recorder import Recorder
from sandbox.journal.records import Exchange, Session
from sandbox.journal.shared import CONTENTS_SHARE, Sharing
from sandbox.journal.store import Store
from sandbox.journal.unrecorded import Unrecorded

__all__ = ["Journal"]

FLUSH_EVERY = 0.05
"""Seconds from the first record of a batch to its flush: at once for a person, long enough to gather thousands."""

FLUSH_SIZE = 4_194_304
"""Octets that make a batch go at once."""

RECORD_COST = 200
"""Octets a record takes in memory beside its data, about; so that empty records are bounded too."""


class Journal:
    """What happened, as it happens. One per sandbox; `run` must be running for anything to be kept."""

    def __init__(self, store: Store, *, queue: int, body_limit: int) -> None:
        self.bus = Bus()
        self.body_limit = body_limit
        self._store = store
        self._limit = queue
        self._next_session, self.next_exchange, next_number = store.next_ids()
        self.sharing = Sharing(next_number, store.size // CONTENTS_SHARE)
        self.hasher = Hasher()
        self.under_way: dict[int, Session] = {}
        """The sessions that are open, by number."""
        self._waiting = 0
        """Octets collected or with the writer."""
        self._collected = 0
        """Of those, octets not with the writer yet."""
        self._handed = 0
        self._done = 0
        """Batches given to the writer, and batches it is done with."""
        self._room = trio.Event()
        self._wake = trio.Event()
        self._dirty: list[Recorder] = []
        self._opened: list[Session] = []
        self._closed: list[Session] = []
        self._news: list[tuple[Session, Exchange]] = []
        self._begun: list[tuple[Session, UnderWay]] = []
        self._causes = Causes()

    @property
    def path(self) -> Path:
        """Where the store is, for readers."""
        return self._store.path

    @property
    def last(self) -> int:
        """The id of the latest exchange, 0 for none."""
        return self.next_exchange - 1

    # -- for net ----------------------------------------------------------------------------------------------

    def open(self, *, service: str, protocol: str, transport: str, client: Address, server: Address,
             parent: int = 0, space: str = "main", recorded: bool = True) -> Recorder:
        """Start a session. parent: the one whose data it carries; space: whose services answer. Its cause is the one
        that somebody told `expect` of, with this client. recorded: else nothing of it is kept."""
        if not recorded:
            return Unrecorded(self, Session(id=0, service=service, protocol=protocol, transport=transport,
                                            client=client, server=server, opened=time()))
        session = Session(id=self._next_session, service=service, protocol=protocol, transport=transport,
                          client=client, server=server, parent=parent, space=space, opened=time())
        self._next_session += 1
        self._causes.claim(session)
        self._opened.append(session)
        self.under_way[session.id] = session
        self.count(0)
        return Recorder(self, session)

    def expect(self, local: Address, cause: Cause | int, space: str = "") -> None:
        """The sandbox itself has dialled from `local` (getsockname of its end): the session at the other end gets
        `cause` as `Session.cause`. Call it right after connect, before anything is awaited, or, where the socket is
        bound first, before that.

        cause: the exchange that made it dial, while it is under way or when it has ended, or its number, 0 for none;
        space: in whose name, see `space_of`. What is not claimed within seconds is forgotten: it may not be ours who
        listens there.
        """
        self._causes.expect(local, cause, reversed(self._opened), space)

    def space_of(self, client: Address) -> str:
        """The space in whose name the sandbox itself has dialled from an address, "" where it was a client."""
        return self._causes.space_of(client)

    def begun(self, session: Session, exchange: UnderWay) -> None:
        """An exchange has begun. Only for those who watch: it costs nothing else."""
        if self.bus and session.id:
            self._begun.append((session, exchange))
            self.count(0)

    @property
    def full(self) -> bool:
        """Whether whoever carries bytes must await `room` first."""
        return self._waiting > self._limit or self.hasher.full

    async def room(self) -> None:
        """Wait until the writer and the hashes have caught up."""
        while self.full:
            if self._room.is_set():
                self._room = trio.Event()
            self.hasher.awaited = True
            if self._waiting > self._limit:
                self._wake.set()
            elif not self.hasher.full:  # it was done before it could know that somebody waits
                break
            await self._room.wait()

    async def settle(self) -> None:
        """Flush, and wait until everything recorded so far is in the store (or lost, where it cannot be written)."""
        self.flush()
        upto = self._handed
        while self._done < upto:
            if self._room.is_set():
                self._room = trio.Event()
            await self._room.wait()

    # -- for recorders ----------------------------------------------------------------------------------------

    def count(self, size: int, records: int = 1) -> None:
        """Records of `size` octets in all were collected."""
        size += RECORD_COST * records
        if not self._collected:
            self._wake.set()
        self._waiting += size
        self._collected += size

    def touched(self, recorder: Recorder) -> None:
        self._dirty.append(recorder)

    def ended(self, recorder: Recorder, exchange: Exchange) -> None:
        if self.bus:
            self._news.append((recorder.session, exchange))

    def closed(self, session: Session) -> None:
        self._closed.append(session)
        self.under_way.pop(session.id, None)
        self.count(0)

    # -- flushing ---------------------------------------------------------------------------------------------

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Flush batches until cancelled, then flush what is left and wait for the writer."""
        token = trio.lowlevel.current_trio_token()
        self._store.start(lambda size, whole: token.run_sync_soon(self._written, size, whole))
        self.hasher.on_room = lambda: token.run_sync_soon(self._hashed)
        try:
            task_status.started()
            while True:
                await self._wake.wait()
                if self._collected < FLUSH_SIZE:
                    await trio.sleep(FLUSH_EVERY)
                self.flush()
                await trio.lowlevel.checkpoint()
        finally:
            self.flush()
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(self._store.close)
                await trio.to_thread.run_sync(self.hasher.close)

    def flush(self) -> None:
        """Hand what was collected to the writer and to the observers."""
        if not self._collected:
            return
        if self._wake.is_set():  # else `run` waits for this very event
            self._wake = trio.Event()
        dirty, self._dirty = self._dirty, []
        pages = [recorder.page() for recorder in dirty]
        if self.bus:
            self._news += [(recorder.session, exchange) for recorder, page in zip(dirty, pages, strict=True)
                           for exchange in page.datagram_exchanges()]
            self._news.sort(key=lambda news: news[1].id)
        begun = [Begun(session, exchange) for session, exchange in self._begun if not exchange.id]
        happened = Happened(self._opened, self._news, self._closed, begun)
        self._opened, self._news, self._closed, self._begun = [], [], [], []
        size, self._collected = self._collected, 0
        self._handed += 1
        self._store.submit(Batch(happened.opened, pages, happened.closed,
                                 self.sharing.take(), (self._next_session, self.next_exchange), size,
                                 self._causes.take()))
        if self.bus:
            self.bus.publish(happened)

    def _hashed(self) -> None:
        self._room.set()

    def _written(self, size: int, whole: bool) -> None:
        if not whole:
            self.sharing.lost()
        self._waiting -= size
        self._done += 1
        self._room.set()
