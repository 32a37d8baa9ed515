"""How a service encrypts: what a start needs to know beforehand, without the engine that does the work."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sandbox.net.layers.tls.contexts import Contexts, Strength

__all__ = ["TlsSettings"]

TICKETS = 2
"""As OpenSSL has it: a client uses each once, and some open two connections at a time."""


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How a service encrypts. alpn: the application protocols it speaks (RFC 7301), the best first."""

    contexts: Contexts
    alpn: tuple[str, ...] = ()
    strength: Strength = Strength.MODERN
    tickets: int = TICKETS
    """How many a client gets for later connections."""

    def for_data(self) -> TlsSettings:
        """The same for data connections. A client that only sends reads nothing: tickets unread at its close become a
        TCP reset, and that overtakes an upload's last octets."""
        return replace(self, tickets=0)
