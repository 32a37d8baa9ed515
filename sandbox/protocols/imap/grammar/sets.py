"""Sets of message numbers or UIDs: 1,3:5,7:* or $ for what a search has saved."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from sandbox.protocols.imap.grammar.cursor import Cursor, GrammarError

__all__ = ["SAVED", "STAR", "NumberSet", "among", "compress", "expect_set", "merged"]

STAR = 0
"""The largest number in use, whatever it is then."""

RANGE = re.compile(rb"([1-9][0-9]{0,9}|\*)(?::([1-9][0-9]{0,9}|\*))?")


class NumberSet(NamedTuple):
    """Ranges in the client's order, both ends included; saved: `$` (RFC 9051 §6.4.4.1) instead."""

    ranges: tuple[tuple[int, int], ...]
    saved: bool = False

    def resolve(self, largest: int) -> list[tuple[int, int]]:
        """Disjoint ranges in rising order, with `largest` for the star; * means nothing while there is nothing."""
        filled = []
        for start, end in self.ranges:
            low, high = start or largest, end or largest
            if low and high:
                filled.append((min(low, high), max(low, high)))
        return merged(filled)

    @property
    def numbers(self) -> Iterable[int]:
        """The ends that are numbers."""
        return (number for pair in self.ranges for number in pair if number)

    def write(self) -> bytes:
        if self.saved:
            return b"$"
        return ",".join(name(start) if start == end else f"{name(start)}:{name(end)}"
                        for start, end in self.ranges).encode()


SAVED = NumberSet((), saved=True)


def name(number: int) -> str:
    return str(number) if number else "*"


def expect_set(cursor: Cursor) -> NumberSet:
    """sequence-set of RFC 9051 §9."""
    if cursor.try_take(b"$"):
        return SAVED
    ranges = []
    while True:
        found = cursor.match(RANGE)
        if found is None:
            raise GrammarError(f"Message numbers such as 1,3:5 or 7:* were expected at {cursor.near()}")
        start = STAR if found[1] == b"*" else int(found[1])
        end = start if found[2] is None else STAR if found[2] == b"*" else int(found[2])
        if max(start, end) > 0xFFFF_FFFF:
            raise GrammarError("A message number has 32 bits")
        ranges.append((start, end))
        if not cursor.try_take(b","):
            return NumberSet(tuple(ranges))


def merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same numbers in disjoint ranges, in rising order."""
    result: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if result and low <= result[-1][1] + 1:
            if high > result[-1][1]:
                result[-1] = result[-1][0], high
        else:
            result.append((low, high))
    return result


def among(numbers: Iterable[int], ranges: list[tuple[int, int]]) -> list[int]:
    """Those numbers that are in one of the ranges. ranges: as `merged` gives them."""
    ends = [high for _, high in ranges]
    return [number for number in numbers
            if (place := bisect_left(ends, number)) < len(ends) and ranges[place][0] <= number]


def compress(numbers: Iterable[int]) -> bytes:
    """Numbers in the shortest form that keeps their order, for COPYUID, ESEARCH, VANISHED. b"" for none."""
    parts: list[str] = []
    start = last = 0
    for number in numbers:
        if start and number == last + 1:
            last = number
            continue
        if start:
            parts.append(str(start) if start == last else f"{start}:{last}")
        start = last = number
    if start:
        parts.append(str(start) if start == last else f"{start}:{last}")
    return ",".join(parts).encode()
