"""The live stream, and waiting for what shall happen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import msgspec

from sandbox.dashboard.access import Seen
from sandbox.dashboard.answers import ProblemError, as_json, body_of
from sandbox.dashboard.api.exchanges import FILTER, parsed
from sandbox.dashboard.live import event
from sandbox.dashboard.operations import Call, Operations, Query
from sandbox.dashboard.rows import Row, row
from sandbox.journal.asking import NotSeen
from sandbox.protocols.http.messages import Headers, Response

__all__ = ["OPERATIONS"]

OPERATIONS = Operations()
CAUGHT_UP = 500
"""Exchanges that a page that comes back is given at once; of more it is told how it missed them."""
LONGEST = 600.0
"""Seconds a wait may last."""


class Wait(msgspec.Struct, forbid_unknown_fields=True):
    """filter: what shall happen; count: how often; since: the id of an exchange, only later ones count; timeout:
    seconds."""

    filter: str = ""
    count: int = 1
    since: int = 0
    timeout: float = 5.0


class Waited(msgspec.Struct):
    exchanges: list[Row]


@OPERATIONS.add("GET", "events", "What happens, as it happens, as server-sent events.", "text/event-stream", FILTER,
                Query("after", "The id of the last exchange that is known: what came since is told first.",
                      kind="integer"))
async def events(call: Call) -> Response:
    text = call.query.text("filter").strip()
    matcher = parsed(text)
    seen = Seen(call.asker, matcher)
    last = call.request.headers.get("Last-Event-ID").strip()
    after = int(last[:18]) if last.isascii() and last.isdecimal() else call.query.whole("after", -1)

    async def stream() -> AsyncIterator[bytes]:
        board = call.board
        shared = call.asker.sees_all
        with board.live.subscribed() as watcher:
            # A page that knows of more than there is has seen another journal: a data folder of its own, since gone.
            known = after if after <= board.last_exchange else 0
            yield event("hello", {"last": board.last_exchange, "sessions_open": board.live.open(seen)})
            if 0 <= known < board.last_exchange:
                page = await board.archive.newest(seen, limit=CAUGHT_UP, after=known)
                if page.next:
                    yield event("gap", {"missed": page.next - known - 1})
                if page.found:
                    known = page.found[0][1].id
                    yield event("exchanges", [row(*pair) for pair in reversed(page.found)], known)
            async with aclosing(watcher.frames(seen, text if shared else None, known)) as frames:
                async for data in frames:
                    yield data

    return Response(200, Headers([("Content-Type", "text/event-stream"), ("Cache-Control", "no-store, no-transform"),
                                  ("X-Accel-Buffering", "no")]), stream())


@OPERATIONS.add("POST", "wait", "Wait until exchanges that a filter means have happened.", Waited, takes=Wait)
async def wait(call: Call) -> Response:
    asked = await body_of(call.request, Wait)
    if not 1 <= asked.count <= 1000 or not 0 <= asked.timeout <= LONGEST or asked.since < 0:
        raise ProblemError(422, "Not such a wait",
                           f"count is {asked.count}, since {asked.since}, timeout {asked.timeout:g}.",
                           f"count is from 1 to 1,000, since an id, timeout at most {LONGEST:g} seconds.")
    seen = Seen(call.asker, parsed(asked.filter))
    try:
        found = await call.board.archive.asking.first(seen, count=asked.count, after=asked.since,
                                                      timeout=asked.timeout)
    except NotSeen as late:
        raise ProblemError(408, "It did not happen", f"{len(late.seen)} of {asked.count} happened within "
                           f"{asked.timeout:g} seconds.", "The near misses say which term of the filter each failed.",
                           exchanges=[row(*pair) for pair in late.seen],
                           near_misses=[{"exchange": row(near.session, near.exchange), "failed": near.failed}
                                        for near in late.near_misses]) from None
    return as_json(Waited([row(*pair) for pair in found]))
