"""What a question to the journal is: something that says of each exchange whether it is meant.

The filter language makes such values (`sandbox.filter`); the journal knows no more of them than this.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import NamedTuple, Protocol, runtime_checkable

from sandbox.journal.records import Exchange, Session

__all__ = ["EVERYTHING", "SIDES", "Matcher", "Narrowing", "Sides", "TellsFailing", "reads_octets"]


class Narrowing(NamedTuple):
    """What must hold for all exchanges that match, so that a reader need not decode others.

    literals: texts, each of which occurs, in upper or lower case, in one of the texts of the exchange (verb, asked,
    outcome, answered, key, a fact); columns: for "protocol", "service", "transport", "client", "space", the values
    of which the session has one; sessions: their numbers, None for any; since, until: seconds since the epoch, the
    exchange ended in between.
    """

    literals: tuple[str, ...] = ()
    columns: Mapping[str, frozenset[str]] = {}
    sessions: frozenset[int] | None = None
    since: float = 0.0
    until: float = math.inf


EVERYTHING = Narrowing()


class Matcher(Protocol):
    """Which exchanges are meant."""

    def matches(self, session: Session, exchange: Exchange) -> bool:
        """Whether this one is. Never raises."""

    def narrowing(self) -> Narrowing:
        """What may be looked for first. `EVERYTHING` is always right, only slow."""


@runtime_checkable
class TellsFailing(Protocol):
    """What a matcher may know beside: how near an exchange came."""

    def failing(self, session: Session, exchange: Exchange) -> list[str]:
        """The terms that it failed; none where it matches."""


Sides = Callable[[Session, Exchange], tuple[bytes, bytes]]
"""What the client and the sandbox said in an exchange, each up to a bound."""

SIDES: ContextVar[Sides | None] = ContextVar("SIDES", default=None)
"""Set by a reader, in its thread, while it asks a matcher that reads octets. Anywhere else there are none to read."""


def reads_octets(matcher: object) -> bool:
    """Whether a matcher looks at what was said, and not only at what the journal noted of it. Such a one is asked in
    a reader's thread, never on the loop."""
    return bool(getattr(matcher, "reads_octets", False))
