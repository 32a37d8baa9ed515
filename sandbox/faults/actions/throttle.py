"""The answer leaves at so many octets a second."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.faults.action import Act, Action, Effect, always
from sandbox.faults.values import octets
from sandbox.protocols.contract.strike import Stage, Step

__all__ = ["ACTION"]

TICKS = 20
"""Pieces a second, where so many octets leave in it."""


class Throttle(Stage):
    def __init__(self, rate: int) -> None:
        super().__init__()
        self._piece = max(1, rate // TICKS)
        self._rate = rate

    def take(self, data: bytes) -> None:
        for start in range(0, len(data), self._piece):
            piece = data[start:start + self._piece]
            self.steps.append(Step(piece, len(piece) / self._rate))


def make(value: str, options: Mapping[str, str]) -> Act:
    rate = octets(value, name="throttle", least=1)
    return always(lambda: Effect(stage=Throttle(rate)))


ACTION = Action("throttle", "octets", "The answer leaves at so many octets a second.", "a number of octets",
                "'protocol:http path:/downloads' throttle=64KiB", make)
