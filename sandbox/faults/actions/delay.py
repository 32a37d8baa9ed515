"""The answer leaves later."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.faults.action import Act, Action, Effect, always
from sandbox.faults.values import seconds
from sandbox.protocols.contract.strike import Stage, Step

__all__ = ["ACTION"]


class Delay(Stage):
    def __init__(self, wait: float) -> None:
        super().__init__()
        self._wait = wait

    def take(self, data: bytes) -> None:
        self.steps.append(Step(data, self._wait))
        self._wait = 0.0


def make(value: str, options: Mapping[str, str]) -> Act:
    wait = seconds(value, name="delay")
    return always(lambda: Effect(stage=Delay(wait)))


ACTION = Action("delay", "octets", "The answer leaves so much later.", "a time", "host:shop.example delay=2s", make)
