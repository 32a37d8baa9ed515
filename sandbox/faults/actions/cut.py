"""After so many octets of the answer the connection is cut: nobody says goodbye, not in TLS either."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.faults.action import Act, Action, Effect, always
from sandbox.faults.actions.ends import EndsAfter
from sandbox.faults.values import octets
from sandbox.protocols.contract.strike import End

__all__ = ["ACTION"]


def make(value: str, options: Mapping[str, str]) -> Act:
    length = octets(value, name="cut") if value else 0
    return always(lambda: Effect(stage=EndsAfter(length, End.CUT)))


ACTION = Action("cut", "octets",
                "After so many octets of the answer the connection is cut: nobody says goodbye, not in TLS either.",
                "a number of octets", "'protocol:http path:/big' cut=1000", make, optional=True)
