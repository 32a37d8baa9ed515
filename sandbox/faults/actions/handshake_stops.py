"""TLS: the handshake stops in the middle."""

from __future__ import annotations

from sandbox.faults.action import Action, Effect, always
from sandbox.protocols.contract.strike import BadHandshake, Point

__all__ = ["ACTION"]

ACTION = Action("handshake-stops", "tls", "After the client's hello nothing comes.", "",
                "service:imaps handshake-stops",
                lambda value, options: always(lambda: Effect(handshake=BadHandshake(stops=True))),
                point=Point.HANDSHAKE)
