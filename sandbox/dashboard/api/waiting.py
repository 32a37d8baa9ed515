"""Waiting for what shall happen: exchanges, or letters."""

from __future__ import annotations

from typing import Any

import msgspec

from sandbox.dashboard.access import Seen
from sandbox.dashboard.answers import ProblemError, as_json, body_of
from sandbox.dashboard.api.exchanges import parsed
from sandbox.dashboard.arrivals import Arrival, Late, LetterTerms, arrivals
from sandbox.dashboard.operations import Call, Operations
from sandbox.explain.rows import Row, row
from sandbox.journal.asking import NotSeen
from sandbox.protocols.http.messages import Response
from sandbox.space import MAIN

__all__ = ["OPERATIONS"]

OPERATIONS = Operations()
LONGEST = 600.0
"""Seconds a wait may last."""
MOST = 1_000
HINT = "The near misses say which term each failed."


class Wait(msgspec.Struct, forbid_unknown_fields=True):
    """filter: what shall happen; count: how often; since: the id of an exchange, only later ones count; timeout:
    seconds."""

    filter: str = ""
    count: int = 1
    since: int = 0
    timeout: float = 5.0


class Waited(msgspec.Struct):
    """cursor: give it as `since` to wait for what comes after the last of these."""

    exchanges: list[Row]
    cursor: int


class LetterWait(Wait):
    """filter: for the exchange that delivers the letter; letter: for the letter itself; raw: with its octets, in
    base64; space: whose mail."""

    letter: LetterTerms = msgspec.field(default_factory=LetterTerms)
    raw: bool = False
    space: str = MAIN


class LetterRow(msgspec.Struct):
    """copy: where it is; letter: all that is read of it, as `sandbox mail show --json` has it; exchange: the one that
    delivered it."""

    exchange: Row
    copy: dict[str, Any]
    letter: dict[str, Any]


class WaitedLetters(msgspec.Struct):
    letters: list[LetterRow]
    cursor: int


@OPERATIONS.add("POST", "wait", "Wait until exchanges that a filter means have happened.", Waited, takes=Wait)
async def wait(call: Call) -> Response:
    asked = checked(await body_of(call.request, Wait))
    seen = Seen(call.asker, parsed(asked.filter))
    try:
        found = await call.board.archive.asking.first(seen, count=asked.count, after=asked.since,
                                                      timeout=asked.timeout)
    except NotSeen as late:
        raise ProblemError(408, "It did not happen", f"{len(late.seen)} of {asked.count} happened within "
                           f"{asked.timeout:g} seconds.", HINT,
                           exchanges=[row(*pair) for pair in late.seen],
                           near_misses=[{"exchange": row(near.session, near.exchange), "failed": near.failed}
                                        for near in late.near_misses]) from None
    return as_json(Waited([row(*pair) for pair in found], found[-1][1].id))


@OPERATIONS.add("POST", "wait/letters", "Wait until letters have arrived.", WaitedLetters, takes=LetterWait)
async def wait_for_letters(call: Call) -> Response:
    asked = await body_of(call.request, LetterWait)
    checked(asked)
    seen = Seen(call.asker, parsed(asked.filter))
    try:
        found = await arrivals(call.board.archive, call.space_called(asked.space), seen, asked.letter,
                               count=asked.count, after=asked.since, timeout=asked.timeout, raw=asked.raw)
    except Late as late:
        raise ProblemError(
            408, "It did not arrive", f"{len(late.seen)} of {asked.count} letters arrived within "
            f"{asked.timeout:g} seconds.", HINT, letters=[letter_row(each) for each in late.seen],
            near_misses=[{"exchange": row(near.session, near.exchange), "subject": near.letter["subject"],
                          "recipient": near.copy["recipient"], "failed": near.failed}
                         for near in late.near]) from None
    return as_json(WaitedLetters([letter_row(each) for each in found], found[-1].exchange.id))


def letter_row(arrival: Arrival) -> LetterRow:
    return LetterRow(row(arrival.session, arrival.exchange), dict(arrival.copy), dict(arrival.letter))


def checked(asked: Wait) -> Wait:
    """Raises ProblemError."""
    if not 1 <= asked.count <= MOST or not 0 <= asked.timeout <= LONGEST or asked.since < 0:
        raise ProblemError(422, "Not such a wait",
                           f"count is {asked.count}, since {asked.since}, timeout {asked.timeout:g}.",
                           f"count is from 1 to {MOST:,}, since an id, timeout at most {LONGEST:g} seconds.")
    return asked
