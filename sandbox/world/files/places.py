"""Folders that people read and write over the network: how much fits in, and how a file comes to be.

Everything here waits for the disk: call it from a worker thread. Errors are `OSError`, with the errno that says what
is wrong; EDQUOT where a place is full, EROFS where it is only for reading.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import threading
import time
from typing import NamedTuple

from sandbox.linux.take_name import take_name
from sandbox.world.files.paths import DIRECTORY, Names, Root, open_regular

__all__ = ["TEMPORARY", "Place", "Room", "Usage", "Writing", "refused"]

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

    def give(self, octets: int, entries: int = 0) -> None:
        """Give room back."""
        with self._lock:
            if self._known:
                self._used[0] = max(0, self._used[0] - octets)
                self._used[1] = max(0, self._used[1] - entries)

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


class Room(NamedTuple):
    """How much fits into a place, and is in it. Where it is only for reading, what is in it is all that fits."""

    octets: int
    entries: int
    used_octets: int
    used_entries: int
    writable: bool


class Place(NamedTuple):
    """A folder with its rules. usage: None where it is only for reading."""

    root: Root
    usage: Usage | None

    @property
    def writable(self) -> bool:
        return self.usage is not None

    def room(self) -> Usage:
        """Raises OSError (EROFS)."""
        if self.usage is None:
            raise refused(errno.EROFS)
        return self.usage

    def how_full(self) -> Room:
        if self.usage is None:
            used = measure(self.root.path)
            return Room(*used, *used, writable=False)
        return Room(self.usage.octets, self.usage.entries, *self.usage.used, writable=True)


class Writing:
    """A file open for writing (and reading). Ends with `commit` or `abandon`; both do no harm twice.

    With `replace` it is written beside its name and takes it at `commit`, all at once: a reader sees the old file
    or the new one. `abandon` then leaves the old one, or, where there was none, what has arrived, so that a client
    can go on from there. Without `replace` it is changed where it is.
    """

    def __init__(self, place: Place, names: Names, *, replace: bool = False, create: bool = True,
                 exclusive: bool = False) -> None:
        self._usage = place.room()
        self._name = names[-1] if names else "."
        self._old = 0
        self._temporary = ""
        self._ended = False
        self.size = 0
        self.status: os.stat_result | None = None
        """Of the complete file, once it is."""
        with place.root.parent(names) as (directory, name):
            self._name = name
            status = status_of(name, directory)
            if status is not None and exclusive:
                raise refused(errno.EEXIST)
            if status is not None and stat.S_ISDIR(status.st_mode):
                raise refused(errno.EISDIR)
            if status is None and not create:
                raise refused(errno.ENOENT)
            if replace or status is None:
                self._usage.take(0, 1)
            try:
                if replace:
                    self._open_beside(name, status, directory)
                else:
                    self._open_there(name, status, exclusive, directory)
            except OSError:
                if replace or status is None:
                    self._usage.give(0, 1)
                raise

    def _open_beside(self, name: str, status: os.stat_result | None, directory: int) -> None:
        if status is not None and not stat.S_ISREG(status.st_mode):
            raise refused(errno.ENOENT)  # a pipe, a device: nothing that anybody here can see
        self._temporary = TEMPORARY + secrets.token_hex(8)
        self._descriptor = os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644,
                                   dir_fd=directory)
        self._directory = os.dup(directory)

    def _open_there(self, name: str, status: os.stat_result | None, exclusive: bool, directory: int) -> None:
        flags = os.O_RDWR | (os.O_CREAT if status is None else 0) | (os.O_EXCL if exclusive else 0)
        self._descriptor = open_regular(name, flags, 0o644, directory)
        self._directory = os.dup(directory)
        self.size = self._old = os.fstat(self._descriptor).st_size

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        """Write at a place of the file. Raises OSError: EDQUOT, ENOSPC."""
        end = offset + len(data)
        if end > self.size:
            self._usage.take(end - self.size)
            self.size = end
        rest = memoryview(data)
        while rest:
            written = os.pwrite(self._descriptor, rest, offset)
            rest, offset = rest[written:], offset + written

    def read(self, count: int, offset: int) -> bytes:
        return os.pread(self._descriptor, count, offset)

    def truncate(self, size: int) -> None:
        """Cut or extend the file."""
        if size > self.size:
            self._usage.take(size - self.size)
        else:
            self._usage.give(self.size - size)
        self.size = size
        os.ftruncate(self._descriptor, size)

    def commit(self) -> None:
        """The file is complete."""
        if self._ended:
            return
        self._ended = True
        try:
            if self._temporary:
                self._take_name()
            self.status = os.fstat(self._descriptor)
        finally:
            self._close()

    def abandon(self) -> None:
        """The rest will not come."""
        if self._ended:
            return
        self._ended = True
        try:
            if self._temporary:
                self._keep_or_drop()
        finally:
            self._close()

    def _take_name(self) -> None:
        old = status_of(self._name, self._directory)
        try:
            take_name(self._temporary, self._name, self._directory)
        except OSError:  # a folder has taken the name meanwhile
            self._drop()
            raise
        if old is not None:
            self._usage.give(old.st_size, 1)

    def _keep_or_drop(self) -> None:
        if self.size:
            with contextlib.suppress(OSError):  # there is a file of that name: that one stays
                os.link(self._temporary, self._name, src_dir_fd=self._directory, dst_dir_fd=self._directory,
                        follow_symlinks=False)
                os.unlink(self._temporary, dir_fd=self._directory)
                return
        self._drop()

    def _drop(self) -> None:
        self._usage.give(self.size, 1)
        with contextlib.suppress(OSError):
            os.unlink(self._temporary, dir_fd=self._directory)

    def _close(self) -> None:
        os.close(self._descriptor)
        os.close(self._directory)


def status_of(name: str, directory: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


def make_directory(place: Place, names: Names) -> None:
    usage = place.room()
    usage.take(0, 1)
    try:
        with place.root.parent(names) as (directory, name):
            os.mkdir(name, 0o755, dir_fd=directory)
    except OSError:
        usage.give(0, 1)
        raise


def remove_directory(place: Place, names: Names) -> None:
    usage = place.room()
    with place.root.parent(names) as (directory, name):
        os.rmdir(name, dir_fd=directory)
    usage.give(0, 1)


def remove_file(place: Place, names: Names) -> None:
    """A link that stands there goes itself, not what it leads to."""
    usage = place.room()
    with place.root.parent(names, follow=False) as (directory, name):
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            raise refused(errno.EISDIR)
        os.unlink(name, dir_fd=directory)
    usage.give(status.st_size, 1)


def rename(source: Place, old: Names, target: Place, new: Names, *, replace: bool) -> None:
    """Give a file or folder another name, also in another place. replace: whether it may take a file's place."""
    giver, taker = source.room(), target.room()
    with source.root.parent(old, follow=False) as (from_directory, from_name), \
            target.root.parent(new, follow=False) as (to_directory, to_name):
        status = os.stat(from_name, dir_fd=from_directory, follow_symlinks=False)
        there = status_of(to_name, to_directory)
        if there is not None and not replace:
            raise refused(errno.EEXIST)
        octets, entries = status.st_size, 1
        if giver is not taker:
            if stat.S_ISDIR(status.st_mode):
                inside = os.open(from_name, DIRECTORY, dir_fd=from_directory)
                try:
                    octets, entries = measure(f"/proc/self/fd/{inside}/.")
                    entries += 1
                finally:
                    os.close(inside)
            taker.take(octets, entries)
        try:
            os.rename(from_name, to_name, src_dir_fd=from_directory, dst_dir_fd=to_directory)
        except OSError:
            if giver is not taker:
                taker.give(octets, entries)
            raise
        if giver is not taker:
            giver.give(octets, entries)
        if there is not None and (there.st_ino, there.st_dev) != (status.st_ino, status.st_dev):
            taker.give(0 if stat.S_ISDIR(there.st_mode) else there.st_size, 1)


def set_modified(place: Place, names: Names, modified: float) -> None:
    place.room()
    with place.root.parent(names) as (directory, name):
        os.utime(name, (modified, modified), dir_fd=directory, follow_symlinks=False)


def set_mode(place: Place, names: Names, mode: int) -> None:
    """Permission bits; the owner's own stay, or the sandbox could not clean up."""
    place.room()
    with place.root.parent(names) as (directory, name):
        kind = os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode
        if stat.S_ISDIR(kind):
            descriptor = os.open(name, DIRECTORY, dir_fd=directory)
        else:
            descriptor = open_regular(name, os.O_RDONLY, directory=directory)
        try:
            os.fchmod(descriptor, (mode & 0o777) | (0o700 if stat.S_ISDIR(kind) else 0o600))
        finally:
            os.close(descriptor)
