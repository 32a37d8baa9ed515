"""Who decides whether an answer is scripted: one function for all services of a space, or nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.journal.records import Session
from sandbox.protocols.contract.script import Question, ScriptedAnswer

__all__ = ["Decide", "Script"]

Decide = Callable[[Session, Question], ScriptedAnswer | None]
"""Asked once for each question, on the loop; it must be quick. None leaves the answer to the protocol."""


@dataclass(slots=True)
class Script:
    """decide: None while nothing is scripted, which then costs a look at this attribute."""

    decide: Decide | None = None
