"""What a tie between two exchanges is, and the records as the finders of ties take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sandbox.journal.records import Exchange, Session

__all__ = ["Record", "Tie", "client_of"]


class Record(NamedTuple):
    """An exchange with its session."""

    session: Session
    exchange: Exchange

    @property
    def facts(self) -> dict[str, str]:
        return self.exchange.facts


class Tie(NamedTuple):
    """One exchange belongs to another's journey. child, parent: their ids; words: how it is known, as a phrase;
    certain: whether it follows from what was recorded, not from names and times; rank: the surer, the lower; shared:
    whether the child belongs to other journeys too."""

    child: int
    parent: int
    words: str
    certain: bool
    rank: int
    shared: bool = False


Records = Sequence[Record]


def client_of(record: Record) -> str:
    return record.session.client.host
