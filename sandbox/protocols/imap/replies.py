"""How a command ends, as a value, and the words that stand in square brackets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

__all__ = ["CODES", "FLAGS", "REMOVED", "CommandRefused", "Tagged", "bad", "no", "ok"]

CODES = frozenset({
    "ALREADYEXISTS", "APPENDUID", "AUTHENTICATIONFAILED", "BADCHARSET", "BADEVENT", "BADURL", "CANNOT",
    "CAPABILITY", "CLOSED", "COMPRESSIONACTIVE", "COPYUID", "EXPUNGEISSUED", "HIGHESTMODSEQ", "LIMIT", "MAILBOXID",
    "MODIFIED", "NONEXISTENT", "NOUPDATE", "OVERQUOTA", "PERMANENTFLAGS", "PRIVACYREQUIRED", "READ-ONLY",
    "READ-WRITE", "SERVERBUG", "TOOBIG", "TRYCREATE", "UIDNEXT", "UIDVALIDITY", "UNAVAILABLE", "UNKNOWN-CTE",
    "UNSEEN",
})
"""Every response code that can be sent (RFC 9051 §7.1)."""

FLAGS = ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")
"""The system flags that clients change."""

REMOVED = "Some of these messages have been removed by another session"
"""Said with EXPUNGEISSUED (RFC 5530 §3). The command is not refused: what is left was done. Clients take a NO for the
end of everything, and UIDs that are unknown have nothing said about them at all (RFC 9051 §6.4.9)."""


class Tagged(NamedTuple):
    """The end of a command. code: what stands in brackets; close: whether it is the last; then: what follows it."""

    outcome: str
    text: str
    code: str = ""
    close: bool = False
    then: Callable[[], Awaitable[None]] | None = None

    def line(self, tag: str) -> bytes:
        code = f"[{self.code}] " if self.code else ""
        # A mailbox's name may be part of the text: it must not end the line, nor begin another.
        text = "".join(letter if letter.isprintable() else "?" for letter in self.text)
        return f"{tag} {self.outcome} {code}{text}\r\n".encode("utf-8", "replace")

    @property
    def summary(self) -> str:
        return f"[{self.code}] {self.text}" if self.code else self.text

    @property
    def key(self) -> str:
        """The knowledge entry that explains it best: a code explains more than its outcome, if it went wrong."""
        return f"code.{self.code.partition(' ')[0]}" if self.code and self.outcome != "OK" else ""


class CommandRefused(Exception):
    """What a command asks for is not done. reply: why."""

    def __init__(self, reply: Tagged) -> None:
        super().__init__(reply.text)
        self.reply = reply


def ok(text: str, code: str = "") -> Tagged:
    return Tagged("OK", text, code)


def no(text: str, code: str = "") -> Tagged:
    assert not code or code.partition(" ")[0] in CODES
    return Tagged("NO", text, code)


def bad(text: str, code: str = "") -> Tagged:
    return Tagged("BAD", text, code)
