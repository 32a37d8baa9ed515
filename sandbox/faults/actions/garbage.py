"""Noise instead of the answer."""

from __future__ import annotations

import random
from collections.abc import Mapping

from sandbox.faults.action import Act, Action, Effect, always
from sandbox.faults.values import octets
from sandbox.protocols.contract.strike import Stage, Step

__all__ = ["ACTION"]

MOST = 1_048_576
SEED = 1
"""The noise is always the same."""


class Garbage(Stage):
    """Its last octets are CR and LF, so that who reads lines has one to read."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self._length = length

    def take(self, data: bytes) -> None:
        if self.released:
            self.steps.append(Step(data))
        elif self._length:
            noise = random.Random(SEED).randbytes(max(0, self._length - 2)) + b"\r\n"
            self.steps.append(Step(noise[-self._length:]))
            self._length = 0


def make(value: str, options: Mapping[str, str]) -> Act:
    length = min(MOST, octets(value, name="garbage", least=1)) if value else 64
    return always(lambda: Effect(stage=Garbage(length)))


ACTION = Action("garbage", "octets", "Instead of the answer so many octets of noise come.", "a number of octets",
                "'service:ftp verb:LIST' garbage=200", make, optional=True)
