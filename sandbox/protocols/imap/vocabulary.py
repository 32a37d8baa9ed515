"""What the knowledge of IMAP has to cover."""

from __future__ import annotations

from sandbox.protocols.imap.commands import TABLE
from sandbox.protocols.imap.dissect import PARTS
from sandbox.protocols.imap.grammar.fetching import ATTRIBUTES
from sandbox.protocols.imap.grammar.listing import STATUS_ITEMS
from sandbox.protocols.imap.grammar.searching import KEYS
from sandbox.protocols.imap.replies import CODES, FLAGS
from sandbox.protocols.imap.session import CAPABILITIES

__all__ = ["vocabulary"]

RESPONSES = frozenset({
    "CAPABILITY", "ENABLED", "ESEARCH", "EXISTS", "EXPUNGE", "FETCH", "FLAGS", "ID", "LIST", "LSUB", "NAMESPACE",
    "QUOTA", "QUOTAROOT", "RECENT", "SEARCH", "SORT", "STATUS", "THREAD", "VANISHED",
})
"""Untagged responses that are no status."""

MAILBOX_ATTRIBUTES = frozenset({"\\HasChildren", "\\HasNoChildren", "\\NonExistent", "\\Noselect", "\\Subscribed",
                                "\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash"})


def vocabulary() -> dict[str, frozenset[str]]:
    """Every term a record of this protocol can have, by kind."""
    return {
        "part": PARTS,
        "verb": frozenset(TABLE) | {"greeting", "goodbye", "unknown", "DONE", "push"},
        "outcome": frozenset({"OK", "NO", "BAD", "BYE", "+"}),
        "code": CODES,
        "response": RESPONSES,
        "flag": frozenset(FLAGS) | {"\\Recent", "other"},
        "mailbox": MAILBOX_ATTRIBUTES,
        "key": KEYS,
        "attribute": ATTRIBUTES,
        "status": frozenset(STATUS_ITEMS),
        "capability": frozenset(CAPABILITIES) | {"APPENDLIMIT", "COMPRESS=DEFLATE", "STARTTLS",
                                                    "LOGINDISABLED", "AUTH"},
    }
