"""What the recorders hand to the store: pages of what sessions did, and a batch of them.

Plain values: who records need not know that the store is a database, nor the store how they came to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sandbox.journal.records import Datagram, Exchange, Session
from sandbox.journal.shared import Shared

__all__ = ["Batch", "ChunkRow", "DatagramRow", "Description", "Page", "still_due", "together"]

ChunkRow = tuple[float, int, int, int, bytes | int | tuple[int, int]]
"""A `Chunk`, field by field: the writer's side makes many and reads none. A number stands for a blob, two of them for
a body and the place in it."""


Description = tuple[str, str, str, str, str, Mapping[str, str] | None]
"""What an exchange was about: verb, asked, outcome, answered, key, facts."""

DatagramRow = tuple[int, float, bytes, bytes | None, Description, int]
"""A `Datagram`, likewise."""


class Page(NamedTuple):
    """What one session did in one batch."""

    session: int
    exchanges: Sequence[Exchange]
    chunks: Sequence[ChunkRow]
    datagrams: Sequence[DatagramRow]
    start: tuple[int, int]
    """Offsets of the first datagram and of its answer in their streams."""

    def datagram_exchanges(self) -> Iterator[Exchange]:
        """Its datagrams as exchanges."""
        client, server = self.start
        for number, time, data, answer, about, took in self.datagrams:
            yield Datagram(number, time, data, answer, (*about[:5], dict(about[5] or {})), took).exchange(
                self.session, client, server)
            client += len(data)
            server += len(answer or b"")

    def last(self) -> tuple[int, float]:
        """The id of its last exchange, 0 for none, and when its last record was made."""
        if self.datagrams:
            number, time, *_, took = self.datagrams[-1]
            return number, time + took / 1e6
        last = self.exchanges[-1] if self.exchanges else None
        return (last.id if last else 0,
                max(last.ended if last else 0.0, self.chunks[-1][0] if self.chunks else 0.0))


class Batch(NamedTuple):
    """What goes into the store in one transaction. shared: what its chunks mention by number; next_ids: of the
    session and exchange to come; size: octets it takes in memory; caused: sessions whose cause has become known."""

    opened: Sequence[Session]
    pages: Sequence[Page]
    closed: Sequence[Session]
    shared: Shared
    next_ids: tuple[int, int]
    size: int
    caused: Sequence[Session] = ()


def still_due(batch: Batch) -> Batch:
    """What the next batch has to bring too when this one comes to nothing: openings, ends, numbers. Its octets and
    exchanges are lost, so that what waits is bounded; and with them the sessions that begin and end in it."""
    opened, closed = {session.id for session in batch.opened}, {session.id for session in batch.closed}
    pinned, released = set(batch.shared.pinned), set(batch.shared.released)
    return batch._replace(
        opened=[session for session in batch.opened if session.id not in closed], pages=(),
        closed=[session for session in batch.closed if session.id not in opened],
        shared=Shared(blobs=[blob for blob in batch.shared.blobs if blob[0] not in released],
                      pinned=sorted(pinned - released), released=sorted(released - pinned)))


def together(due: Batch, batch: Batch) -> Batch:
    """A batch with what is due from those before it."""
    one, other = due.shared, batch.shared
    return batch._replace(
        opened=[*due.opened, *batch.opened], closed=[*due.closed, *batch.closed],
        caused=[*due.caused, *batch.caused],
        shared=other._replace(blobs=[*one.blobs, *other.blobs], pinned=[*one.pinned, *other.pinned],
                              released=[*one.released, *other.released]))
