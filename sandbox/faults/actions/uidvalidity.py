"""IMAP: the UIDVALIDITY is a new one, so that nothing a client remembers of the mailbox holds (RFC 9051 §2.3.1.1)."""

from __future__ import annotations

import re

from sandbox.faults.action import Action, Effect
from sandbox.journal.records import Exchange, Session
from sandbox.protocols.contract.strike import Stage, Step

__all__ = ["ACTION"]

SAID = re.compile(rb"(UIDVALIDITY )([0-9]{1,10})", re.IGNORECASE)
LONGEST = 65_536
"""Octets kept back for a line to be whole."""


class NewUidvalidity(Stage):
    """Changes the number where it is said; keeps back what is no whole line yet."""

    def __init__(self) -> None:
        super().__init__()
        self._kept = b""

    def take(self, data: bytes) -> None:
        self._kept += data
        end = self._kept.rfind(b"\n") + 1
        if end or len(self._kept) > LONGEST:
            whole, self._kept = self._kept[:end or None], self._kept[end:] if end else b""
            self.steps.append(Step(SAID.sub(other, whole)))

    def finish(self) -> None:
        if self._kept:
            self.steps.append(Step(SAID.sub(other, self._kept)))
            self._kept = b""


def other(match: re.Match[bytes]) -> bytes:
    """A number that is always the same other one."""
    return match[1] + b"%d" % (int(match[2]) % 4_294_967_294 + 1)


def act(session: Session, exchange: Exchange) -> Effect | None:
    return Effect(stage=NewUidvalidity()) if exchange.verb in ("SELECT", "EXAMINE", "STATUS") else None


ACTION = Action("uidvalidity", "answer", "The mailbox has another UIDVALIDITY than before: nothing that a client "
                "remembers of it holds.", "", "'protocol:imap account:alice' uidvalidity", lambda value, options: act,
                protocols=frozenset({"imap"}))
