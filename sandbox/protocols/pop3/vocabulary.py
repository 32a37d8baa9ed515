"""What the knowledge of POP3 has to cover."""

from __future__ import annotations

from sandbox.protocols.pop3.dissect import PARTS
from sandbox.protocols.pop3.session import CODES, FIXED_CAPABILITIES, Pop3

__all__ = ["vocabulary"]


def vocabulary() -> dict[str, frozenset[str]]:
    """Every term a record of this protocol can have, by kind."""
    words = [*FIXED_CAPABILITIES, "SASL", *(row.offers for row in Pop3.commands.values() if row.offers)]
    return {
        "part": PARTS,
        "verb": frozenset(Pop3.commands) | {"greeting", "unknown"},
        "outcome": frozenset({"+OK", "-ERR", "+"}),
        "code": CODES,
        "capability": frozenset(word.split()[0] for word in words),
    }
