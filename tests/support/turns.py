"""Somebody else on the same event loop, to see whether a test's subject lets others have their turn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio

__all__ = ["Bystander", "bystander"]


@dataclass
class Bystander:
    """turns: how many it has had."""

    turns: int = 0

    async def stand(self) -> None:
        while True:
            await trio.lowlevel.checkpoint()
            self.turns += 1


@asynccontextmanager
async def bystander() -> AsyncIterator[Bystander]:
    """One who wants every turn there is, for the length of the block."""
    somebody = Bystander()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(somebody.stand)
        yield somebody
        nursery.cancel_scope.cancel()
