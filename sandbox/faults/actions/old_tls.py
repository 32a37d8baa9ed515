"""TLS: a server that speaks TLS 1.0 and nothing newer."""

from __future__ import annotations

from sandbox.faults.action import Action, Effect, always
from sandbox.protocols.contract.strike import BadHandshake, Point

__all__ = ["ACTION"]

ACTION = Action("old-tls", "tls", "The server speaks TLS 1.0 and nothing newer (RFC 8996).", "",
                "service:https old-tls",
                lambda value, options: always(lambda: Effect(handshake=BadHandshake(oldest=True))),
                point=Point.HANDSHAKE)
