"""Wait until told to go on."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.faults.action import Act, Action, Effect
from sandbox.faults.errors import FaultError
from sandbox.faults.values import seconds
from sandbox.journal.records import Exchange, Session

__all__ = ["ACTION", "LIMIT"]

LIMIT = 20.0
"""Seconds after which it goes on by itself; most programs have more patience."""

DNS_LIMIT = 3.0
"""The same for DNS: dig asks again after five."""

HANDSHAKE_LIMIT = 10.0
"""The same for a TLS handshake."""


def make(value: str, options: Mapping[str, str]) -> Act:
    limit = seconds(value, name="hold", least=0.001) if value else 0.0
    if value and not limit:
        raise FaultError("hold is for no time at all.", "Give a time such as 20s, or none.")

    def act(session: Session, exchange: Exchange) -> Effect:
        own = DNS_LIMIT if session.protocol == "dns" else HANDSHAKE_LIMIT if exchange.verb == "TLS" else LIMIT
        return Effect(hold=limit or own)

    return act


ACTION = Action("hold", "hold", "Waits until told to go on, or so long at most; what is said then can be changed.",
                "a time", "'client:127.0.0.1 service:http' hold=30s at=step", make, optional=True)
