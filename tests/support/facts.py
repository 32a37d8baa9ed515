"""Which facts an exchange may have."""

from __future__ import annotations

from sandbox.journal.facts import FACTS
from sandbox.journal.records import Exchange, Session

__all__ = ["setter", "stray"]


def setter(session: Session, exchange: Exchange) -> str:
    """Whose words an exchange speaks: the protocol's, or those of the handshake in front of it."""
    return "tls" if exchange.key.startswith("tls:") else session.protocol


def stray(session: Session, exchange: Exchange) -> list[str]:
    """The facts of an exchange that the table does not have, or not of this protocol."""
    return [name for name in exchange.facts
            if name not in FACTS or FACTS[name].setters.isdisjoint((setter(session, exchange), "all"))]
