"""Whose things are in a place that many write to.

An owner's login is kept with the file or folder itself, in the extended attribute user.sandbox.owner (xattr(7)): it
moves with it, goes with it, and is there after a restart. What has none is its folder's owner's, and at the top of a
place the house's: what was put there by hand is changed by the teacher alone. Everybody may add to folders of the
house, of the teacher, and of their own.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Sequence

from sandbox.world.accounts import TEACHER
from sandbox.world.files.usage import refused

__all__ = ["HOUSE", "Sharing", "at", "can_share", "claim", "own"]

ATTRIBUTE = "user.sandbox.owner"
HOUSE = ""
"""Owns what nobody who logs in does."""


def can_share(folder: str) -> bool:
    """Whether the file system keeps extended attributes. Waits for the disk."""
    try:
        os.getxattr(folder, ATTRIBUTE)
    except OSError as error:
        return error.errno == errno.ENODATA
    except AttributeError:
        return False  # Linux alone has the call
    return True


def own(path: str | int) -> str:
    """The owner that a file or folder itself names; links name none."""
    try:
        return os.getxattr(path, ATTRIBUTE, follow_symlinks=isinstance(path, int)).decode("ascii", "replace")
    except OSError:
        return HOUSE


def at(directory: int, name: str) -> str:
    return f"/proc/self/fd/{directory}/{name}"


class Sharing:
    """A shared place as one person meets it. login: theirs, "" for anonymous; lock: one for all who change it, so
    that nothing becomes another's between the look and the change."""

    def __init__(self, login: str, lock: threading.RLock) -> None:
        self.login = login
        self.lock = lock

    def folder_owner(self, directories: Sequence[int]) -> str:
        """directories: those on the way, open, from the top of the place down."""
        return next(filter(None, map(own, reversed(directories[1:]))), HOUSE)

    def owner(self, directories: Sequence[int], name: str) -> str:
        """Of a name in the last of the directories."""
        return own(at(directories[-1], name)) or self.folder_owner(directories)

    def may_change(self, owner: str) -> bool:
        return self.login == TEACHER or (self.login == owner != HOUSE)

    def may_add(self, owner: str) -> bool:
        """Whether something can be put into a folder of that owner's."""
        return owner in (HOUSE, TEACHER) or self.may_change(owner)

    def check(self, owner: str) -> None:
        """Raises OSError (EPERM)."""
        if not self.may_change(owner):
            raise refused(errno.EPERM)

    def check_adding(self, directories: Sequence[int]) -> None:
        """Raises OSError (EPERM)."""
        if not self.may_add(self.folder_owner(directories)):
            raise refused(errno.EPERM)


def claim(target: int | str, owner: str) -> None:
    """Say whose a file (its descriptor) or folder (its path, see `at`) is."""
    if owner == HOUSE:
        return
    try:
        put(target, owner)
    except PermissionError:  # on a file that is for reading, or a link, which belongs to its folder's owner
        mode = os.stat(target, follow_symlinks=isinstance(target, int)).st_mode
        if stat.S_ISREG(mode):
            os.chmod(target, stat.S_IMODE(mode) | stat.S_IWUSR)
            put(target, owner)
            os.chmod(target, stat.S_IMODE(mode))


def put(target: int | str, owner: str) -> None:
    os.setxattr(target, ATTRIBUTE, owner.encode("ascii"), follow_symlinks=isinstance(target, int))
