"""After so many octets of the answer, or in its place, nothing more comes; the connection stays open."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.faults.action import Act, Action, Effect, always
from sandbox.faults.actions.ends import EndsAfter
from sandbox.faults.values import octets

__all__ = ["ACTION"]


def make(value: str, options: Mapping[str, str]) -> Act:
    length = octets(value, name="silence") if value else 0
    return always(lambda: Effect(stage=EndsAfter(length, None)))


ACTION = Action("silence", "octets",
                "After so many octets of the answer, or in its place, nothing more comes; the connection stays open.",
                "a number of octets", "'protocol:imap verb:IDLE' silence=25", make, optional=True)
