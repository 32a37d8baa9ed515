"""Who wants to hear of changes to folders."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sandbox.observers import Observers
from sandbox.world.mail.values import FolderChange

__all__ = ["FolderObservers"]


class FolderObservers:
    """Observers by the folder they are about. Any thread may come and go; `announce` belongs to the writer's."""

    def __init__(self) -> None:
        self._folders: dict[int, Observers[FolderChange]] = {}
        self._guard = threading.Lock()

    def add(self, folder: int, observer: Callable[[FolderChange], object]) -> Callable[[], None]:
        """Returns a function that takes it away again."""
        with self._guard:
            self._folders.setdefault(folder, Observers("a mail folder")).observe(observer)
        return lambda: self._remove(folder, observer)

    def _remove(self, folder: int, observer: Callable[[FolderChange], object]) -> None:
        with self._guard:
            observers = self._folders.get(folder)
            if observers is not None:
                observers.forget(observer)
                if not observers:
                    del self._folders[folder]

    def announce(self, changes: list[FolderChange]) -> None:
        for change in changes:
            observers = self._folders.get(change.folder)
            if observers is not None:
                observers.announce(change)
