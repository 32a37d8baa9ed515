"""The errors a person can put right: a misspelt key, a busy port, a folder in use."""

from __future__ import annotations

__all__ = ["UserError"]


class UserError(Exception):
    """Something the person at the keyboard can put right.

    `str(error)` is the whole message: what was wrong, where, and what to do. The command line prints it without a
    traceback and exits with status 2.
    """
