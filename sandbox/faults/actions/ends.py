"""What ends the server's side after so many octets of an answer: for the actions that do."""

from __future__ import annotations

import math

from sandbox.protocols.contract.strike import End, Stage, Step

__all__ = ["EndsAfter"]


class EndsAfter(Stage):
    """length: octets that still leave; end: what then happens, None for nothing more to leave."""

    lasting = True

    def __init__(self, length: int, end: End | None) -> None:
        super().__init__()
        self._left = length
        self._end = end
        if not length:
            self._stop(b"")

    def take(self, data: bytes) -> None:
        if self.released:
            self.steps.append(Step(data))
            return
        if self._left > len(data):
            self._left -= len(data)
            self.steps.append(Step(data))
            return
        if self._left:
            self._stop(data[:self._left])
            data, self._left = data[self._left:], 0
        if data and self._end is None:
            self.steps.append(Step(data, math.inf))

    def _stop(self, last: bytes) -> None:
        if self._end is not None:
            self.steps.append(Step(last, 0.0, self._end))
        elif last:
            self.steps.append(Step(last))
