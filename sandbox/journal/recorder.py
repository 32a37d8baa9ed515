"""Records one session: a recorder is told each piece of bytes that passes and each exchange that ends, and keeps them
in plain lists until the journal takes them.

A body longer than `body_limit` is kept up to it. A chunk past the limit keeps its offset and length but not its
data, and the exchange gets a `Cut` with the length and SHA-256 of that whole side. What one side of an exchange
carries is laid in a file of its own (`sandbox.journal.bodies`) from where it grows long.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import time
from typing import Protocol

from sandbox.journal.batch import ChunkRow, DatagramRow, Description, Page
from sandbox.journal.digests import PIECE, Digest, Hasher
from sandbox.journal.records import Cut, Exchange, Session, Stream
from sandbox.journal.shared import SharedContent, Sharing

__all__ = ["Recorder"]

REPEAT_FROM = 1_024
"""Bytes objects of at least so many octets that pass more than once are stored once."""


Ranges = tuple[tuple[int, int], tuple[int, int]]
"""[start, end) in the client's stream, and in the server's."""

Held = tuple[float, int, int, int, bytes]
"""A chunk that is not cut yet: time, stream, offset, length, data."""


class Keeper(Protocol):
    """What a recorder needs of the journal."""

    body_limit: int
    hasher: Hasher
    sharing: Sharing
    next_exchange: int

    def count(self, size: int, records: int = 1) -> None: ...
    def touched(self, recorder: Recorder) -> None: ...
    def ended(self, recorder: Recorder, exchange: Exchange) -> None: ...
    def closed(self, session: Session) -> None: ...


class Side:
    """One byte stream of a session: where it is, and how much the exchange under way has of it."""

    __slots__ = ("ahead", "body", "digest", "early", "hasher", "head", "held", "kept", "known", "last", "offset",
                 "start")

    def __init__(self, hasher: Hasher) -> None:
        self.hasher = hasher
        self.offset = 0
        self.start = 0
        self.kept = 0
        self.early: list[bytes] = []
        """What is not worth hashing yet; most exchanges never are."""
        self.digest: Digest | None = None
        self.known = ""
        """The SHA-256, where it is known without hashing."""
        self.body = 0
        """The number of the body that what passes is laid in, once it is long; and what passed before that."""
        self.head = b""
        self.held: Held | None = None
        self.last = b""
        self.ahead = 0
        """The bytes that came last, and how many at their end came before the exchange they belong to began: of what
        is pipelined, only a piece that follows makes it worth counting."""

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
        """Of everything that belongs to the exchange under way."""
        self.catch_up()
        return self.known or (self.digest or Digest(self.hasher, self.early)).hexdigest()

    def catch_up(self) -> None:
        """Count what came ahead."""
        if self.ahead:
            data, self.ahead = self.last[-self.ahead:], 0
            self.absorb(data)

    def begin(self, offset: int) -> None:
        """The next exchange starts at `offset` of the stream."""
        self.start = offset
        self.ahead = min(self.offset - offset, len(self.last))
        if not self.ahead:
            self.last = b""
        self.kept = 0
        if self.body:
            self.body, self.head = 0, b""
        self.digest = None
        self.known = ""
        if self.early:
            self.early.clear()


class Recorder:
    """Records one session. Its exchanges partition its plain streams, but for those that come with ranges."""

    __slots__ = ("_chunks", "_datagrams", "_dirty", "_exchanges", "_journal", "_long", "_sides", "session")

    def __init__(self, journal: Keeper, session: Session) -> None:
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
        if side.ahead:
            side.catch_up()
        if side.held is not None or side.kept + length > journal.body_limit:
            self._release(side)  # which counts what it keeps
            self._long = True
            side.held = (time(), stream, side.offset, length, data)
        else:
            small = length < REPEAT_FROM and side.kept < PIECE - REPEAT_FROM
            self._chunks.append((time(), stream, side.offset, length, data if small else self._laid(side, data)))
            side.absorb(data)
            journal.count(length)
        side.last = data
        side.offset += length
        if not self._dirty:
            self._dirty = True
            journal.touched(self)

    def _laid(self, side: Side, data: bytes) -> bytes | int | tuple[int, int]:
        """What stands for the data in a chunk; data is not absorbed yet."""
        sharing = self._journal.sharing
        if not side.body:
            if side.kept + len(data) < PIECE:
                return sharing.find(self.session.id, data) if len(data) >= REPEAT_FROM else data
            side.body, side.head = sharing.number(), b"".join(side.early)
        position = side.kept - len(side.head)
        sharing.lay(self.session.id, side.body, position, data)
        return side.body, position

    def exchange(self, started: float, verb: str, asked: str, outcome: str, answered: str, key: str,
                 consumed: int, facts: Mapping[str, str] | None, ranges: Ranges | None = None) -> Exchange:
        """An exchange has ended. consumed: octets of the client's stream up to its end; ranges: of the client's and
        the server's stream, where it does not cover all that passed since the last one ended."""
        journal = self._journal
        client, server, client_wire, server_wire = self._sides
        cuts = self._cuts(consumed) if self._long else []
        asked_in, answered_in = ranges or ((client.start, consumed), (server.start, server.offset))
        number = journal.next_exchange
        journal.next_exchange = number + 1
        exchange = Exchange(number, self.session.id, started, time(), verb, asked, outcome, answered,
                            key, asked_in, answered_in, dict(facts) if facts else {}, cuts)
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

    def datagram(self, now: float, data: bytes, answer: bytes | None, about: Description, took: int = 0) -> int:
        """A datagram and its answer: an exchange of its own, whose number this gives. Whoever records them by the
        batch counts them itself. took: microseconds until the answer had left."""
        journal = self._journal
        number = journal.next_exchange
        journal.next_exchange = number + 1
        self._datagrams.append((number, now, data, answer, about, took))
        if not self._dirty:
            self._dirty = True
            journal.touched(self)
        return number

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

    # -- the content of files ---------------------------------------------------------------------------------

    def content(self, stream: Stream) -> SharedContent | None:
        """What has passed of a stream since the last exchange ended, to be mentioned again; None for little."""
        side = self._sides[stream]
        self._release(side)
        if not side.body:
            return None
        return SharedContent(side.head, side.body, min(side.kept, self._journal.body_limit), side.kept, side.sha256())

    def passed(self, stream: Stream, content: SharedContent, start: int, length: int) -> None:
        """Octets of a content have passed, the first of them its `start`th. Say `known` when all have."""
        side = self._sides[stream]
        now, end, first = time(), start + length, len(content.head)
        whole = start == 0 and REPEAT_FROM <= first <= end
        head = self._journal.sharing.find(self.session.id, content.head) if whole else content.head[start:end]
        rows = ((start, min(end, first), head),
                (max(start, first), min(end, content.kept), (content.body, max(start, first) - first)),
                (max(start, content.kept), end, b""))
        self._chunks += [(now, stream, side.offset + begin - start, stop - begin, data)
                         for begin, stop, data in rows if begin < stop]
        self._journal.sharing.mention(self.session.id, content.body)
        side.kept += length
        side.offset += length
        self._long = self._long or side.kept > self._journal.body_limit
        self._journal.count(0)
        if not self._dirty:
            self._dirty = True
            self._journal.touched(self)

    def known(self, stream: Stream, sha256: str) -> None:
        """The SHA-256 of what has passed of a stream since the last exchange ended."""
        self._sides[stream].known = sha256

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
        if keep:
            self._chunks.append((moment, stream, offset, keep, self._laid(side, data[:keep])))
        side.absorb(data if inside == length else data[:inside])
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
