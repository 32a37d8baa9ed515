"""Listings: the `ls -l` form that every client parses, and the facts of RFC 3659. Pure functions.

RFC 959 leaves LIST to taste; clients expect what Unix systems printed: mode, links, owner, group, size, date, name.
Dates are UTC and English, a time for the last half year, else a year.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Sequence
from functools import lru_cache

from sandbox.protocols.ftp.grammar import time_value

__all__ = ["FACTS", "facts", "long_line", "unique"]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HALF_A_YEAR = 15_778_476

FACTS = ("type", "size", "modify", "perm", "unique", "UNIX.mode", "UNIX.owner", "UNIX.group")
"""Those given, in this order (RFC 3659 §7.5, and §7.6 for those of one system). In small letters, as most servers
write them: the case may be any, but PHP hands the names on."""

GROUP = "users"
"""The group of every file."""


def long_line(name: str, status: os.stat_result, owner: str, now: float) -> str:
    """One line of LIST, without its end. now: seconds since the epoch."""
    modified = status.st_mtime
    recent = now - HALF_A_YEAR < modified <= now + 60
    return (f"{filemode(status.st_mode)} {status.st_nlink:3} {shown(owner):<8} {GROUP:<8} {status.st_size:>10} "
            f"{date(int(modified // 60), recent)} {name}")


def shown(owner: str) -> str:
    """Whose a file is said to be. owner: a login, "" for the sandbox itself."""
    return (owner or "sandbox")[:16]


filemode = lru_cache(256)(stat.filemode)


@lru_cache(4096)
def date(minute: int, recent: bool) -> str:
    """minute: since the epoch."""
    moment = time.gmtime(minute * 60)
    when = f"{moment.tm_hour:02}:{moment.tm_min:02}" if recent else f"{moment.tm_year:5}"
    return f"{MONTHS[moment.tm_mon - 1]} {moment.tm_mday:2} {when}"


def unique(status: os.stat_result) -> str:
    """The same for two names of one file, and for no two files (RFC 3659 §7.5.2)."""
    return f"{status.st_dev:x}g{status.st_ino:x}"


def facts(status: os.stat_result, kind: str, wanted: Sequence[str], owner: str, *, writable: bool,
          movable: bool) -> str:
    """The facts of one file, as they stand before its name.

    kind: file or dir; wanted: of FACTS; owner: a login, "" for the sandbox itself; writable: whether it can be
    changed, or filled; movable: whether it can be renamed and removed.
    """
    if kind == "file":
        perm = "r" + ("aw" if writable else "") + ("df" if movable else "")
    else:
        perm = "el" + ("cmp" if writable else "") + ("df" if movable else "")
    values = {"type": kind, "size": str(status.st_size), "modify": time_value(status.st_mtime), "perm": perm,
              "unique": unique(status), "UNIX.mode": f"{stat.S_IMODE(status.st_mode):04o}",
              "UNIX.owner": shown(owner), "UNIX.group": GROUP}
    if kind != "file":
        del values["size"]
    return "".join(f"{name}={values[name]};" for name in wanted if name in values)
