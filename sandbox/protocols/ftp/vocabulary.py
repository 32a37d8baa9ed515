"""What the knowledge of FTP has to cover."""

from __future__ import annotations

from sandbox.protocols.ftp.commands.information import FEATURES
from sandbox.protocols.ftp.control import OUTCOMES, REPLIES
from sandbox.protocols.ftp.dissect import PARTS
from sandbox.protocols.ftp.listing import FACTS
from sandbox.protocols.ftp.session import Ftp
from sandbox.protocols.lines.command import CLEAR_TEXT

__all__ = ["vocabulary"]


def vocabulary() -> dict[str, frozenset[str]]:
    """Every term a record of this protocol can have, by kind."""
    return {
        "part": PARTS,
        "verb": frozenset(Ftp.commands) | {"greeting", "goodbye", "unknown", "transfer"},
        "reply": REPLIES,
        "outcome": OUTCOMES,
        "feature": frozenset(word.split()[0] for word in FEATURES) | {"AUTH", "LANG"},
        "fact": frozenset(FACTS),
        "situation": frozenset({"bounce"}),
        "warning": frozenset({CLEAR_TEXT}),
    }
