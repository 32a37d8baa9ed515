"""Giving way: what a client has sent in one go is taken a few pieces at a time; others come between."""

from __future__ import annotations

import trio

__all__ = ["COMMANDS", "Checkpoints"]

COMMANDS = 64
"""Commands that are answered before others get their turn. A client may send thousands at once (RFC 2920)."""


class Checkpoints:
    """Counts what is done without a wait. burst: how much of it before others get their turn."""

    __slots__ = ("_burst", "_taken")

    def __init__(self, burst: int) -> None:
        self._burst = burst
        self._taken = 0

    async def count(self) -> None:
        """One more is done."""
        self._taken += 1
        if self._taken % self._burst == 0:
            await trio.lowlevel.checkpoint()
