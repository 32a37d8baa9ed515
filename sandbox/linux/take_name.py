"""A new version takes a file's name, all at once, and without a wait for the disk.

rename(2) over a file that is there does it too, but ext4 then sends the new version's octets to the disk before it
comes back (its auto_da_alloc): a tenth of a second for a large file. To exchange the two names (renameat2(2), Linux)
and remove the old version after that is as atomic, and as safe against everything but a power cut.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable

__all__ = ["take_name"]

RENAME_EXCHANGE = 2
UNSUPPORTED = frozenset({errno.ENOSYS, errno.EINVAL, errno.EPERM})
"""What kernels and file systems say that cannot exchange names."""


def _renameat2() -> Callable[[int, bytes, int, bytes, int], int] | None:
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return function


renameat2 = _renameat2()


def take_name(new: str, name: str, directory: int) -> None:
    """The file `new` is called `name` from now on; what was called so before is gone. Raises OSError: a folder is not
    replaced."""
    if not exchange(new, name, directory):
        os.rename(new, name, src_dir_fd=directory, dst_dir_fd=directory)
        return
    try:
        os.unlink(new, dir_fd=directory)
    except OSError:  # a folder has taken the name meanwhile: it gets it back
        exchange(new, name, directory)
        raise


def exchange(one: str, other: str, directory: int) -> bool:
    """Exchange two names in a directory. False, with nothing done, where there is no `other`, or no such call."""
    if renameat2 is None:
        return False
    if renameat2(directory, os.fsencode(one), directory, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code == errno.ENOENT or code in UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code))
