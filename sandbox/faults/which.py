"""Which of those that a rule's filter means it strikes."""

from __future__ import annotations

import random
from collections.abc import Mapping

from sandbox.faults.errors import FaultError
from sandbox.faults.values import count, share

__all__ = ["OPTIONS", "Which"]

OPTIONS: Mapping[str, str] = {
    "nth": "only these, counted from 1: `nth=3`, `nth=2,5`",
    "every": "each such one: `every=3` is the third, the sixth ...",
    "chance": "so many of all, by the dice: `chance=30%`, `chance=0.3`",
    "seed": "a number for the dice, so that a test always throws the same: `seed=7`; without it 0",
    "times": "so often and no more: `times=2`; without it until the rule is removed",
}
"""Each option with its meaning."""

NTH = 100
"""Numbers that `nth` may list."""


class Which:
    """Counts. options: texts by the names of OPTIONS. seen: how many were meant; struck: how many it let be struck.

    Raises FaultError.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        numbers = options["nth"].split(",") if "nth" in options else []
        if len(numbers) > NTH:
            raise FaultError(f"nth lists {len(numbers)} numbers.", f"It lists up to {NTH}.")
        self._nth = frozenset(count(one.strip(), name="nth") for one in numbers)
        self._every = count(options["every"], name="every") if "every" in options else 0
        self._chance = share(options["chance"], name="chance") if "chance" in options else 1.0
        if "seed" in options and "chance" not in options:
            raise FaultError("seed is for the dice, and there is no chance to throw them for.", "Add chance=30%.")
        self._dice = random.Random(count(options.get("seed", "0"), name="seed", least=0))
        self._times = count(options["times"], name="times") if "times" in options else 0
        self.seen = 0
        self.struck = 0

    @property
    def spent(self) -> bool:
        """Whether none will be struck any more."""
        return bool((self._times and self.struck >= self._times)
                    or (self._nth and self.seen >= max(self._nth)))

    def strikes(self) -> bool:
        """One more is there: whether it is struck."""
        if self._times and self.struck >= self._times:
            return False
        self.seen += 1
        if (self._nth and self.seen not in self._nth) or (self._every and self.seen % self._every):
            return False
        if self._chance < 1 and self._dice.random() >= self._chance:
            return False
        self.struck += 1
        return True
