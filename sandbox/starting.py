"""What can go wrong while something starts, in words that say what to do."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.errors import UserError

__all__ = ["StartError", "explained", "unwrapped"]


class StartError(UserError):
    """The sandbox, or a space in it, cannot start; the text says why and what to do."""


@contextmanager
def explained(data: Path) -> Iterator[None]:
    """What the disk refuses while the sandbox starts becomes a StartError that says what to do."""
    try:
        yield
    except OSError as error:
        where = error.filename or data
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            said = f"there is no room left for {where}. Free some space"
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            said = f"{where} is not ours to use ({error.strerror}). Make it yours"
        else:
            said = f"{where} cannot be used ({error.strerror or error}). Move it away"
        raise StartError(f"{said}, or choose another data folder with --data DIR.") from error
    except sqlite3.Error as error:
        raise StartError(f"a database in {data} cannot be used ({error}). If the disk is full, free some space; else "
                         "choose another data folder with --data DIR.") from error


@contextmanager
def unwrapped() -> Iterator[None]:
    """A failure that is alone comes out as it is, not in the groups that nurseries wrap it in: a block that raises
    a `UserError` ends with just that."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if error is group:
            raise
        raise error from error.__cause__
