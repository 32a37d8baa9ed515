"""Folders that people read and write over the network: what can be done with the files and folders in them.

Everything here waits for the disk: call it from a worker thread. Errors are `OSError`, with the errno that says what
is wrong; EDQUOT where a place is full, EROFS where it is only for reading.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from sandbox.world.files.owners import HOUSE, Sharing, at, claim
from sandbox.world.files.paths import DIRECTORY, Names, Root, open_regular
from sandbox.world.files.usage import Usage, measure, refused

__all__ = ["Place", "Room", "alone", "checked_mode", "owner_in", "status_of"]


class Room(NamedTuple):
    """How much fits into a place, and is in it. Where it is only for reading, what is in it is all that fits."""

    octets: int
    entries: int
    used_octets: int
    used_entries: int
    writable: bool


class Place(NamedTuple):
    """A folder with its rules, as one person meets it. usage: None where it is only for reading; sharing: whose
    things are in it, None where all are one owner's."""

    root: Root
    usage: Usage | None
    sharing: Sharing | None = None

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


@contextlib.contextmanager
def changing(place: Place, names: Names, *, follow: bool = True) -> Iterator[tuple[int, str]]:
    """As `Root.parent`, for something that is to be changed, and with nobody else at it. Raises OSError: EPERM where
    it is somebody else's."""
    with place.root.levels(names, follow=follow) as (directories, name), alone(place):
        if place.sharing is not None and status_of(name, directories[-1]) is not None:
            place.sharing.check(place.sharing.owner(directories, name))
        yield directories[-1], name


@contextlib.contextmanager
def adding(place: Place, names: Names, *, follow: bool = True) -> Iterator[tuple[int, str]]:
    """As `changing`, for something that may be new; then the folder has to take it."""
    with place.root.levels(names, follow=follow) as (directories, name), alone(place):
        if place.sharing is not None:
            if status_of(name, directories[-1]) is None:
                place.sharing.check_adding(directories)
            else:
                place.sharing.check(place.sharing.owner(directories, name))
        yield directories[-1], name


def alone(place: Place) -> contextlib.AbstractContextManager[object]:
    """Nobody else changes what is shared meanwhile."""
    return contextlib.nullcontext() if place.sharing is None else place.sharing.lock


def owner_in(place: Place, names: Names, *, follow: bool = True) -> str:
    """Whose something in a shared place is."""
    assert place.sharing is not None
    with place.root.levels(names, follow=follow) as (directories, name):
        return place.sharing.owner(directories, name)


def status_of(name: str, directory: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


def checked_mode(mode: int, *, directory: bool) -> int:
    """Permission bits that can be kept. Raises OSError (ENOTSUP) for others, rather than change them: what the owner
    could not read or enter, the sandbox could not either, and set-user-ID bits have no meaning here."""
    needed = stat.S_IRWXU if directory else stat.S_IRUSR
    if mode & ~0o777 or mode & needed != needed:
        raise refused(errno.ENOTSUP)
    return mode


def make_directory(place: Place, names: Names, mode: int | None = None) -> None:
    """mode: permission bits, see `checked_mode`."""
    if mode is not None:
        checked_mode(mode, directory=True)
    usage = place.room()
    usage.take(0, 1)
    try:
        with place.root.levels(names) as (directories, name), alone(place):
            directory = directories[-1]
            if place.sharing is not None and status_of(name, directory) is None:
                place.sharing.check_adding(directories)
            os.mkdir(name, 0o755, dir_fd=directory)
            if place.sharing is not None:
                claim(at(directory, name), place.sharing.login)
            if mode not in (None, 0o755):
                change_mode(name, directory, mode)
    except OSError:
        usage.give(0, 1)
        raise


def remove_directory(place: Place, names: Names) -> None:
    usage = place.room()
    with changing(place, names) as (directory, name):
        os.rmdir(name, dir_fd=directory)
    usage.give(0, 1)


def remove_file(place: Place, names: Names) -> None:
    """A link that stands there goes itself, not what it leads to."""
    usage = place.room()
    with changing(place, names, follow=False) as (directory, name):
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            raise refused(errno.EISDIR)
        os.unlink(name, dir_fd=directory)
    usage.give(status.st_size, 1)


def rename(source: Place, old: Names, target: Place, new: Names, *, replace: bool) -> None:
    """Give a file or folder another name, also in another place. replace: whether it may take a file's place."""
    giver, taker = source.room(), target.room()
    owner = target.sharing.login if target.sharing is not None else HOUSE
    if source.sharing is not None:
        owner = owner_in(source, old, follow=False)
    with changing(source, old, follow=False) as (from_directory, from_name), \
            adding(target, new, follow=False) as (to_directory, to_name):
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
            if target.sharing is not None:
                claim(at(to_directory, to_name), owner)
        except OSError:
            if giver is not taker:
                taker.give(octets, entries)
            raise
        if giver is not taker:
            giver.give(octets, entries)
        if there is not None and (there.st_ino, there.st_dev) != (status.st_ino, status.st_dev):
            taker.give(0 if stat.S_ISDIR(there.st_mode) else there.st_size, 1)


def set_times(place: Place, names: Names, modified: float, accessed: float | None = None) -> None:
    """Seconds since the epoch. accessed: None leaves that time as it is."""
    place.room()
    with changing(place, names) as (directory, name):
        if accessed is None:
            accessed = os.stat(name, dir_fd=directory, follow_symlinks=False).st_atime
        os.utime(name, (accessed, modified), dir_fd=directory, follow_symlinks=False)


def set_mode(place: Place, names: Names, mode: int) -> None:
    """Permission bits. Raises OSError (ENOTSUP) for what cannot be kept, see `checked_mode`."""
    place.room()
    with changing(place, names) as (directory, name):
        change_mode(name, directory, mode)


def change_mode(name: str, directory: int, mode: int) -> None:
    is_directory = stat.S_ISDIR(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)
    checked_mode(mode, directory=is_directory)
    if is_directory:
        descriptor = os.open(name, DIRECTORY, dir_fd=directory)
    else:
        descriptor = open_regular(name, os.O_RDONLY, directory=directory)
    try:
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)
