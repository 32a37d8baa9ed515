"""Names that stay: of a message's content, of its conversation, of a mailbox (OBJECTID, RFC 8474).

None of them is stored: each follows from what never changes. A copy has its original's content, a mailbox keeps its
number when it is renamed, and answers name the first message of their conversation in References.
"""

from __future__ import annotations

import hashlib
import re

from sandbox.protocols.imap.library import Known
from sandbox.world.mail import Item

__all__ = ["email_id", "mailbox_id", "thread_id"]

MESSAGE_ID = re.compile(rb"<[^<>\s]+>")


def email_id(item: Item) -> str:
    return f"M{item.content}"


def thread_id(item: Item, known: Known) -> str:
    """The same for all messages that go back to one. A message that says nothing of itself stands alone."""
    for field in (b"references", b"in-reply-to", b"message-id"):
        for value in known.header.values(field):
            if found := MESSAGE_ID.search(value):
                return "T" + hashlib.sha256(found[0]).hexdigest()[:20]
    return f"TM{item.content}"


def mailbox_id(folder: int) -> str:
    """folder: its number in the store, which is never used again."""
    return f"F{folder}"
