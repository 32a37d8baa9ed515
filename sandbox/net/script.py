"""Who decides what befalls something that has begun: one function, or one set of faults, for all services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import time
from typing import Protocol

from sandbox.journal.records import Exchange, Session
from sandbox.protocols.contract.script import ScriptedAnswer
from sandbox.protocols.contract.strike import Point, Strike

__all__ = ["MARK", "Decide", "Faults", "Script"]

Decide = Callable[[Session, Exchange], ScriptedAnswer | None]
"""Asked once for each question, on the loop; it must be quick. The exchange has just begun: it has no number and no
outcome yet, and it ends now, so that what matches exchanges can be asked about it as about any other. None leaves the
answer to the protocol."""


MARK = ".test"
"""What is in every name that needs no rule, in small letters."""


class Faults(Protocol):
    """What the network asks about everything that begins (`sandbox.faults`). quiet: whether there are no rules: then
    only a question with MARK in its host, or in what was asked, is worth asking about, and looking for that at once
    costs less than a call."""

    @property
    def quiet(self) -> bool: ...

    def concerns(self, point: Point, protocol: str, asked: str, facts: Mapping[str, str]) -> bool:
        """Whether it is worth asking: quick, and mostly false. facts may be shared: they are not to be kept."""

    def strike(self, point: Point, session: Session, exchange: Exchange) -> Strike | None:
        """What befalls it. The exchange is as `Decide` has it."""


@dataclass(slots=True)
class Script:
    """decide, faults: None while there is nobody to ask, which then costs a look at these attributes."""

    decide: Decide | None = None
    faults: Faults | None = None

    def concerns(self, point: Point, protocol: str, asked: str, facts: Mapping[str, str]) -> bool:
        """Whether `strike` is worth calling."""
        return (self.decide is not None and point is Point.QUESTION) or (
            self.faults is not None and self.faults.concerns(point, protocol, asked, facts))

    def strike(self, point: Point, session: Session, verb: str, asked: str,
               facts: Mapping[str, str]) -> Strike | None:
        """What befalls something that has begun."""
        now = time()
        exchange = Exchange(0, session.id, now, now, verb, asked, "", "", "", (0, 0), (0, 0), dict(facts))
        if self.decide is not None and point is Point.QUESTION:
            answer = self.decide(session, exchange)
            if answer is not None:
                return Strike("", answer)
        return None if self.faults is None else self.faults.strike(point, session, exchange)
