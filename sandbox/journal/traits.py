"""What can be said of an exchange in one word: how it went, whether it was finished, whose traffic it is.

The live lines colour by it, the filter asks for it (`is:error`), the page shows it. Pure functions of the records.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from sandbox.journal.records import Exchange, Session

__all__ = ["TRAITS", "Mood", "Trait", "background", "mood", "unfinished", "went_wrong"]

ROUTINE = frozenset({"200", "NOERROR", "OK", "+OK", "done"})
"""Outcomes that say no more than "here you are"."""

GOOD = ROUTINE | {"PREAUTH", "sent", "PONG", "HTTP/2", "NO_ERROR", "unused", "1000", "1001", "complete", "accepted",
                  "encrypted", "closed", "TLS 1.2", "TLS 1.3"}
MORE = frozenset({"+"})
BAD = frozenset({"-ERR", "BAD", "NO", "FORMERR", "SERVFAIL", "NOTIMP", "REFUSED", "NOTAUTH", "BADVERS", "failed"})
"""Outcomes in words; those in numbers follow their first digit. Anything else is WARNING: it wants a look."""

ALL_THE_SAME = frozenset({"TLS 1.0", "TLS 1.1", "BYE", "EOF", "ignored"})
"""What wants a look, but is no error."""


class Mood(enum.Enum):
    """What an outcome means for the one who asked, whatever the protocol."""

    NEUTRAL = "neutral"
    GOOD = "good"
    MORE = "more"
    """Not there yet: a redirect, or the server waits for the next part."""
    WARNING = "warning"
    BAD = "bad"


def mood(outcome: str) -> Mood:
    """What the outcome of an exchange means for the one who asked."""
    if not outcome:
        return Mood.NEUTRAL
    if len(outcome) == 3 and outcome.isdecimal():
        return {"1": Mood.MORE, "2": Mood.GOOD, "3": Mood.MORE, "4": Mood.WARNING}.get(outcome[0], Mood.BAD)
    if outcome in GOOD:
        return Mood.GOOD
    if outcome in MORE:
        return Mood.MORE
    return Mood.BAD if outcome in BAD else Mood.WARNING


def went_wrong(session: Session, exchange: Exchange) -> bool:
    """Whether the client did not get what it asked for, or the sandbox had a fault."""
    failed = mood(exchange.outcome) in (Mood.WARNING, Mood.BAD) and exchange.outcome not in ALL_THE_SAME
    return failed or "traceback" in exchange.facts


def unfinished(session: Session, exchange: Exchange) -> bool:
    """Whether the connection ended in the middle of it."""
    return not exchange.outcome and exchange.key.startswith("end.")


def background(session: Session, exchange: Exchange) -> bool:
    """Whether it is what browsers and systems do by themselves: probes, updates, telemetry."""
    host = exchange.facts.get("host") or exchange.facts.get("name", "")
    if not host and session.protocol == "dns":
        host = exchange.asked
    return bool(host) and _of_a_browser(host[:255])


@lru_cache(maxsize=4096)
def _of_a_browser(host: str) -> bool:
    name, hosts = host.lower().rstrip("."), _hosts()
    while name:
        if name in hosts:
            return True
        name = name.partition(".")[2]
    return False


@lru_cache(maxsize=1)
def _hosts() -> frozenset[str]:
    """The file beside this one: a host in a line, meant with all below it; `#` begins a comment."""
    lines = Path(__file__).with_name("background.txt").read_text("ascii").splitlines()
    return frozenset(filter(None, (line.partition("#")[0].strip() for line in lines)))


class Trait(NamedTuple):
    """meaning: a relative clause, "that went wrong"; holds: whether it is so."""

    meaning: str
    holds: Callable[[Session, Exchange], bool]


TRAITS: Mapping[str, Trait] = MappingProxyType({
    "encrypted": Trait("that passed encrypted", lambda session, exchange: "encrypted" in exchange.facts),
    "error": Trait("that went wrong", went_wrong),
    "unfinished": Trait("that were not finished", unfinished),
    "background": Trait("that browsers and systems make by themselves", background),
})
"""Every word that can be said so, in the order of the reference page."""
