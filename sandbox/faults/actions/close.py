"""After so many octets of the answer, or in its place, the connection is closed."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.faults.action import Act, Action, Effect, always
from sandbox.faults.actions.ends import EndsAfter
from sandbox.faults.values import octets
from sandbox.protocols.contract.strike import End

__all__ = ["ACTION"]


def make(value: str, options: Mapping[str, str]) -> Act:
    length = octets(value, name="close") if value else 0
    return always(lambda: Effect(stage=EndsAfter(length, End.CLOSE)))


ACTION = Action("close", "octets", "After so many octets of the answer, or in its place, the connection is closed.",
                "a number of octets", "'service:smtp verb:DATA' close", make, optional=True)
