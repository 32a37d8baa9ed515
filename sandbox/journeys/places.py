"""An upload, and the requests that then got the file, by whatever protocol."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.journeys.ties import Record, Records, Tie

__all__ = ["ties"]

WRITES = frozenset({"STOR", "APPE", "STOU", "PUT", "put", "write"})
READS = frozenset({"RETR", "GET", "get", "read"})
HOME = "/www"
"""Where in a home its website is."""


def ties(records: Records) -> Iterator[Tie]:
    """records: oldest first."""
    written: dict[str, Record] = {}
    for record in records:
        session, exchange = record
        file = exchange.facts.get("file", "")
        if not file or session.parent:
            continue
        if is_write(record):
            for place in places(record, file):
                written[place] = record
        elif exchange.verb in READS and (upload := written.get(next(places(record, file)))):
            yield Tie(exchange.id, upload.exchange.id, "got the file", False, 4)


def is_write(record: Record) -> bool:
    return record.exchange.verb in WRITES and not record.exchange.outcome.startswith(("4", "5"))


def places(record: Record, file: str) -> Iterator[str]:
    """What a file may be called: by whose home and path, and on the web by the host that is named after them."""
    session, exchange = record
    if session.protocol == "http":
        yield f"{exchange.facts.get('host', '').split('.')[0]}:{file}"
        return
    owner = exchange.facts.get("account", "")
    yield f"{owner}:{file.removeprefix(HOME)}" if file.startswith(f"{HOME}/") else f"{owner}:home:{file}"
