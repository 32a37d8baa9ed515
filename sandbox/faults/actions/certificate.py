"""TLS: a certificate that is wrong in one way."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.faults.action import Act, Action, Effect, always
from sandbox.faults.errors import FaultError
from sandbox.protocols.contract.strike import BadHandshake, Point
from sandbox.toml import nearest

__all__ = ["ACTION", "WRONGS"]

WRONGS = ("expired", "wrong-host", "self-signed", "untrusted-root")
"""As `pki/bad.py` makes them."""


def make(value: str, options: Mapping[str, str]) -> Act:
    if value not in WRONGS:
        raise FaultError(f"certificate is {value[:40]!r}.",
                         nearest(value, WRONGS) or f"It is one of {', '.join(WRONGS)}.")
    return always(lambda: Effect(handshake=BadHandshake(certificate=value)))


ACTION = Action("certificate", "tls", "The server's certificate is expired, for another host (wrong-host), signed "
                "by itself (self-signed), or by nobody known (untrusted-root).", "what is wrong with it",
                "'service:https host:shop.example' certificate=expired", make, point=Point.HANDSHAKE)
