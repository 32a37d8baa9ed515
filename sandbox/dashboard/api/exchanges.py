"""Exchanges: lists under a filter, one with its octets, counts, groups."""

from __future__ import annotations

from collections import Counter

import msgspec

from sandbox.dashboard.access import Asker, Seen
from sandbox.dashboard.again import Again, again
from sandbox.dashboard.answers import ProblemError, as_json
from sandbox.dashboard.api.sides import Side, side
from sandbox.dashboard.operations import Call, Operations, Query
from sandbox.explain.rows import Row, SessionRow, row, session_row
from sandbox.filter import Filter, FilterError, parse
from sandbox.journal.records import Exchange, Session, Stream
from sandbox.protocols.http.messages import Response

__all__ = ["FILTER", "OPERATIONS", "find", "parsed", "seen"]

OPERATIONS = Operations()
FILTER = Query("filter", "A text of the filter language.", "protocol:http outcome:4xx")
MOST_GROUPS = 100_000
"""Values that are counted; a client can make up as many as it likes."""


class Exchanges(msgspec.Struct):
    """next: give it as `before` to go on, null at the end; complete: false where the search was not done in its time,
    then go on too; searched: the share of the journal that was looked through, 0 to 1."""

    exchanges: list[Row]
    next: int | None
    complete: bool
    searched: float


class OneExchange(msgspec.Struct):
    exchange: Row
    session: SessionRow
    client: Side
    server: Side
    again: list[Again]


class Count(msgspec.Struct):
    count: int
    complete: bool


class Group(msgspec.Struct):
    value: str
    count: int


class Groups(msgspec.Struct):
    groups: list[Group]
    complete: bool


def parsed(text: str) -> Filter | None:
    """A filter, None for an empty text. Raises ProblemError."""
    if not text.strip():
        return None
    try:
        return parse(text)
    except FilterError as error:
        raise ProblemError(400, "Not a filter", f"Found {error.found}; expected {error.expected}.", error.suggestion,
                           position=error.position, found=error.found, expected=error.expected,
                           suggestion=error.suggestion) from None


def seen(asker: Asker, matcher: Filter | None) -> Seen | Filter | None:
    """What may be looked for: all that matches, or only the asker's own."""
    return matcher if asker.sees_all else Seen(asker, matcher)


@OPERATIONS.add("GET", "exchanges", "Exchanges that a filter means, newest first.", Exchanges, FILTER,
                Query("limit", "How many, up to 1,000.", "100", kind="integer"),
                Query("before", "Only those with a lower id.", kind="integer"),
                Query("after", "Only those with a higher id.", kind="integer"),
                Query("order", "newest or oldest first; with oldest, `next` is given as `after`.", "newest"))
async def exchanges(call: Call) -> Response:
    query = call.query
    page = await call.board.archive.newest(
        seen(call.asker, parsed(query.text("filter"))), limit=query.whole("limit", 100, least=1, most=1000),
        before=query.whole("before", 0), after=query.whole("after", 0),
        oldest=query.one_of("order", "newest", ("newest", "oldest")) == "oldest")
    return as_json(Exchanges([row(*pair) for pair in page.found], page.next or None, page.complete, page.searched))


@OPERATIONS.add("GET", "exchanges/{number}", "One exchange with its octets, dissected.", OneExchange)
async def one(call: Call, number: str) -> Response:
    session, exchange = await find(call, number)
    client, server = await call.board.archive.read(lambda reader: (
        side(reader, session, exchange, Stream.CLIENT), side(reader, session, exchange, Stream.SERVER)))
    return as_json(OneExchange(row(session, exchange), session_row(session), client, server,
                               again(session, exchange, call.board.place(call.request))))


async def find(call: Call, number: str) -> tuple[Session, Exchange]:
    """An exchange by its id. Raises ProblemError when it is not there, or not the asker's to see."""
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        raise ProblemError(404, "No such exchange", f"{number[:40]!r} is no number of an exchange.")
    wanted = int(number)
    page = await call.board.archive.newest(None, limit=1, before=wanted + 1, after=wanted - 1)
    if not page.found or not call.asker.may_see(page.found[0][0]):
        raise ProblemError(404, "No such exchange", f"There is no exchange {wanted} in this journal.",
                           "It may be older than what the journal keeps.")
    return page.found[0]


@OPERATIONS.add("GET", "count", "How many exchanges a filter means.", Count, FILTER)
async def count(call: Call) -> Response:
    number, complete = await call.board.archive.count(seen(call.asker, parsed(call.query.text("filter"))))
    return as_json(Count(number, complete))


BY = ("protocol", "service", "outcome", "client", "host", "verb", "minute")


@OPERATIONS.add("GET", "groups", "Exchanges counted by what they have in common, the most frequent first.", Groups,
                FILTER, Query("by", f"One of {', '.join(BY)}.", "protocol"))
async def groups(call: Call) -> Response:
    by = call.query.one_of("by", "protocol", BY)
    matcher = seen(call.asker, parsed(call.query.text("filter")))

    found: Counter[str] = Counter()
    async with call.board.archive.asking.history(matcher) as history:
        async for part in history:
            found.update(value(by, *pair) for pair in part.exchanges)
            if len(found) > MOST_GROUPS:
                break
    return as_json(Groups([Group(*item) for item in found.most_common(1000)], len(found) <= 1000))


def value(by: str, session: Session, exchange: Exchange) -> str:
    if by == "client":
        return session.client.host
    if by == "minute":
        return str(int(exchange.ended // 60) * 60)
    if by in ("protocol", "service"):
        return str(getattr(session, by))
    return exchange.facts.get("host", "") if by == "host" else str(getattr(exchange, by))
