"""Journeys: everything that one click, letter or upload set in motion."""

from __future__ import annotations

import msgspec
import trio

from sandbox.dashboard.answers import ProblemError, as_json
from sandbox.dashboard.api.exchanges import FILTER, find, parsed, seen
from sandbox.dashboard.operations import Call, Operations, Query
from sandbox.explain.rows import Row, row
from sandbox.journal.traits import background
from sandbox.journeys import Journey, journeys
from sandbox.protocols.http.messages import Response

__all__ = ["OPERATIONS"]

OPERATIONS = Operations()
LOOKED_AT = 5_000
"""Exchanges of which journeys are made, the newest: what one person did in an hour, or a class in a minute."""
STEPS = 500
"""Steps of one journey that are told."""


class JourneyStep(msgspec.Struct):
    """depth: ties from the beginning; tie: how it belongs to the step `above` (an id, 0 for none); certain: whether
    that follows from what was recorded, rather than from names and times."""

    row: Row
    depth: int
    tie: str
    certain: bool
    above: int


class JourneyRow(msgspec.Struct):
    """kind: page, letter, upload, logins, tunnel, walk, errand; steps: the beginning first; more: steps left out."""

    kind: str
    title: str
    started: float
    ended: float
    text: str
    steps: list[JourneyStep]
    more: int


class JourneyRows(msgspec.Struct):
    journeys: list[JourneyRow]


def hidden(journey: Journey) -> bool:
    """Whether nobody asked for it: what browsers do by themselves is only told when a filter means it."""
    return background(journey.steps[0].session, journey.steps[0].exchange)


def told(journey: Journey) -> JourneyRow:
    probable = sum(not step.certain for step in journey.steps)
    text = f"{len(journey.steps)} steps" + (f", {probable} of them probable" if probable else "")
    return JourneyRow(journey.kind, journey.title, journey.started, journey.ended, text, [
        JourneyStep(row(step.session, step.exchange), step.depth, step.words, step.certain, step.above)
        for step in journey.steps[:STEPS]], max(0, len(journey.steps) - STEPS))


@OPERATIONS.add("GET", "journeys", "Clicks, letters and uploads with all that they set in motion, newest first.",
                JourneyRows, FILTER, Query("limit", "How many, up to 200.", "30", kind="integer"),
                Query("before", "Only of exchanges with a lower id.", kind="integer"),
                Query("kind", "Only of this kind.", "page"))
async def listed(call: Call) -> Response:
    query = call.query
    limit, kind = query.whole("limit", 30, least=1, most=200), query.text("kind")
    wanted = parsed(query.text("filter"))
    pairs = await call.board.archive.asking.newest(seen(call.asker, None), count=LOOKED_AT,
                                                   before=query.whole("before", 0))
    found = [journey for journey in await trio.to_thread.run_sync(journeys, pairs)
             if (not kind or journey.kind == kind)
             and (not hidden(journey) if wanted is None else
                  any(wanted.matches(step.session, step.exchange) for step in journey.steps))]
    return as_json(JourneyRows([told(journey) for journey in found[:limit]]))


@OPERATIONS.add("GET", "journeys/{number}", "The journey that an exchange belongs to.", JourneyRow)
async def one(call: Call, number: str) -> Response:
    _, exchange = await find(call, number)
    pairs = await call.board.archive.asking.newest(seen(call.asker, None), count=LOOKED_AT,
                                                   before=exchange.id + LOOKED_AT // 2)
    for journey in await trio.to_thread.run_sync(journeys, pairs):
        if any(step.exchange.id == exchange.id for step in journey.steps):
            return as_json(told(journey))
    raise ProblemError(404, "On no journey", f"Nothing else belongs to exchange {exchange.id}.")
