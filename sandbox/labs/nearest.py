"""What came nearest to a check, in words: "you asked A; this step wants MX"."""

from __future__ import annotations

import heapq
import re
from collections.abc import Sequence
from typing import NamedTuple

from sandbox.filter import Filter
from sandbox.labs.values import Record

__all__ = ["Near", "nearest"]

LOOKED_AT = 500
"""Of how many of the latest exchanges."""

TERM = re.compile(r'(-?)([a-z-]+):"?(.*?)"?')
SAID = {
    "verb": "you asked {got}; this step wants {want}", "outcome": "it was answered {got}; this step wants {want}",
    "host": "it was for the host {got}; this step wants {want}", "path": "it was for {got}; this step wants {want}",
    "name": "it asked about {got}; this step wants {want}", "service": "it went to {got}; this step wants {want}",
    "transport": "it came over {got}; this step wants {want}",
    "account": "it was done as {got}; this step wants {want}", "longer": "it took {got} seconds; this step wants "
    "more than {want}", "file": "it was about {got}; this step wants {want}",
}


class Near(NamedTuple):
    record: Record
    words: str


def nearest(wanted: Filter, records: Sequence[Record]) -> Near | None:
    """Of the latest exchanges of the same protocol, the one that failed the fewest terms."""
    found: list[tuple[int, int, Record, list[str]]] = []
    for one in records[-LOOKED_AT:]:
        failed = wanted.failing(one.session, one.exchange)
        if failed and not any(term.startswith(("protocol:", "-is:background")) for term in failed):
            found.append((len(failed), -one.exchange.id, one, failed))
    if not found:
        return None
    _, _, one, failed = heapq.nsmallest(1, found, key=lambda each: each[:2])[0]
    return Near(one, "; ".join(why(term, one) for term in failed[:2]))


def why(term: str, one: Record) -> str:
    """Why an exchange fails a term."""
    parts = TERM.fullmatch(term)
    if parts is None:
        return f"it is not as {term} says"
    minus, key, want = parts.groups()
    if key == "has":
        return f"it has {got(want, one) or want}, and this step wants none" if minus else f"it has no {want}"
    if minus:
        return f"it has {got(key, one) or want}, and this step wants something else"
    if key in SAID:
        return SAID[key].format(got=got(key, one) or "nothing", want=want)
    return f"its {key} is not {want}" if want != "*" else f"it has no {key}"


def got(key: str, one: Record) -> str:
    session, exchange, _ = one
    match key:
        case "verb" | "outcome" | "asked" | "answered":
            return str(getattr(exchange, key))
        case "service" | "transport":
            return str(getattr(session, key))
        case "longer":
            return f"{max(0.0, exchange.ended - exchange.started):.1f}"
        case "name" if session.protocol == "dns":
            return exchange.asked[:100]
    return exchange.facts.get(key, "")[:100]
