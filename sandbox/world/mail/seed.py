"""The letters a world begins with, as messages."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Protocol

__all__ = ["write_letter"]


class Letter(Protocol):
    """to: a login; sender: an address; file: one with the whole message instead, "" for none."""

    @property
    def to(self) -> str: ...
    @property
    def sender(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def file(self) -> str: ...


def write_letter(letter: Letter, domain: str) -> bytes:
    """The letter as a message. domain: the one the person's address is in. Raises OSError."""
    if letter.file:  # written on some system, with its line ends; on the wire lines end with CRLF
        return re.sub(rb"\r\n|\r|\n", b"\r\n", Path(letter.file).read_bytes())
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    message["From"] = letter.sender
    message["To"] = f"{letter.to}@{domain}"
    message["Subject"] = letter.subject
    message["Date"] = datetime.now(UTC)
    digest = hashlib.sha256(repr((letter.to, letter.sender, letter.subject, letter.text)).encode()).hexdigest()
    message["Message-ID"] = f"<{digest[:24]}@{domain}>"
    message.set_content(letter.text)
    return message.as_bytes()
