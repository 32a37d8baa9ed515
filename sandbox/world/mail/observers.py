"""Who wants to hear of changes to folders."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable

from sandbox.world.mail.values import FolderChange

__all__ = ["Observers"]

log = logging.getLogger(__name__)

Observer = Callable[[FolderChange], None]


class Observers:
    """Functions by the folder they are about. Any thread may come and go; `announce` belongs to the writer's."""

    def __init__(self) -> None:
        self._observers: defaultdict[int, list[Observer]] = defaultdict(list)
        self._guard = threading.Lock()

    def add(self, folder: int, observer: Observer) -> Callable[[], None]:
        """Returns a function that takes it away again."""
        with self._guard:
            self._observers[folder].append(observer)
        return lambda: self._remove(folder, observer)

    def _remove(self, folder: int, observer: Observer) -> None:
        with self._guard:
            if observer in self._observers[folder]:
                self._observers[folder].remove(observer)
            if not self._observers[folder]:
                del self._observers[folder]

    def announce(self, changes: list[FolderChange]) -> None:
        """Tell everyone. One that raises is logged and removed."""
        for change in changes:
            if change.folder not in self._observers:
                continue
            with self._guard:
                observers = list(self._observers.get(change.folder, ()))
            for observer in observers:
                try:
                    observer(change)
                except Exception:
                    log.exception("an observer of a mail folder failed and was removed")
                    self._remove(change.folder, observer)
