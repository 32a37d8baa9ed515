"""What the system has in memory: looked at and read at once, on the event loop, without a worker thread.

A thread's visit costs ten times what reading such a file does. Linux can be asked for what it has and nothing else:
openat2(2) with RESOLVE_CACHED opens a path only if every step of it is in memory, and preadv2(2) with RWF_NOWAIT
reads what is in the page cache. Where either would wait, or anything is out of the ordinary (a link, a folder, an
older system), the answer here is None, and `Root.open` in a thread finds out what there is.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import sys

__all__ = ["read_cached", "takes_file"]

OPENAT2 = 437
"""The number of the system call, the same on every processor."""

AT_FDCWD = -100
RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH, RESOLVE_CACHED = 0x02, 0x04, 0x08, 0x20

TOP = struct.pack("=QQQ", getattr(os, "O_PATH", 0) | os.O_DIRECTORY | os.O_CLOEXEC, 0, RESOLVE_CACHED)
FILE = struct.pack("=QQQ", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC, 0,
                   RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_CACHED)
PATH = struct.pack("=QQQ", getattr(os, "O_PATH", 0) | os.O_CLOEXEC, 0,
                   RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_CACHED)
"""How a folder, a file in it, and whatever is there are opened: struct open_how."""

syscall = ctypes.CDLL(None, use_errno=True).syscall if sys.platform == "linux" else None


def read_cached(top: str, names: tuple[str, ...], limit: int) -> bytes | None:
    """What a file in the folder `top` holds, if that is at most `limit` octets and in memory. Never waits."""
    descriptor, _ = openat2(top, names, FILE)
    if descriptor < 0:
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
            return None
        content = bytearray(status.st_size)
        read = os.preadv(descriptor, [content], 0, os.RWF_NOWAIT) if content else 0
        return bytes(content) if read == status.st_size else None
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EOPNOTSUPP, errno.EIO):
            return None
        raise
    finally:
        os.close(descriptor)


def takes_file(top: str, names: tuple[str, ...]) -> bool:
    """Whether a file may come to be, or be replaced, at a place in the folder `top`: its folder is there, and nothing
    of that name but a file that its owner may write to. False also where that is not known without waiting."""
    descriptor, problem = openat2(top, names, PATH)
    if descriptor < 0:
        return problem == errno.ENOENT and directory_at(top, names[:-1])
    try:
        mode = os.fstat(descriptor).st_mode
        return stat.S_ISREG(mode) and bool(mode & stat.S_IWUSR)
    finally:
        os.close(descriptor)


def directory_at(top: str, names: tuple[str, ...]) -> bool:
    descriptor, _ = openat2(top, names or (".",), PATH)
    if descriptor < 0:
        return False
    try:
        return stat.S_ISDIR(os.fstat(descriptor).st_mode)
    finally:
        os.close(descriptor)


def openat2(top: str, names: tuple[str, ...], how: bytes) -> tuple[int, int]:
    """A descriptor; or a negative number and why there is none to be had without waiting."""
    if syscall is None or not names:
        return -1, errno.ENOSYS
    directory = syscall(OPENAT2, AT_FDCWD, os.fsencode(top), TOP, len(TOP))
    if directory < 0:
        return -1, errno.EAGAIN
    try:
        found = syscall(OPENAT2, directory, os.fsencode("/".join(names)), how, len(how))
        return found, ctypes.get_errno() if found < 0 else 0
    finally:
        os.close(directory)
