"""Paths that people send, and how they become files: the one piece that HTTP, FTP and SFTP share.

A path is taken apart into names first (`names_of`), without the file system. Then `Root` walks from its folder to
the file one open directory at a time, following links by hand, so that each step is taken from a directory that is
known to lie inside. A link that leads out is refused whoever made it and whenever: nothing is checked first and
used later, so there is no moment in between for an attacker to use.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from operator import itemgetter

__all__ = ["NAME_OCTETS", "Names", "Root", "bad_name", "names_of", "virtual"]

Names = tuple[str, ...]
"""A path inside a folder, from the top: () is the folder itself."""

NAME_OCTETS = 255
"""What file systems take as one name."""

SHORT = NAME_OCTETS // 4
"""So many characters are no more octets than that in UTF-8."""

DEPTH = 64
"""Folders in folders. Deeper ones are an attempt to make something slow."""

LINKS = 16
"""Links followed on the way to one file."""

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def bad_name(name: str) -> str:
    """What is wrong with a name for a file, as the end of a sentence; "" for a good one.

    A name is text that can be shown on one line: control characters would let a file's name forge lines of a
    listing, and what is not UTF-8 cannot be shown at all.
    """
    if name in ("", ".", "..") or "/" in name:
        return "is not a name"
    if len(name) <= SHORT and name.isprintable():
        return ""
    try:
        octets = len(name.encode())
    except UnicodeEncodeError:
        return "is not UTF-8"
    if octets > NAME_OCTETS:
        return f"is longer than {NAME_OCTETS} octets"
    if any(ord(character) < 32 or 127 <= ord(character) < 160 or character in "\u2028\u2029" for character in name):
        return "contains a control character"
    return ""


def names_of(path: str, start: Names = ()) -> Names:
    """The names of a path as people write it, seen from the folder `start`; one that begins with / from the top.

    ".." goes up and stops at the top, as in a Unix file system. Raises OSError (ENAMETOOLONG) for a path that is
    too deep, ValueError for a name that can be no file's.
    """
    found = [] if path.startswith("/") else list(start)
    for name in path.split("/"):
        if name == "..":
            del found[-1:]
        elif name not in ("", "."):
            if problem := bad_name(name):
                raise ValueError(f"the name {problem}")
            found.append(name)
    if len(found) > DEPTH:
        raise OSError(errno.ENAMETOOLONG, f"more than {DEPTH} folders deep")
    return tuple(found)


def virtual(names: Names) -> str:
    """The names as a path from the top."""
    return "/" + "/".join(names)


class Root:
    """A folder that nothing leads out of. Every method waits for the disk and raises OSError.

    A name in `names` may be anything but "." and ".."; whether it is a good one is for the caller to say.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)

    @contextlib.contextmanager
    def parent(self, names: Names, *, follow: bool = True) -> Iterator[tuple[int, str]]:
        """The open directory that holds a path's last name, and that name ("." for the folder itself).

        The name is no link, unless `follow` is false; use it with `dir_fd` and without following links.
        """
        with self.levels(names, follow=follow) as (directories, name):
            yield directories[-1], name

    @contextlib.contextmanager
    def levels(self, names: Names, *, follow: bool = True) -> Iterator[tuple[Sequence[int], str]]:
        """As `parent`, with all directories on the way open, from this folder down to the one that holds the name."""
        walk = Walk(self.path)
        try:
            _, name = walk.down(names, follow)
            yield walk.directories, name
        finally:
            walk.close()

    def stat(self, names: Names) -> os.stat_result:
        with self.parent(names) as (directory, name):
            return os.stat(name, dir_fd=directory, follow_symlinks=False)

    def open(self, names: Names, flags: int, mode: int = 0o600) -> int:
        """A descriptor of a regular file; never one of a pipe or a device, and never waits for one."""
        with self.parent(names) as (directory, name):
            return open_regular(name, flags, mode, directory)

    def where(self, names: Names) -> str:
        """The real path, for the log and for caches; look again before each use."""
        with self.parent(names) as (directory, name):
            return os.path.normpath(os.path.join(os.readlink(f"/proc/self/fd/{directory}"), name))

    def names(self, names: Names) -> Names:
        """The path without the links in it: what `names` leads to, from the top."""
        walk = Walk(self.path)
        try:
            walk.down(names, follow=True)
            return tuple(walk.names)
        finally:
            walk.close()

    @contextlib.contextmanager
    def directory(self, names: Names) -> Iterator[int]:
        """A descriptor of a directory."""
        with self.parent(names) as (directory, name):
            descriptor = os.open(name, DIRECTORY, dir_fd=directory)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def entries(self, names: Names) -> list[tuple[str, os.stat_result]]:
        """The files and directories of a directory, sorted by name; links that stay inside as what they lead to."""
        found: list[tuple[str, os.stat_result]] = []
        with self.directory(names) as descriptor, os.scandir(descriptor) as listed:
            for entry in listed:
                try:
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISLNK(status.st_mode):
                        status = self.stat((*names, entry.name))
                except OSError:
                    continue  # gone by now, or a link that leads nowhere we go
                if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
                    found.append((entry.name, status))
        return sorted(found, key=itemgetter(0))


class Walk:
    """A way down from a folder: the directories on it are all open, so that ".." in a link is a step back on it."""

    def __init__(self, top: str) -> None:
        self._top = top
        self._open = [os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)]
        self.names: list[str] = []

    @property
    def directories(self) -> Sequence[int]:
        return self._open

    def close(self) -> None:
        while self._open:
            os.close(self._open.pop())

    def down(self, names: Sequence[str], follow: bool) -> tuple[int, str]:
        """The directory that holds the last name, and the name."""
        ahead = list(reversed(names))
        links = 0
        while ahead:
            name = ahead.pop()
            if name in ("", "."):
                continue
            if name == "..":
                self._up()
                continue
            target = self._link(name) if ahead or follow else ""
            if target:
                links += 1
                if links > LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                ahead += reversed(self._inside(target).split("/"))
            elif not ahead:
                self.names.append(name)
                return self._open[-1], name
            else:
                self._open.append(os.open(name, DIRECTORY, dir_fd=self._open[-1]))
                self.names.append(name)
        return self._open[-1], "."

    def _link(self, name: str) -> str:
        """Where a link leads; "" for what is no link, or is not there."""
        try:
            return os.readlink(name, dir_fd=self._open[-1])
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):
                return ""
            raise

    def _up(self) -> None:
        if len(self._open) == 1:
            raise leads_out()
        os.close(self._open.pop())
        self.names.pop()

    def _inside(self, target: str) -> str:
        """A link's target as seen from here. An absolute one has to name this folder, and starts again at its top."""
        if not target.startswith("/"):
            return target
        top = os.path.realpath(self._top)
        if target != top and not target.startswith(top + "/"):
            raise leads_out()
        while len(self._open) > 1:
            self._up()
        return target[len(top):]


def leads_out() -> OSError:
    """Outside is nothing, as far as a client can tell: not even that something is there."""
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def open_regular(name: str, flags: int, mode: int = 0o600, directory: int | None = None) -> int:
    """A descriptor of a regular file. Never follows a link, never waits on a pipe. Raises OSError."""
    flags |= os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(name, flags, mode, dir_fd=directory)
    kind = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(kind):
        os.close(descriptor)
        code = errno.EISDIR if stat.S_ISDIR(kind) else errno.ENOENT
        raise OSError(code, os.strerror(code))
    return descriptor
