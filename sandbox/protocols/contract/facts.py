"""Facts for the journal: how long one may be. Their names and meanings are `sandbox.journal.facts`."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

__all__ = ["LONGEST", "MOST", "bounded", "listed"]

LONGEST = 1_024
"""Characters of a fact that a client chose: it is kept with every exchange."""

MOST = 100
"""Values of a fact that is a list; of more there are only so many."""


def bounded(value: str) -> str:
    """A value that a client chose, cut to what is kept of it."""
    return value if len(value) <= LONGEST else value[:LONGEST - 1] + "…"


def listed(values: Iterable[str]) -> str:
    """Several values as one fact, separated by spaces."""
    return bounded(" ".join(islice(values, MOST)))
