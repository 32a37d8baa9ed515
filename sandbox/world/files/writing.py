"""How a file comes to be: beside its name, or where it is. Everything here waits for the disk, but what says it does
not: call it from a worker thread."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Sequence

from sandbox.linux.take_name import take_name
from sandbox.world.files.owners import HOUSE, Sharing, at, claim, own
from sandbox.world.files.paths import Names, open_regular
from sandbox.world.files.places import Place, alone, checked_mode, status_of
from sandbox.world.files.usage import TEMPORARY, refused

__all__ = ["Writing"]

NEW_FILE = 0o644
"""Permission bits of a file that nobody has said more about."""

LONGEST = 2 ** 63 - 1
"""Octets of a file: the system's calls count them with 63 bits."""


class Writing:
    """A file open for writing (and reading). Ends with `commit` or `abandon`; both do no harm twice.

    With `replace` it is written beside its name and takes it at `commit`, all at once: a reader sees the old file
    or the new one. `abandon` then leaves the old one, or, where there was none, what has arrived, so that a client
    can go on from there. Without `replace` it is changed where it is. A new file that nothing has arrived of is not
    left behind by `abandon`. mode: permission bits of a new file, see `checked_mode`.
    """

    def __init__(self, place: Place, names: Names, *, replace: bool = False, create: bool = True,
                 exclusive: bool = False, mode: int | None = None) -> None:
        self._usage = place.room()
        self._place = place
        self.owner = self._folder_owner = HOUSE
        """Whose the file is, and the folder."""
        self._name = names[-1] if names else "."
        self._mode = mode
        self._temporary = ""
        self._created = False
        self._ended = False
        self._reserved = 0
        self.size = 0
        self.status: os.stat_result | None = None
        """Of the complete file, once it is."""
        with place.root.levels(names) as (directories, name), alone(place):
            self._name, directory = name, directories[-1]
            status = status_of(name, directory)
            if status is not None and exclusive:
                raise refused(errno.EEXIST)
            if status is not None and stat.S_ISDIR(status.st_mode):
                raise refused(errno.EISDIR)
            if status is None and not create:
                raise refused(errno.ENOENT)
            if status is not None and stat.S_ISREG(status.st_mode) and not status.st_mode & stat.S_IWUSR:
                raise refused(errno.EACCES)
            if place.sharing is not None:
                self._see_owner(place.sharing, directories, name, new=status is None)
            if status is None and mode is not None:
                checked_mode(mode, directory=False)
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

    def _see_owner(self, sharing: Sharing, directories: Sequence[int], name: str, *, new: bool) -> None:
        """Raises OSError (EPERM) where somebody else's is there, or the folder."""
        self._folder_owner = sharing.folder_owner(directories)
        if new:
            sharing.check_adding(directories)
            self.owner = sharing.login
        else:
            self.owner = sharing.owner(directories, name)
            sharing.check(self.owner)

    def _open_beside(self, name: str, status: os.stat_result | None, directory: int) -> None:
        if status is not None and not stat.S_ISREG(status.st_mode):
            raise refused(errno.ENOENT)  # a pipe, a device: nothing that anybody here can see
        self._temporary = TEMPORARY + secrets.token_hex(8)
        self._descriptor = os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, NEW_FILE,
                                   dir_fd=directory)
        self._directory = os.dup(directory)
        self._begin(self._mode if status is None else stat.S_IMODE(status.st_mode))

    def _open_there(self, name: str, status: os.stat_result | None, exclusive: bool, directory: int) -> None:
        flags = os.O_RDWR | (os.O_CREAT if status is None else 0) | (os.O_EXCL if exclusive else 0)
        self._descriptor = open_regular(name, flags, NEW_FILE, directory)
        self._directory = os.dup(directory)
        self._created = status is None
        self.size = self._reserved = os.fstat(self._descriptor).st_size
        if self._created:
            self._begin(self._mode)

    def _begin(self, mode: int | None) -> None:
        """Give a new file its owner and its permissions."""
        if self._place.sharing is not None:
            claim(self._descriptor, self.owner)
        if mode is not None and mode != NEW_FILE:
            os.fchmod(self._descriptor, mode & 0o777)

    def set_mode(self, mode: int) -> None:
        """Permission bits. Raises OSError (ENOTSUP), see `checked_mode`."""
        os.fchmod(self._descriptor, checked_mode(mode, directory=False))

    def fileno(self) -> int:
        return self._descriptor

    def reserve(self, end: int) -> None:
        """Set aside room for so many octets of the file. Raises OSError: EFBIG, EDQUOT."""
        if end > LONGEST:
            raise refused(errno.EFBIG)
        if end > self._reserved:
            self._usage.take(end - self._reserved)
            self._reserved = end

    def reserve_now(self, end: int) -> bool:
        """As `reserve`, if it can be done without a wait for the disk, and succeeds."""
        if end > self._reserved:
            if end > LONGEST or not self._usage.take_now(end - self._reserved):
                return False
            self._reserved = end
        return True

    def write(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        """Write at a place of the file. Raises OSError: EFBIG, EDQUOT, ENOSPC."""
        self.reserve(offset + len(data))
        rest = memoryview(data)
        while rest:
            written = os.pwrite(self._descriptor, rest, offset)
            rest, offset = rest[written:], offset + written
            self.size = max(self.size, offset)

    def read(self, count: int, offset: int) -> bytes:
        return os.pread(self._descriptor, count, offset)

    def truncate(self, size: int) -> None:
        """Cut or extend the file. Raises OSError as `write` does."""
        self.reserve(size)
        os.ftruncate(self._descriptor, size)
        self.size = size
        self._give_rest()

    def commit(self) -> None:
        """The file is complete."""
        if self._ended:
            return
        self._ended = True
        self._give_rest()
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
        self._give_rest()
        try:
            if self._temporary:
                self._keep_or_drop()
            elif self._created and not self.size:
                self._drop(self._name)
        finally:
            self._close()

    @property
    def replacing(self) -> bool:
        """Whether it is written beside its name."""
        return bool(self._temporary)

    def _give_rest(self) -> None:
        """Give back the room that was set aside and not filled."""
        self._usage.give(self._reserved - self.size)
        self._reserved = self.size

    def _take_name(self) -> None:
        with alone(self._place):
            self._take_name_alone()

    def _take_name_alone(self) -> None:
        old = status_of(self._name, self._directory)
        try:
            if old is not None and self._place.sharing is not None:  # somebody may have been faster
                self._place.sharing.check(own(at(self._directory, self._name)) or self._folder_owner)
            take_name(self._temporary, self._name, self._directory)
        except OSError:  # a folder has taken the name meanwhile, or another's file
            self._drop(self._temporary)
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
        self._drop(self._temporary)

    def _drop(self, name: str) -> None:
        """Remove the file, if it is still the one that has the name."""
        with contextlib.suppress(OSError):
            if not os.path.samestat(os.fstat(self._descriptor),
                                    os.stat(name, dir_fd=self._directory, follow_symlinks=False)):
                return
            os.unlink(name, dir_fd=self._directory)
        self._usage.give(self.size, 1)

    def _close(self) -> None:
        os.close(self._descriptor)
        os.close(self._directory)
