"""Waiting, in a session, for what the mail store does in its threads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from itertools import islice
from typing import TypeVar

import trio

__all__ = ["pieces", "settled"]

T = TypeVar("T")
AT_ONCE = 16  # pieces fetched by one visit to a thread: a megabyte of a large message, all of a small one


async def settled(future: Future[T]) -> T:
    """The future's result, or what it raises. Cancelled, the wait ends and the work goes on."""
    if not future.done():
        token = trio.lowlevel.current_trio_token()
        event = trio.Event()

        def wake(_: Future[T]) -> None:
            with suppress(trio.RunFinishedError):  # the sandbox has stopped; nobody waits any more
                token.run_sync_soon(event.set)

        future.add_done_callback(wake)
        await event.wait()
    return future.result()


async def pieces(start: Callable[[], Iterator[bytes]]) -> AsyncIterator[bytes]:
    """Run an iterator that blocks in a thread, a bounded number of steps at a time."""
    iterator: Iterator[bytes] | None = None

    def visit() -> list[bytes]:
        nonlocal iterator
        if iterator is None:
            iterator = start()
        return list(islice(iterator, AT_ONCE))

    more = True
    while more:
        batch = await trio.to_thread.run_sync(visit)
        for piece in batch:
            yield piece
        more = len(batch) == AT_ONCE
