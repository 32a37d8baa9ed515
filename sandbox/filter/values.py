"""What can stand behind a colon, or alone: a text with its `*`, and the times, sizes and numbers it may mean.

Letters match in either case. An ASCII text in a filter is found by its octets alone, in either case: that is what
`Narrowing.literals` promises a reader, so the two letters whose small form is ASCII without being so are kept apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

__all__ = ["Value", "duration", "fold", "moment", "numbers", "size"]

ODD = {0x130: 0x131, 0x212A: 0x138}
"""İ and the sign of Kelvin, whose lower case has an i and a k; each becomes a letter that looks like it."""

AGO = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
SPANS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3_600.0}
SIZES = {"": 1, "b": 1, "kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000,
         "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}

AMOUNT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)([a-z]*)")
RANGE = re.compile(r"([0-9]{1,18})(?:\.\.([0-9]{1,18}))?")


@dataclass(frozen=True)
class Value:
    """A text as it was written. pattern: a `*` in it stands for anything; between quotes it does not."""

    text: str
    pattern: bool = False

    def whole(self) -> Callable[[str], bool]:
        """Whether a text is this one, in either case."""
        wanted = fold(self.text)
        if self.pattern:
            first, *middle, last = wanted.split("*")
            return lambda text: _in_order(fold(text), first, middle, last)
        return lambda text: fold(text) == wanted

    def part(self) -> Callable[[str], bool]:
        """Whether this is somewhere in a text, in either case."""
        wanted = fold(self.text)
        if self.pattern:
            pieces = wanted.split("*")
            return lambda text: _in_order(fold(text), "", pieces, "")
        return lambda text: wanted in fold(text)

    def literals(self) -> tuple[str, ...]:
        """ASCII texts that occur, in either case, in whatever has this as a part."""
        pieces = self.text.split("*") if self.pattern else [self.text]
        return tuple(dict.fromkeys(run.lower() for piece in pieces for run in re.findall(r"[\x20-\x7e]+", piece)))


def fold(text: str) -> str:
    """In one case, so that texts compare."""
    return text.lower() if text.isascii() else text.translate(ODD).lower()


def _in_order(text: str, first: str, middle: list[str], last: str) -> bool:
    """Whether a text begins with `first`, then has each piece after the other, and ends with `last`. Linear, where
    a regular expression could be made to take for ever."""
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def moment(text: str, now: float) -> float | None:
    """Seconds since the epoch, of "10m" before now or an ISO 8601 date and time (local unless it says otherwise)."""
    if match := re.fullmatch(r"([0-9]{1,9})([smhd])", text):
        return now - int(match[1]) * AGO[match[2]]
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def duration(text: str) -> float | None:
    """Seconds, of "200ms" or "1.5s"."""
    match = AMOUNT.fullmatch(text.lower())
    return float(match[1]) * SPANS[match[2]] if match and match[2] in SPANS else None


def size(text: str) -> float | None:
    """Octets, of "1MB" or "64KiB"."""
    match = AMOUNT.fullmatch(text.lower())
    return float(match[1]) * SIZES[match[2]] if match and match[2] in SIZES else None


def numbers(text: str) -> tuple[int, int] | None:
    """The first and the last of a range, of "12" or "12..20"."""
    match = RANGE.fullmatch(text)
    if not match:
        return None
    first, last = int(match[1]), int(match[2] or match[1])
    return (first, last) if first <= last else None
