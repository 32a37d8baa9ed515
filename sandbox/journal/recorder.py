"""The loop's side of the journal: collects what passes and hands it on in batches.

Theory of operation. Every open session has a `Recorder`; `net` tells it each piece of bytes that passes and each
exchange that ends. A recorder keeps them in plain lists until the next flush, some hundredths of a second later,
when the journal takes the lists of all recorders that have any, as one batch, to the store's writer thread and the
bus. So recording costs the loop a few list appends, and the store a row per session and batch, not one per record.

Nothing is dropped. What waits in memory is counted; over the configured bound `full` is true and whoever carries
bytes awaits `room()` before it carries more: the clients wait.

A body longer than `body_limit` is kept up to it. A chunk past the limit keeps its offset and length but not its
data, and the exchange gets a `Cut` with the length and SHA-256 of that whole side.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import time

import trio

from sandbox.address import Address
from sandbox.journal.bus import Bus, Happened
from sandbox.journal.digests import PIECE, Digest, Hasher
from sandbox.journal.records import Cut, Exchange, Session, Stream
from sandbox.journal.store import Batch, ChunkRow, DatagramRow, Description, Page, Store

__all__ = ["Journal", "Recorder"]

FLUSH_EVERY = 0.05
"""Seconds from the first record of a batch to its flush: at once for a person, long enough to gather thousands."""

FLUSH_SIZE = 4_194_304
"""Octets that make a batch go at once."""

RECORD_COST = 200
"""Octets a record takes in memory beside its data, about; so that empty records are bounded too."""

REPEAT_FROM = 1_024
REPEATS = 32
"""Bytes objects of at least so many octets that pass more than once are stored once; so many are remembered."""

REPEAT_UPTO = 262_143
"""Longer ones are pieces of files, new each time; remembering them would only keep them in memory."""


Ranges = tuple[tuple[int, int], tuple[int, int]]
"""[start, end) in the client's stream, and in the server's."""

Held = tuple[float, int, int, int, bytes]
"""A chunk that is not cut yet: time, stream, offset, length, data."""


class Side:
    """One byte stream of a session: where it is, and how much the exchange under way has of it."""

    __slots__ = ("digest", "early", "hasher", "held", "kept", "offset", "start")

    def __init__(self, hasher: Hasher) -> None:
        self.hasher = hasher
        self.offset = 0
        self.start = 0
        self.kept = 0
        self.early: list[bytes] = []
        """What is not worth hashing yet; most exchanges never are."""
        self.digest: Digest | None = None
        self.held: Held | None = None

    def absorb(self, data: bytes) -> None:
        """Count bytes toward the hash of the exchange under way."""
        self.kept += len(data)
        if self.digest is not None:
            self.digest.update(data)
            return
        self.early.append(data)
        if self.kept >= PIECE:
            self.digest, self.early = Digest(self.hasher, self.early), []

    def sha256(self) -> str:
        """Of everything absorbed."""
        return (self.digest or Digest(self.hasher, self.early)).hexdigest()

    def begin(self, offset: int) -> None:
        """The next exchange starts at `offset` of the stream."""
        self.start = offset
        self.kept = 0
        self.digest = None
        if self.early:
            self.early.clear()


class Repeats:
    """Which bytes objects passed lately, by identity: a page kept in memory is the same object in each response.

    An object that passes a second time gets a number, and the store keeps it once.
    """

    def __init__(self, next_number: int) -> None:
        self._next = next_number
        self._known: dict[int, tuple[bytes, int]] = {}
        self.fresh: list[tuple[int, bytes]] = []
        """Numbered since the last flush."""
        self.used: set[int] = set()
        """Numbers that the chunks since the last flush mention."""

    def find(self, data: bytes) -> bytes | int:
        """The bytes themselves, or their number."""
        known = self._known.get(id(data))
        if known is None:
            if len(self._known) >= REPEATS:
                del self._known[next(iter(self._known))]
            # Holding the object keeps its identity from being given to another.
            self._known[id(data)] = (data, 0)
            return data
        number = known[1]
        if not number:
            number = self._next
            self._next += 1
            self._known[id(data)] = (data, number)
            self.fresh.append((number, data))
        self.used.add(number)
        return number

    def take(self) -> tuple[list[tuple[int, bytes]], set[int]]:
        """What is new and what was used since the last time."""
        fresh, self.fresh = self.fresh, []
        used, self.used = self.used, set()
        return fresh, used


class Journal:
    """What happened, as it happens. One per sandbox; `run` must be running for anything to be kept."""

    def __init__(self, store: Store, *, queue: int, body_limit: int) -> None:
        self.bus = Bus()
        self.body_limit = body_limit
        self._store = store
        self._limit = queue
        self._next_session, self.next_exchange, next_blob = store.next_ids()
        self.repeats = Repeats(next_blob)
        self.hasher = Hasher()
        self._waiting = 0
        """Octets collected or with the writer."""
        self._collected = 0
        """Of those, octets not with the writer yet."""
        self._handed = 0
        self._done = 0
        """Batches given to the writer, and batches it has written."""
        self._room = trio.Event()
        self._wake = trio.Event()
        self._dirty: list[Recorder] = []
        self._opened: list[Session] = []
        self._closed: list[Session] = []
        self._news: list[tuple[Session, Exchange]] = []

    # -- for net ----------------------------------------------------------------------------------------------

    def open(self, *, service: str, protocol: str, transport: str, client: Address, server: Address,
             parent: int = 0) -> Recorder:
        """Start a session. parent: the one whose data it carries."""
        session = Session(id=self._next_session, service=service, protocol=protocol, transport=transport,
                          client=client, server=server, parent=parent, opened=time())
        self._next_session += 1
        self._opened.append(session)
        self.count(0)
        return Recorder(self, session)

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
        """Flush, and wait until everything recorded so far is in the store."""
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
        self.count(0)

    # -- flushing ---------------------------------------------------------------------------------------------

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Flush batches until cancelled, then flush what is left and wait for the writer."""
        token = trio.lowlevel.current_trio_token()
        self._store.start(lambda size: token.run_sync_soon(self._written, size))
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
        happened = Happened(self._opened, self._news, self._closed)
        self._opened, self._news, self._closed = [], [], []
        size, self._collected = self._collected, 0
        self._handed += 1
        self._store.submit(Batch(happened.opened, pages, happened.closed,
                                 *self.repeats.take(), (self._next_session, self.next_exchange), size))
        if self.bus:
            self.bus.publish(happened)

    def _hashed(self) -> None:
        self._room.set()

    def _written(self, size: int) -> None:
        self._waiting -= size
        self._done += 1
        self._room.set()


class Recorder:
    """Records one session. Its exchanges partition its plain streams, but for those that come with ranges."""

    __slots__ = ("_chunks", "_datagrams", "_dirty", "_exchanges", "_journal", "_long", "_sides", "session")

    def __init__(self, journal: Journal, session: Session) -> None:
        self.session = session
        self._journal = journal
        hasher = journal.hasher
        self._sides = (Side(hasher), Side(hasher), Side(hasher), Side(hasher))
        self._chunks: list[ChunkRow] = []
        self._exchanges: list[Exchange] = []
        self._datagrams: list[DatagramRow] = []
        self._dirty = False
        self._long = False
        """Whether anything has been over the limit."""

    def offset(self, stream: Stream) -> int:
        """How many octets of a stream have passed."""
        return self._sides[stream].offset

    def sha256(self, stream: Stream) -> str:
        """Of what has passed of a stream since the last exchange ended."""
        side = self._sides[stream]
        self._release(side)
        return side.sha256()

    def unclaimed(self, consumed: int) -> bool:
        """Whether bytes passed that belong to no ended exchange. consumed: the client's, by the session."""
        client, server, _, _ = self._sides
        return consumed > client.start or client.offset > client.start or server.offset > server.start

    def chunk(self, stream: int, data: bytes) -> None:
        """Bytes of one stream have passed."""
        side = self._sides[stream]
        length = len(data)
        journal = self._journal
        if side.held is not None or side.kept + length > journal.body_limit:
            self._release(side)  # which counts what it keeps
            self._long = True
            side.held = (time(), stream, side.offset, length, data)
        else:
            self._chunks.append((time(), stream, side.offset, length,
                                 journal.repeats.find(data) if REPEAT_FROM <= length <= REPEAT_UPTO else data))
            side.absorb(data)
            journal.count(length)
        side.offset += length
        if not self._dirty:
            self._dirty = True
            journal.touched(self)

    def exchange(self, started: float, verb: str, asked: str, outcome: str, answered: str, key: str,
                 consumed: int, notes: Mapping[str, str] | None, ranges: Ranges | None = None) -> Exchange:
        """An exchange has ended. consumed: octets of the client's stream up to its end; ranges: of the client's and
        the server's stream, where it does not cover all that passed since the last one ended."""
        journal = self._journal
        client, server, client_wire, server_wire = self._sides
        cuts = self._cuts(consumed) if self._long else []
        asked_in, answered_in = ranges or ((client.start, consumed), (server.start, server.offset))
        number = journal.next_exchange
        journal.next_exchange = number + 1
        exchange = Exchange(number, self.session.id, started, time(), verb, asked, outcome, answered,
                            key, asked_in, answered_in, dict(notes) if notes else {}, cuts)
        client.begin(consumed)
        server.begin(server.offset)
        if client_wire.kept:
            client_wire.begin(client_wire.offset)
            server_wire.begin(server_wire.offset)
        self._exchanges.append(exchange)
        if not self._dirty:
            self._dirty = True
            journal.touched(self)
        journal.count(len(asked) + len(answered))
        journal.ended(self, exchange)
        return exchange

    def datagram(self, now: float, data: bytes, answer: bytes | None, about: Description) -> None:
        """A datagram and its answer: an exchange of its own. Whoever records them by the batch counts them itself."""
        journal = self._journal
        number = journal.next_exchange
        journal.next_exchange = number + 1
        self._datagrams.append((number, now, data, answer, about))
        if not self._dirty:
            self._dirty = True
            journal.touched(self)

    def close(self, end: str, facts: Mapping[str, int | str | bytes] | None = None) -> None:
        """The session is over. end: a term of the tcp knowledge."""
        for side in self._sides:
            self._release(side)
        self.session.closed = time()
        self.session.end = end
        if facts:
            self.session.facts["close"] = dict(facts)
        self._journal.closed(self.session)

    def page(self) -> Page:
        """Give away what was collected since the last page."""
        client, server, _, _ = self._sides
        page = Page(self.session.id, self._exchanges, self._chunks, self._datagrams, (client.offset, server.offset))
        if self._datagrams:
            client.offset += sum([len(row[2]) for row in self._datagrams])
            server.offset += sum([len(row[3]) for row in self._datagrams if row[3] is not None])
            self._datagrams = []
        if self._chunks or self._exchanges:
            self._chunks, self._exchanges = [], []
        self._dirty = False
        return page

    # -- bodies over the limit --------------------------------------------------------------------------------

    def _release(self, side: Side, upto: int | None = None) -> None:
        """Let the chunk held back go: cut to the limit, as all of it belongs to the exchange under way.

        The last chunk past the limit is held because the exchange may end inside it; what follows `upto` then
        belongs to the next exchange and is kept.
        """
        if side.held is None:
            return
        moment, stream, offset, length, data = side.held
        side.held = None
        inside = length if upto is None else max(0, min(length, upto - offset))
        keep = max(0, min(inside, self._journal.body_limit - side.kept))
        side.absorb(data if inside == length else data[:inside])
        if keep:
            self._chunks.append((moment, stream, offset, keep, data[:keep]))
        if inside > keep:
            self._chunks.append((moment, stream, offset + keep, inside - keep, b""))
        if inside < length:
            self._chunks.append((moment, stream, offset + inside, length - inside, data[inside:]))
        self._journal.count(length - inside + keep, 3)
        if not self._dirty:
            self._dirty = True
            self._journal.touched(self)

    def _cuts(self, consumed: int) -> list[Cut]:
        cuts = []
        for stream, side in enumerate(self._sides):
            self._release(side, consumed if stream == Stream.CLIENT else None)
            if side.kept > self._journal.body_limit:
                cuts.append(Cut(stream, side.kept, side.sha256()))
        return cuts
