"""How full a folder is that people write into.

Everything here waits for the disk, but what says it does not: call it from a worker thread.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time

__all__ = ["TEMPORARY", "Usage", "measure", "refused"]

TEMPORARY = ".sandbox-upload-"
"""How the names of files begin that are still being sent. Nobody sees them or may use such a name."""

COUNT_AGAIN = 10.0
"""Seconds before a full place is counted anew: somebody may have made room by hand."""


def refused(code: int) -> OSError:
    """An error as the operating system would give it."""
    return OSError(code, os.strerror(code))


class Usage:
    """How full a folder is. octets, entries: what fits in. Counted at first use, then kept up to date."""

    def __init__(self, path: str, octets: int, entries: int) -> None:
        self.octets = octets
        self.entries = entries
        self._path = path
        self._lock = threading.Lock()
        self._used = [0, 0]
        self._counted = -COUNT_AGAIN
        self._known = False

    @property
    def used(self) -> tuple[int, int]:
        """Octets and entries in it."""
        with self._lock:
            if not self._known:
                self._count()
            return self._used[0], self._used[1]

    def take(self, octets: int, entries: int = 0) -> None:
        """Set aside room. Raises OSError (EDQUOT)."""
        with self._lock:
            if not self._known:
                self._count()
            if not self._fits(octets, entries):
                if time.monotonic() - self._counted >= COUNT_AGAIN:
                    self._count()
                if not self._fits(octets, entries):
                    raise refused(errno.EDQUOT)
            self._used[0] += octets
            self._used[1] += entries

    def take_now(self, octets: int) -> bool:
        """Set aside room, if it is known at once that there is some. Never waits for the disk."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if not self._known or not self._fits(octets, 0):
                return False
            self._used[0] += octets
            return True
        finally:
            self._lock.release()

    def give(self, octets: int, entries: int = 0) -> None:
        """Give room back."""
        with self._lock:
            if self._known:
                self._used[0] = max(0, self._used[0] - octets)
                self._used[1] = max(0, self._used[1] - entries)

    def forget(self) -> None:
        """What is in it was changed by somebody who did not say so: it is counted when next asked for."""
        with self._lock:
            self._known = False

    def _fits(self, octets: int, entries: int) -> bool:
        return ((octets <= 0 or self._used[0] + octets <= self.octets)
                and (entries <= 0 or self._used[1] + entries <= self.entries))

    def _count(self) -> None:
        first = not self._known
        self._used = list(measure(self._path, clean=first))
        self._counted = time.monotonic()
        self._known = True


def measure(path: str, *, clean: bool = False) -> tuple[int, int]:
    """Octets and entries below a folder. clean: remove uploads that a crash has left behind."""
    octets = entries = 0
    for folder, folders, files, descriptor in os.fwalk(path, follow_symlinks=False):
        entries += len(folders) + len(files)
        for name in files:
            with contextlib.suppress(OSError):
                if clean and name.startswith(TEMPORARY):
                    os.unlink(name, dir_fd=descriptor)
                    entries -= 1
                    continue
                octets += os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_size
        del folder
    return octets, entries
