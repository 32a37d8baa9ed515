"""The answer leaves in small pieces."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.faults.action import Act, Action, Effect, always
from sandbox.faults.values import octets, seconds
from sandbox.protocols.contract.strike import Stage, Step

__all__ = ["ACTION"]

PAUSE = 0.01
"""Seconds between pieces: enough for each to be a segment of its own."""


class Slices(Stage):
    def __init__(self, length: int, pause: float) -> None:
        super().__init__()
        self._length, self._pause = length, pause
        self._first = True

    def take(self, data: bytes) -> None:
        for start in range(0, len(data), self._length):
            self.steps.append(Step(data[start:start + self._length], 0.0 if self._first else self._pause))
            self._first = False


def make(value: str, options: Mapping[str, str]) -> Act:
    length = octets(value, name="slices", least=1)
    pause = seconds(options["pause"], name="pause") if "pause" in options else PAUSE
    return always(lambda: Effect(stage=Slices(length, pause)))


ACTION = Action("slices", "octets", "The answer leaves in pieces of so many octets.", "a number of octets",
                "'service:pop3 verb:RETR' slices=10 pause=100ms", make,
                {"pause": "the time between two pieces; without it 10ms"})
