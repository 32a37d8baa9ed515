"""Exchanges as lines for people, from the rows that the API gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.console.escape import escape

__all__ = ["lines", "near_misses"]

LONG = 200
"""Characters of what was asked, and of what was answered."""


def lines(rows: Sequence[Mapping[str, Any]], *, explain: bool = True) -> Iterator[str]:
    """A line for each exchange, with the sentence that explains it."""
    for row in rows:
        yield line(row)
        if explain and row["explanation"]:
            yield f"            {row['explanation']}"


def line(row: Mapping[str, Any]) -> str:
    asked = " ".join(escape(str(row[name])[:LONG]) for name in ("verb", "asked") if row[name])
    answered = " ".join(escape(str(row[name])[:LONG]) for name in ("outcome", "answered") if row[name])
    host = f" ({escape(row['facts']['host'])})" if row["facts"].get("host") else ""
    return f"{row['id']:>6} {row['time'][11:23]} {row['service']:<11}{host} {asked} → {answered or 'no answer'}"


def near_misses(problem: Mapping[str, Any]) -> Iterator[str]:
    """What came nearest to what was waited for, and which terms each failed."""
    for miss in problem.get("near_misses", ()):
        yield f"{line(miss['exchange'])}"
        told = f", a letter with the subject {escape(repr(miss['subject']))}" if "subject" in miss else ""
        yield f"            failed {escape(' '.join(miss['failed']))}{told}"
