"""A letter as a test looks at it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Attachment", "Letter"]


class Attachment(NamedTuple):
    """name: "" where the letter gives none; size: octets; part: its number in the letter."""

    name: str
    type: str
    size: int
    part: str


class Letter:
    """A letter that arrived. subject, text, html: as a mail program shows them; links, codes: in the order they stand
    there; sender, recipients: what SMTP's envelope said, apart from the header; raw: its octets as they came."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        letter, copy = found["letter"], found["copy"]
        self.subject: str = letter["subject"]
        self.text: str = letter["text"] or ""
        self.html: str = letter["html"] or ""
        self.links: Sequence[str] = letter["links"]
        self.codes: Sequence[str] = letter["codes"]
        self.from_: Sequence[str] = [one["address"] for one in letter["from"]]
        self.to: Sequence[str] = [one["address"] for one in letter["to"]]
        self.cc: Sequence[str] = [one["address"] for one in letter["cc"]]
        envelope = letter["envelope"] or {"from": "", "to": []}
        self.sender: str = envelope["from"]
        self.recipients: Sequence[str] = envelope["to"]
        self.headers: Sequence[tuple[str, str]] = [(one["name"], one["value"]) for one in letter["headers"]]
        self.attachments: Sequence[Attachment] = [
            Attachment(one["name"], one["type"], one["size"], one["part"]) for one in letter["attachments"]]
        self.raw: bytes = base64.b64decode(letter.get("raw") or "")
        self.mailbox: str = copy["account"]
        self.folder: str = copy["folder"]
        self.uid: int = copy["uid"]
        self.exchange: int = found["exchange"]["id"]
        """The number of the exchange that delivered it."""

    def header(self, name: str) -> str:
        """The first field of that name, "" without one."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), "")

    def link(self, word: str = "") -> str:
        """The first link with a word in it, in any case. Raises AssertionError, which lists those there are."""
        for link in self.links:
            if word.casefold() in link.casefold():
                return link
        raise AssertionError(f"no link of {self!r} has {word!r} in it; it has {list(self.links)}")

    def code(self, pattern: str = "") -> str:
        """The first one-time code, or the first text that fits a pattern. Raises AssertionError."""
        if not pattern:
            if self.codes:
                return self.codes[0]
            raise AssertionError(f"there is no one-time code in {self!r}: {self.text[:500]!r}")
        found = re.search(pattern, self.text or self.html)
        if found is None:
            raise AssertionError(f"nothing in {self!r} fits {pattern!r}: {self.text[:500]!r}")
        return found[1] if found.re.groups else found[0]

    def __repr__(self) -> str:
        return f"<Letter {self.subject!r} to {', '.join(self.recipients or self.to)}>"
