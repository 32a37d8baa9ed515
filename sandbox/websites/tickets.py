"""Tickets: random strings that stand for somebody who showed a password, in a cookie or as a bearer token."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["Tickets"]

LIFETIME = 3_600
MAX_TICKETS = 10_000
"""Tickets at a time; the oldest goes first, as if it had run out."""


class Tickets:
    """What was issued and has not run out. lifetime: seconds."""

    def __init__(self, lifetime: int = LIFETIME, clock: Callable[[], float] = time.monotonic) -> None:
        self.lifetime = lifetime
        self._clock = clock
        self._issued: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def issue(self, user: str) -> str:
        ticket = secrets.token_urlsafe(24)
        self._issued[ticket] = (user, self._clock() + self.lifetime)
        if len(self._issued) > MAX_TICKETS:
            self._issued.popitem(last=False)
        return ticket

    def holder(self, ticket: str) -> str:
        """Whose it is, "" for one that was never issued, has run out or was given back."""
        user, until = self._issued.get(ticket, ("", 0.0))
        if user and until < self._clock():
            del self._issued[ticket]
            return ""
        return user

    def give_back(self, ticket: str) -> None:
        self._issued.pop(ticket, None)
