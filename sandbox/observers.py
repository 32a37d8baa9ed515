"""Who is told of news: one list for the world, its mail, its zones and the journal."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Observers"]

log = logging.getLogger(__name__)

News = TypeVar("News")


class Observers(Generic[News]):
    """Hands news to functions, in the thread that has it. what: of which they are observers, for the log.

    An observer must be quick. One that raises is logged and removed: it never hurts whoever made the news. Any thread
    may come and go.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._observers: tuple[Callable[[News], object], ...] = ()
        self._guard = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._observers)

    def observe(self, observer: Callable[[News], object]) -> Callable[[], None]:
        """Tell `observer` of everything from now on. Gives back a function that ends that, and does no harm twice."""
        with self._guard:
            self._observers = (*self._observers, observer)
        return lambda: self.forget(observer)

    def forget(self, observer: Callable[[News], object]) -> None:
        """Not an error when it was removed already."""
        with self._guard:
            found = list(self._observers)
            if observer in found:
                found.remove(observer)
            self._observers = tuple(found)

    def announce(self, news: News) -> None:
        for observer in self._observers:
            try:
                observer(news)
            except Exception:
                log.exception("an observer of %s failed and was removed: %r", self._what, observer)
                self.forget(observer)
