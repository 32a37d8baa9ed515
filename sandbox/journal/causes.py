"""Which exchange made the sandbox dial: a hop of a mail, a question for its next server, a tunnel, a port site.

Theory of operation. Both ends of such a connection are ours. Whoever dials says from which address, the session at
the other end has it as its client's. An exchange gets its number when it ends, often after the session that it causes
has begun: until then the session waits for it here.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import Protocol

from sandbox.address import Address
from sandbox.journal.records import Session

__all__ = ["Cause", "Causes"]

EXPECTED = 1_024
"""Connections that may be expected at once; past it the oldest is forgotten."""

EXPECT_SECONDS = 5.0
"""For how long one is expected: whoever listens at the other end may not be ours, and ports are used again."""


class Cause(Protocol):
    """An exchange, under way or ended. id: 0 until it has ended, then its number."""

    id: int


class Causes:
    """The connections that are expected, and the sessions whose cause has not ended."""

    def __init__(self) -> None:
        self._expected: dict[Address, tuple[Cause | int, str, float]] = {}
        self._waiting: list[tuple[Session, Cause]] = []

    def expect(self, local: Address, cause: Cause | int, opened: Iterable[Session], space: str = "") -> None:
        """A connection from `local` comes, or is among those just opened. space: in whose name it was dialled."""
        if not cause and not space:
            return
        for session in opened:
            if session.client == local:
                self._name(session, cause)
                return
        self._expected.pop(local, None)
        while len(self._expected) >= EXPECTED:
            del self._expected[next(iter(self._expected))]
        self._expected[local] = (cause, space, monotonic() + EXPECT_SECONDS)

    def space_of(self, client: Address) -> str:
        """The space that dialled from an address, "" for none."""
        found = self._expected.get(client)
        return found[1] if found is not None and monotonic() <= found[2] else ""

    def claim(self, session: Session) -> None:
        """A session begins: name its cause, if it was expected."""
        if self._expected and (found := self._expected.pop(session.client, None)) is not None:
            cause, _, until = found
            if monotonic() <= until:
                self._name(session, cause)

    def take(self) -> list[Session]:
        """Sessions whose cause has become known since the last time."""
        if not self._waiting:
            return []
        known = [session for session, cause in self._waiting if cause.id]
        for session, cause in self._waiting:
            session.cause = cause.id
        self._waiting = [waiting for waiting in self._waiting if not waiting[1].id]
        return known

    def _name(self, session: Session, cause: Cause | int) -> None:
        if isinstance(cause, int):
            session.cause = cause
        elif cause.id:
            session.cause = cause.id
        else:
            self._waiting.append((session, cause))
