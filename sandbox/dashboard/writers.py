"""Who put a file where it is: the last exchange that wrote it, found in the journal."""

from __future__ import annotations

import time
from collections.abc import Collection

from sandbox.dashboard.access import Asker
from sandbox.dashboard.archive import PATIENCE, Archive
from sandbox.journal.matching import Narrowing
from sandbox.journal.records import Exchange, Session

__all__ = ["Writes", "writers"]

WROTE = frozenset({"STOR", "STOU", "APPE", "RNTO", "WRITE", "RENAME"})
"""Verbs of FTP and SFTP after which there is a file, or another one."""


class Writes:
    """Matches what wrote one of these files. account: whose home they are in, "" where everybody has one name for
    them; files: as the fact `file` has them."""

    def __init__(self, asker: Asker, account: str, files: Collection[str]) -> None:
        self._asker = asker
        self._account = account
        self._files = frozenset(files)

    def matches(self, session: Session, exchange: Exchange) -> bool:
        facts = exchange.facts
        return (exchange.verb in WROTE and facts.get("file") in self._files and fine(exchange)
                and (not self._account or facts.get("account") == self._account) and self._asker.may_see(session))

    def narrowing(self) -> Narrowing:
        folder = min(self._files, key=len, default="").rpartition("/")[0]
        return Narrowing((folder,) if folder else (), {"protocol": frozenset({"ftp", "sftp"})})


def fine(exchange: Exchange) -> bool:
    return exchange.outcome.startswith("2") or exchange.outcome.upper() == "OK"


async def writers(archive: Archive, wanted: Writes, count: int) -> dict[str, tuple[Session, Exchange]]:
    """The last exchange that wrote each file, as far as can be found with patience. count: how many files."""
    found: dict[str, tuple[Session, Exchange]] = {}
    until = time.monotonic() + PATIENCE
    async with archive.asking.history(wanted) as history:
        async for part in history:
            for session, exchange in part.exchanges:
                found.setdefault(exchange.facts["file"], (session, exchange))
            if len(found) == count or time.monotonic() > until:
                break
    return found
