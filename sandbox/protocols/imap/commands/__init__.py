"""The commands of IMAP, a file for each group of them. Importing them fills the table."""

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
    quota,
    search,
    selecting,
    sorting,
)

__all__ = ["anytime", "append", "copying", "fetch", "flags", "folders", "idle", "listing", "login", "quota", "search",
           "selecting", "sorting"]
