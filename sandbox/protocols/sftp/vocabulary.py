"""What the knowledge of SFTP has to cover."""

from __future__ import annotations

from sandbox.protocols.sftp.dissect import LISTS, MESSAGES, PARTS
from sandbox.protocols.sftp.files import OPERATIONS
from sandbox.protocols.sftp.statuses import STATUSES

__all__ = ["vocabulary"]


def vocabulary() -> dict[str, frozenset[str]]:
    """Every term a record of this protocol can have, by kind."""
    return {
        "part": PARTS,
        "message": frozenset(MESSAGES.values()) | {"other"},
        "algorithms": frozenset(LISTS),
        "verb": OPERATIONS | {"handshake", "login", "disconnect", "shell", "exec", "subsystem", "tunnel"},
        "status": frozenset(STATUSES.values()),
        "outcome": frozenset({"encrypted", "accepted", "refused", "failed", "closed", "broken-off"}),
    }
