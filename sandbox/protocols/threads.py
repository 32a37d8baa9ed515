"""Waiting, in a session, for what the mail store does in its threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from itertools import islice
from typing import TypeVar

import trio

__all__ = ["Pieces", "settled"]

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


class Pieces:
    """An iterator that blocks, run in a thread, a bounded number of steps at a time.

    Not an async generator: one that is left early would wait for the garbage collector to end it.
    """

    def __init__(self, start: Callable[[], Iterator[bytes]]) -> None:
        self._start = start
        self._iterator: Iterator[bytes] | None = None
        self._batch: deque[bytes] = deque()
        self._more = True

    def __aiter__(self) -> Pieces:
        return self

    async def __anext__(self) -> bytes:
        """Raises what the iterator raises."""
        if not self._batch and self._more:
            self._batch.extend(await trio.to_thread.run_sync(self._visit))
            self._more = len(self._batch) == AT_ONCE
        if not self._batch:
            raise StopAsyncIteration
        return self._batch.popleft()

    def _visit(self) -> list[bytes]:
        if self._iterator is None:
            self._iterator = self._start()
        return list(islice(self._iterator, AT_ONCE))
