"""A recorder that keeps nothing: for what the sandbox says of itself, such as the live page."""

from __future__ import annotations

from collections.abc import Mapping
from time import time

from sandbox.journal.recorder import Ranges, Recorder
from sandbox.journal.records import Exchange, Stream

__all__ = ["Unrecorded"]


class Unrecorded(Recorder):
    """Counts octets, since a conversation wants to know how many have passed, and forgets them."""

    __slots__ = ()

    def chunk(self, stream: int, data: bytes) -> None:
        self._sides[stream].offset += len(data)

    def exchange(self, started: float, verb: str, asked: str, outcome: str, answered: str, key: str, consumed: int,
                 facts: Mapping[str, str] | None, ranges: Ranges | None = None) -> Exchange:
        client, server = self._sides[Stream.CLIENT], self._sides[Stream.SERVER]
        found = Exchange(0, 0, started, time(), verb, asked, outcome, answered, key, (client.start, consumed),
                         (server.start, server.offset))
        client.start, server.start = consumed, server.offset
        return found

    def close(self, end: str, facts: Mapping[str, int | str | bytes] | None = None) -> None:
        self.session.closed = time()
