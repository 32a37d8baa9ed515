"""After so many octets of the answer, or in its place, the connection is reset."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.faults.action import Act, Action, Effect, always
from sandbox.faults.actions.ends import EndsAfter
from sandbox.faults.values import octets
from sandbox.protocols.contract.strike import End

__all__ = ["ACTION"]


def make(value: str, options: Mapping[str, str]) -> Act:
    length = octets(value, name="reset") if value else 0
    return always(lambda: Effect(stage=EndsAfter(length, End.RESET)))


ACTION = Action("reset", "octets", "After so many octets of the answer, or in its place, the connection is reset.",
                "a number of octets", "host:shop.example reset every=3", make, optional=True)
