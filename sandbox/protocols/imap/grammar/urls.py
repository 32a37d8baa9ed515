"""IMAP URLs as CATENATE names parts of messages by (RFC 4469 §3; RFC 5092).

/INBOX;UIDVALIDITY=385759045/;UID=20/;SECTION=1.2, with ;PARTIAL=0.100 behind it, also with imap://user@host before
it, or without a mailbox for the one that is open.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from sandbox.protocols.imap.grammar.cursor import Cursor, GrammarError, with_inbox
from sandbox.protocols.imap.grammar.fetching import Section, expect_section

__all__ = ["Url", "read_url"]

URL = re.compile(r"(?:imaps?://(?:(?P<user>[^@/;]*)(?:;AUTH=[^@/]*)?@)?(?P<host>[^/@]+)(?=/))?"
                 r"(?:/?(?P<mailbox>(?!\w+://)[^;/][^;]*?)(?:;UIDVALIDITY=(?P<validity>[1-9][0-9]{0,9}))?)?/?;UID=(?P<uid>[1-9][0-9]{0,9})"
                 r"(?:/;SECTION=(?P<section>[^;]+?))?(?:/;PARTIAL=(?P<first>[0-9]{1,18})(?:\.(?P<octets>[1-9][0-9]{0,17}))?)?",
                 re.IGNORECASE)
LONGEST = 2000


class Url(NamedTuple):
    """mailbox: "" for the open one; validity: 0 for any; partial: (first octet, how many), 0 of them for all."""

    uid: int
    mailbox: str = ""
    validity: int = 0
    section: Section = Section()
    partial: tuple[int, int] | None = None
    user: str = ""
    host: str = ""

    def write(self) -> str:
        server = ""
        if self.host:
            server = f"imap://{quote(self.user, safe='') + '@' if self.user else ''}{self.host}"
        mailbox = f"/{quote(self.mailbox)}" if self.mailbox else ""
        validity = f";UIDVALIDITY={self.validity}" if self.validity else ""
        section = quote(self.section.write(), safe="()")
        words = [f"{server}{mailbox}{validity}/;UID={self.uid}", *([f";SECTION={section}"] if section else [])]
        if self.partial is not None:
            first, octets = self.partial
            words.append(f";PARTIAL={first}" + (f".{octets}" if octets else ""))
        return "/".join(words)


def read_url(text: str) -> Url:
    """Raises GrammarError."""
    found = URL.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        raise GrammarError("A URL such as /INBOX/;UID=20/;SECTION=1.2 was expected")
    cursor = Cursor(unquote_to_bytes(found["section"] or "") + b"]")
    section = expect_section(cursor, texts=True)
    cursor.expect_take(b"]")
    cursor.expect_end()
    partial = None if found["first"] is None else (int(found["first"]), int(found["octets"] or 0))
    try:
        mailbox = with_inbox(unquote_to_bytes(found["mailbox"] or "").decode())
        user = unquote_to_bytes(found["user"] or "").decode()
    except UnicodeDecodeError:
        raise GrammarError("That URL is not UTF-8") from None
    return Url(int(found["uid"]), mailbox, int(found["validity"] or 0), section, partial, user, found["host"] or "")
