"""Greylisting: who is not known yet shall come again later (RFC 6647)."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping

from sandbox.faults.action import Act, Action, Effect
from sandbox.faults.values import seconds
from sandbox.journal.records import Exchange, Session
from sandbox.protocols.contract.script import ScriptedAnswer

__all__ = ["ACTION"]

REMEMBERED = 10_000
"""Pairs of client and recipient."""


def make(value: str, options: Mapping[str, str]) -> Act:
    least = seconds(value, name="greylist") if value else 0.0
    first: OrderedDict[tuple[str, str], float] = OrderedDict()
    again = ScriptedAnswer("451", "Not known yet: come again later (RFC 6647)", "4.7.1")

    def act(session: Session, exchange: Exchange) -> Effect | None:
        if exchange.verb != "RCPT":
            return None
        now, pair = time.monotonic(), (session.client.host, exchange.asked.lower())
        if pair not in first:
            first[pair] = now
            if len(first) > REMEMBERED:
                first.popitem(last=False)
            return Effect(again)
        return Effect(again) if now - first[pair] < least else None

    return act


ACTION = Action("greylist", "answer", "A recipient is turned away with 451 the first time, and until so long after "
                "it, for each client.", "a time", "protocol:smtp greylist=5s", make, protocols=frozenset({"smtp"}),
                optional=True)
