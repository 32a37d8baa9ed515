"""What the knowledge of SMTP has to cover."""

from __future__ import annotations

from sandbox.protocols.smtp import replies
from sandbox.protocols.smtp.dissect import PARTS
from sandbox.protocols.smtp.session import EXTENSIONS, Smtp

__all__ = ["FIELDS", "vocabulary"]

FIELDS = frozenset({
    "Received", "Return-Path", "Date", "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Message-ID", "In-Reply-To",
    "References", "Subject", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition",
    "Auto-Submitted", "DKIM-Signature", "List-Unsubscribe",
})
"""The header fields worth knowing."""


def vocabulary() -> dict[str, frozenset[str]]:
    """Every term a record of this protocol can have, by kind."""
    every = replies.every()
    offered = (row.offers for row in Smtp.commands.values() if row.offers)
    return {
        "part": PARTS,
        "verb": frozenset(Smtp.commands) | {"greeting", "message", "goodbye", "unknown"},
        "status": frozenset(reply.code for reply in every) | {"334"},  # sasl asks with it
        "enhanced": frozenset(reply.enhanced for reply in every if reply.enhanced),
        "extension": frozenset((*EXTENSIONS, *offered)),
        "field": FIELDS | {"other"},
    }
