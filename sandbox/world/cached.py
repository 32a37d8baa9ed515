"""Small files that the system has in memory: read at once, on the event loop, without a worker thread.

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

from sandbox.world.paths import Names

__all__ = ["read_cached"]

OPENAT2 = 437
"""The number of the system call, the same on every processor."""

AT_FDCWD = -100
RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH, RESOLVE_CACHED = 0x02, 0x04, 0x08, 0x20

TOP = struct.pack("=QQQ", getattr(os, "O_PATH", 0) | os.O_DIRECTORY | os.O_CLOEXEC, 0, RESOLVE_CACHED)
FILE = struct.pack("=QQQ", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC, 0,
                   RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_CACHED)
"""How a folder and a file in it are opened: struct open_how."""

syscall = ctypes.CDLL(None).syscall if sys.platform == "linux" else None


def read_cached(top: str, names: Names, limit: int) -> bytes | None:
    """What a file in the folder `top` holds, if that is at most `limit` octets and in memory. Never waits."""
    if syscall is None or not names:
        return None
    directory = openat2(AT_FDCWD, os.fsencode(top), TOP)
    if directory < 0:
        return None
    try:
        descriptor = openat2(directory, os.fsencode("/".join(names)), FILE)
    finally:
        os.close(directory)
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


def openat2(directory: int, path: bytes, how: bytes) -> int:
    """A descriptor, negative where there is none to be had without waiting."""
    assert syscall is not None
    found: int = syscall(OPENAT2, directory, path, how, len(how))
    return found
