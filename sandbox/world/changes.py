"""What the world tells whoever watches it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal, NamedTuple

__all__ = ["Change", "Changes"]

log = logging.getLogger(__name__)


class Change(NamedTuple):
    """Something about the world that is different now. kind: what it is ("account"); name: which one."""

    kind: str
    action: Literal["added", "changed", "removed"]
    name: str


class Changes:
    """Hands changes to observers, in the thread that made them, once the change is on disk.

    An observer must be quick. One that raises is logged and removed: it never hurts whoever made the change.
    """

    def __init__(self) -> None:
        self._observers: tuple[Callable[[Change], None], ...] = ()

    def observe(self, observer: Callable[[Change], None]) -> Callable[[], None]:
        """Tell `observer` of every change from now on. Gives back a function that ends that."""
        self._observers = (*self._observers, observer)
        return lambda: self._forget(observer)

    def announce(self, change: Change) -> None:
        for observer in self._observers:
            try:
                observer(change)
            except Exception:
                log.exception("An observer of the world failed and is not told any more")
                self._forget(observer)

    def _forget(self, observer: Callable[[Change], None]) -> None:
        self._observers = tuple(one for one in self._observers if one is not observer)
