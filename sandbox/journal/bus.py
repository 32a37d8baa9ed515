"""Hands what happened to whoever watches: the console, a live page, a test that waits.

An observer gets batches, on the loop, right after they were made. It must not block. One that raises is logged and
removed; it never hurts a client. One that is slow uses a `Listener`, whose queue is bounded: when it is full the
oldest batch is dropped and counted, for the store has everything anyway.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

import trio

from sandbox.journal.records import Exchange, Session
from sandbox.observers import Observers

__all__ = ["Begun", "Bus", "Happened", "Listener", "Observer", "UnderWay"]


class UnderWay(Protocol):
    """An exchange that has begun. It goes on, so what is read from it is what is known by then.

    id: 0 until it has ended, then the number of its `Exchange`.
    """

    id: int
    started: float
    verb: str
    asked: str

    @property
    def facts(self) -> Mapping[str, str]: ...


class Begun(NamedTuple):
    """An exchange has begun and is under way."""

    session: Session
    exchange: UnderWay


class Happened(NamedTuple):
    """A batch of news, in the order it happened: sessions opened, exchanges ended, sessions closed.

    begun: exchanges that are under way since this batch: one that began and ended within it is among the ended alone.
    """

    opened: Sequence[Session]
    exchanges: Sequence[tuple[Session, Exchange]]
    closed: Sequence[Session]
    begun: Sequence[Begun] = ()


Observer = Callable[[Happened], None]


class Bus:
    """The observers of one journal."""

    def __init__(self) -> None:
        self._observers: Observers[Happened] = Observers("the journal")

    def __bool__(self) -> bool:
        return bool(self._observers)

    def watch(self, observer: Observer) -> None:
        self._observers.observe(observer)

    def unwatch(self, observer: Observer) -> None:
        """Forget an observer; not an error when it was removed already."""
        self._observers.forget(observer)

    def publish(self, happened: Happened) -> None:
        self._observers.announce(happened)

    @contextmanager
    def listen(self, limit: int = 1000) -> Iterator[Listener]:
        """A bounded queue of batches. limit: how many may wait."""
        listener = Listener(limit)
        self.watch(listener.push)
        try:
            yield listener
        finally:
            self.unwatch(listener.push)


class Listener:
    """An observer that reads at its own pace. dropped: batches it was too slow for."""

    def __init__(self, limit: int) -> None:
        self._batches: deque[Happened] = deque()
        self._limit = limit
        self._news = trio.Event()
        self.dropped = 0

    def push(self, happened: Happened) -> None:
        if len(self._batches) >= self._limit:
            self._batches.popleft()
            self.dropped += 1
        self._batches.append(happened)
        self._news.set()

    def __aiter__(self) -> Listener:
        return self

    async def __anext__(self) -> Happened:
        while not self._batches:
            self._news = trio.Event()
            await self._news.wait()
        return self._batches.popleft()
