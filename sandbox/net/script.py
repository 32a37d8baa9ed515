"""Who decides whether an answer is scripted: one function for all services of a space, or nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import time

from sandbox.journal.records import Exchange, Session
from sandbox.protocols.contract.script import ScriptedAnswer

__all__ = ["Decide", "Script"]

Decide = Callable[[Session, Exchange], ScriptedAnswer | None]
"""Asked once for each question, on the loop; it must be quick. The exchange has just begun: it has no number and no
outcome yet, and it ends now, so that what matches exchanges can be asked about it as about any other. None leaves the
answer to the protocol."""


@dataclass(slots=True)
class Script:
    """decide: None while nothing is scripted, which then costs a look at this attribute."""

    decide: Decide | None = None

    def answer(self, session: Session, verb: str, asked: str, facts: Mapping[str, str]) -> ScriptedAnswer | None:
        """What stands in for the answer to a question."""
        if self.decide is None:
            return None
        now = time()
        return self.decide(session, Exchange(0, session.id, now, now, verb, asked, "", "", "", (0, 0), (0, 0),
                                             dict(facts)))
