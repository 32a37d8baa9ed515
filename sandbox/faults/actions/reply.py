"""An answer in the protocol's own words instead of the real one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sandbox.faults.action import Act, Action, Effect
from sandbox.faults.errors import FaultError
from sandbox.faults.values import truth
from sandbox.journal.records import Exchange, Session
from sandbox.protocols.contract.script import ScriptedAnswer

__all__ = ["ACTION", "spoken"]

TEXT = "The sandbox was told to answer so"
LONGEST = 65_536
"""Characters of a text or a body."""

RCODES = frozenset((
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET",
    "NOTAUTH", "NOTZONE"))
STATUSES = frozenset((
    "EOF", "NO_SUCH_FILE", "PERMISSION_DENIED", "FAILURE", "BAD_MESSAGE", "NO_CONNECTION", "CONNECTION_LOST",
    "OP_UNSUPPORTED"))

WORDS = {
    "http": re.compile(r"[2-5][0-9]{2}"),
    "smtp": re.compile(r"[245][0-9]{2}"),
    "ftp": re.compile(r"[1-5][0-9]{2}"),
    "pop3": re.compile(r"-ERR|\+OK"),
    "imap": re.compile(r"OK|NO|BAD|BYE|PREAUTH"),
    "dns": re.compile("|".join(sorted(RCODES))),
    "sftp": re.compile("|".join(sorted(STATUSES))),
    "tcp": re.compile(r"[a-z]{1,20}"),
}
"""What each protocol can say."""

NO_ENHANCED = frozenset({"greeting", "EHLO", "HELO"})
"""SMTP's answers without a finer code (RFC 2034 §4)."""


def spoken(code: str) -> frozenset[str]:
    """The protocols in which a code is a word."""
    return frozenset(name for name, words in WORDS.items() if words.fullmatch(code))


def make(value: str, options: Mapping[str, str]) -> Act:
    code = value.strip()
    code = code if "http" in spoken(code) else next(
        (one for one in (code, code.upper(), code.lower()) if spoken(one)), code)
    protocols = spoken(code)
    if not protocols:
        raise FaultError(f"reply is {value[:40]!r}, which no protocol says.",
                         "It is a status or a reply code (503, 451), -ERR, NO, BAD, BYE, an RCODE (SERVFAIL), or a "
                         "status of SFTP (PERMISSION_DENIED).")
    text, body = options.get("text", TEXT), options.get("body", "")
    if len(text) + len(body) > LONGEST or any(mark in text for mark in "\r\0"):
        raise FaultError("text or body is too long, or has characters that no reply can have.",
                         f"They have up to {LONGEST:,} characters; lines are parted by a line feed.")
    fields = tuple(field_of(line) for line in options.get("field", "").splitlines() if line.strip())
    close = truth(options["ends"], name="ends") if "ends" in options else code in ("421", "BYE")

    def act(session: Session, exchange: Exchange) -> Effect | None:
        protocol = session.protocol
        if protocol not in protocols:
            return None
        detail = options.get("detail", "")
        if protocol == "smtp" and not detail and exchange.verb not in NO_ENHANCED:
            detail = f"{code[0]}.3.0"
        return Effect(ScriptedAnswer(code, text, detail, fields if protocol == "http" else (), body.encode(),
                                     close=close))

    return act


def field_of(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or not value.isprintable() \
            or not value.isascii():
        raise FaultError(f"field has the line {line[:60]!r}.", "A field is a name, a colon and a value, such as "
                         "Retry-After: 7; several stand on lines of their own.")
    return name, value.strip()


ACTION = Action(
    "reply", "answer", "Says this instead of answering; nothing is done.", "a code of the protocol",
    "'protocol:smtp verb:RCPT' reply=451 times=2", make,
    {"text": "the sentence with it", "detail": "the finer code: 4.2.2 in SMTP, SYS/TEMP in POP3, LIMIT in IMAP",
     "body": "the body of an HTTP response", "field": "header fields of an HTTP response, one a line",
     "ends": "whether the connection ends with it: true or false"})
