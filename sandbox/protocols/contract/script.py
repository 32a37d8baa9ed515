"""Answers that are given in a protocol's own words instead of what its handler would do.

Every protocol has one door through which its replies go, as values. Right after a question has begun, and before
anything is changed for it, the door asks whether an answer is scripted (`Conversation.scripted`). It does not know
who wrote the script, or why. A datagram's handler changes nothing, so there the answer is replaced when it is ready
(`Service.restate`).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["NO_FACTS", "Manner", "ScriptedAnswer"]

NO_FACTS: Mapping[str, str] = {}


class Manner(enum.Enum):
    """How an answer that is one message goes out (DNS, and what else comes in datagrams)."""

    WHOLE = "whole"
    TRUNCATED = "truncated"  # empty, and marked as cut short
    WRONG_ID = "wrong-id"    # with another number than the question's
    SILENT = "silent"        # not at all
    LAME = "lame"            # as from a server that knows nothing of it
    STALE = "stale"          # as one that was kept for too long


@dataclass(frozen=True, slots=True)
class ScriptedAnswer:
    """An answer in the protocol's own words.

    code: what the exchange's outcome will say: a reply code ("451", "-ERR", "NO"), a status ("503"), an RCODE
    ("SERVFAIL"), an SFTP status ("FAILURE"); text: what a person reads, lines parted by LF; detail: the finer code
    where there is one (SMTP "4.7.1", POP3 "SYS/TEMP", IMAP "UNAVAILABLE"); fields, body: of an HTTP response; the
    body is also what a small TCP service says; close: whether the connection ends with it; facts: noted with the
    exchange.
    """

    code: str
    text: str = ""
    detail: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    manner: Manner = Manner.WHOLE
    close: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(self.text.splitlines()) or ("",)
