"""The commands of IMAP, a file for each group of them. Importing them fills the table, which is given out here."""

from __future__ import annotations

from sandbox.protocols.imap.commands import (
    anytime,
    append,
    copying,
    fetch,
    flags,
    folders,
    idle,
    listing,
    login,
    notifying,
    quota,
    search,
    selecting,
    sorting,
)
from sandbox.protocols.imap.table import TABLE

__all__ = ["TABLE", "anytime", "append", "copying", "fetch", "flags", "folders", "idle", "listing", "login",
           "notifying", "quota", "search", "selecting", "sorting"]
