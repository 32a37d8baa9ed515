"""The errors a person can put right: a misspelt key, a busy port, a folder in use."""

from __future__ import annotations

__all__ = ["StoreError", "UserError", "remedy"]


class UserError(Exception):
    """Something the person at the keyboard can put right.

    `str(error)` is the whole message: what was wrong, where, and what to do. The command line prints it without a
    traceback and exits with status 2.
    """


class StoreError(UserError):
    """What is kept in a data folder cannot be used: a damaged file, one of a later version, one in use elsewhere."""


def remedy(error: Exception) -> str:
    """What helps where SQLite cannot use a file, as a clause. Nobody shall move mail away because a disk is full."""
    name = getattr(error, "sqlite_errorname", "")  # missing where Python itself raised it
    if name == "SQLITE_FULL" or name.startswith("SQLITE_IOERR"):
        return "if the disk is full, free some space"
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
        return "make it, and its folder, yours to read and write"
    return "move it away to begin anew"
