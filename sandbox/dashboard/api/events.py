"""The live stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from sandbox.dashboard.access import Seen
from sandbox.dashboard.answers import ProblemError
from sandbox.dashboard.api.exchanges import FILTER, parsed
from sandbox.dashboard.live import PAGES, event
from sandbox.dashboard.operations import Call, Operations, Query
from sandbox.explain.rows import row
from sandbox.protocols.http.messages import Headers, Response

__all__ = ["OPERATIONS"]

OPERATIONS = Operations()
CAUGHT_UP = 500
"""Exchanges that a page that comes back is given at once; of more it is told how it missed them."""


@OPERATIONS.add("GET", "events", "What happens, as it happens, as server-sent events.", "text/event-stream", FILTER,
                Query("after", "The id of the last exchange that is known: what came since is told first.",
                      kind="integer"))
async def events(call: Call) -> Response:
    text = call.query.text("filter").strip()
    matcher = parsed(text)
    seen = Seen(call.asker, matcher)
    last = call.request.headers.get("Last-Event-ID").strip()
    after = int(last[:18]) if last.isascii() and last.isdecimal() else call.query.whole("after", -1)

    if call.board.live.crowded(call.asker.address):
        raise ProblemError(429, "Too many pages", f"{PAGES} pages at {call.asker.address} watch already.",
                           "Close some of them.")

    async def stream() -> AsyncIterator[bytes]:
        board = call.board
        shared = call.asker.sees_all
        with board.live.subscribed(call.asker.address) as watcher:
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
            if seen.reads_octets:       # which the frames of all do not have: this page asks for itself
                async with board.archive.asking.follow(seen, after=known) as following:
                    async for news in following:
                        if some := news.exchanges:
                            yield event("exchanges", [row(*pair) for pair in some], some[-1][1].id)
            async with aclosing(watcher.frames(seen, text if shared else None, known)) as frames:
                async for data in frames:
                    yield data

    return Response(200, Headers([("Content-Type", "text/event-stream"), ("Cache-Control", "no-store, no-transform"),
                                  ("X-Accel-Buffering", "no")]), stream())
