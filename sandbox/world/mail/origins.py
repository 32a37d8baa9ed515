"""Which exchange each message under way came with: what the journal says made the sandbox dial for it.

The world does not know what an exchange is. It keeps whatever has a number that becomes known, and not over the end
of the process: whoever carries mail writes the number down with a leg that has to wait.
"""

from __future__ import annotations

from threading import Lock
from typing import Protocol

__all__ = ["Origin", "Origins"]

KEPT = 1_000
"""Messages remembered at most; of more than that under way at once, the oldest are forgotten."""


class Origin(Protocol):
    """id: 0 until it is known."""

    id: int


class Origins:
    """By the number of a message's content. For any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[int, Origin | int] = {}

    def note(self, content: int, origin: Origin | int) -> None:
        with self._lock:
            while len(self._known) >= KEPT:
                del self._known[next(iter(self._known))]
            self._known[content] = origin

    def find(self, content: int) -> Origin | int:
        """0 where nothing is known."""
        with self._lock:
            origin = self._known.get(content, 0)
            if not isinstance(origin, int) and origin.id:
                origin = self._known[content] = origin.id  # what it belongs to may be gone: hold it no longer
            return origin
