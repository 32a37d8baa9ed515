"""After so many octets of the answer the server's side ends; it still listens."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.faults.action import Act, Action, Effect, always
from sandbox.faults.actions.ends import EndsAfter
from sandbox.faults.values import octets
from sandbox.protocols.contract.strike import End

__all__ = ["ACTION"]


def make(value: str, options: Mapping[str, str]) -> Act:
    length = octets(value, name="half-close") if value else 0
    return always(lambda: Effect(stage=EndsAfter(length, End.HALF)))


ACTION = Action("half-close", "octets",
                "After so many octets of the answer the server's side ends; it still listens.",
                "a number of octets", "service:echo half-close", make, optional=True)
