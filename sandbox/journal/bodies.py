"""Long bodies, each in a file of its own beside the store. SQLite would write every octet of them twice and compute
checksums over it, and long rows slow down whoever reads the others.

A *body* is what one side of one exchange carried once it had grown large, appended as it passed. Chunks say which
body their octets are in, and from where on; so what passes again, a file that thirty people fetch, is there once.
"""

from __future__ import annotations

import contextlib
import os
from collections import OrderedDict
from collections.abc import Collection
from pathlib import Path

__all__ = ["Bodies", "BodyReader", "folder_of"]

OPEN_FILES = 16
"""Files kept open for what comes next."""


def folder_of(journal: Path) -> Path:
    """Where the bodies of the journal at a path are."""
    return journal.with_name("bodies")


class Bodies:
    """The writer's side; it belongs to the store's thread. Errors are OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: OrderedDict[int, int] = OrderedDict()

    def write(self, number: int, data: bytes, position: int) -> None:
        """Put a piece of a body where it belongs."""
        descriptor = self._descriptor(number)
        rest = memoryview(data)
        while rest:
            written = os.pwrite(descriptor, rest, position)
            rest, position = rest[written:], position + written

    def drop(self, number: int) -> None:
        """Nobody mentions it any more."""
        self._close(number)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._folder / str(number))

    def keep_only(self, numbers: Collection[int]) -> None:
        """Remove the files that the store does not know: a kill came between a file and its row."""
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if path.name.isdecimal() and int(path.name) not in numbers:
                    path.unlink()

    def close(self) -> None:
        for number in list(self._open):
            self._close(number)

    def _descriptor(self, number: int) -> int:
        descriptor = self._open.get(number)
        if descriptor is None:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(self._folder / str(number), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._open[number] = descriptor
            if len(self._open) > OPEN_FILES:
                self._close(next(iter(self._open)))
        self._open.move_to_end(number)
        return descriptor

    def _close(self, number: int) -> None:
        descriptor = self._open.pop(number, None)
        if descriptor is not None:
            os.close(descriptor)


class BodyReader:
    """The reader's side. The latest file stays open: the next piece is most often in it too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self._descriptor = -1

    def read(self, number: int, position: int, length: int) -> bytes:
        """A piece of a body; shorter where it is gone, as it may be when the journal has made room meanwhile."""
        if number != self._number:
            self.close()
            try:
                self._descriptor = os.open(self._folder / str(number), os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return b""
            self._number = number
        return os.pread(self._descriptor, length, position)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor, self._number = -1, 0
