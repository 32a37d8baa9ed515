"""Ties that the sandbox knows for certain: whom it dialled for what, and which connections carry whose data."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.journeys.ties import Record, Records, Tie

__all__ = ["ties"]

WORDS = {"dns": "asked because of it", "smtp": "carried on because of it"}


def ties(records: Records) -> Iterator[Tie]:
    """A session that has a cause, and one that carries another's data."""
    by_id = {record.exchange.id: record for record in records}
    control: dict[int, list[Record]] = {}
    for record in records:
        control.setdefault(record.session.id, []).append(record)
    for record in records:
        session, exchange = record
        first = control[session.id][0].exchange.id
        if session.cause in by_id and exchange.id != first:
            # Of requests in a tunnel it is better known what each is for.
            yield Tie(exchange.id, first, "on the same connection", True, 7 if session.protocol == "http" else 0)
        elif session.cause in by_id:
            words = WORDS.get(session.protocol, "the sandbox connected because of it")
            yield Tie(exchange.id, session.cause, words, True, 0)
        if session.parent and (command := command_of(record, control.get(session.parent, []))):
            yield Tie(exchange.id, command.exchange.id, "carries its data", True, 0)


def command_of(data: Record, commands: list[Record]) -> Record | None:
    """The command of the control connection that a data connection worked for: the one under way at the time."""
    fitting = [one for one in commands if one.exchange.started <= data.exchange.ended + 1
               and one.exchange.verb == data.exchange.verb]
    return max(fitting, key=lambda one: one.exchange.started, default=None)
