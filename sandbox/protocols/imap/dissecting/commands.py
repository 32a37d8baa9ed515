"""What a client says, in its parts: tag, command, and what its arguments stand for (RFC 9051 §6)."""

from __future__ import annotations

import re
from collections.abc import Callable

from sandbox.protocols.contract.spans import Cutter
from sandbox.protocols.imap.dissecting.structures import FLAGS, section
from sandbox.protocols.imap.dissecting.tokens import ARGUMENT, ATOM, SHAPE_TEXT, Shape, line_rest, value, values
from sandbox.protocols.imap.grammar.searching import KEYS
from sandbox.protocols.lines.values import base64_text

__all__ = ["command", "response"]

WORD = re.compile(rb"[^\s(]*")
SETS = re.compile(rb"[\d*$][\d:*,]*(?=[\s()]|\Z)")
LINE_WITH_SIZE = re.compile(rb"\{\d+[+-]?\}\r?\n\Z")

MAILBOX = Shape("mailbox", "part.mailbox")
SET = Shape("sequence set", "part.sequence-set")
OPTION = Shape("option", "part.option")
CAPABILITY = Shape("capability", "capability.")
STATUS = Shape("status item", "status.")
MODIFIERS = Shape("modifiers", "part.option", (OPTION,))
MESSAGE = Shape("message", "smtp:part.message", content="message")

SHAPES: dict[str, tuple[Shape, ...]] = {
    "LOGIN": (Shape("user name", "part.user"), Shape("password", "part.password")),
    "AUTHENTICATE": (Shape("mechanism", "sasl:mechanism."), Shape("initial response", "part.sasl-response")),
    "ENABLE": (CAPABILITY,),
    "ID": (Shape("identification", "part.identification", (Shape("identification", "part.identification"),)),),
    "COMPRESS": (OPTION,),
    "STATUS": (MAILBOX, Shape("status items", "status.", (STATUS,))),
    "RENAME": (MAILBOX, MAILBOX),
    "LSUB": (Shape("reference", "part.reference"), Shape("pattern", "part.pattern")),
    "LIST": (Shape("reference", "part.reference", forms={b"(": MODIFIERS}),
             Shape("pattern", "part.pattern"), Shape("pattern", "part.pattern", forms={b"(": MODIFIERS}), OPTION),
    "APPEND": (MAILBOX, Shape("message", "smtp:part.message", content="message", forms={
        b"(": FLAGS, b'"': Shape("date", "part.date"), b"{": MESSAGE, b"~": MESSAGE})),
    "COPY": (SET, MAILBOX), "MOVE": (SET, MAILBOX), "EXPUNGE": (SET,),
    "STORE": (SET, Shape("flag change", "part.flag-change", forms={b"(": MODIFIERS}),
              Shape("flags", "flag.", (Shape("flag", "flag."),))),
    "NOTIFY": (OPTION,), "CANCELUPDATE": (OPTION,),
    "GETQUOTA": (Shape("quota root", "part.mailbox"),), "GETQUOTAROOT": (MAILBOX,),
} | dict.fromkeys(("SELECT", "EXAMINE", "CREATE", "DELETE", "SUBSCRIBE", "UNSUBSCRIBE"), (MAILBOX, MODIFIERS))


def response(cutter: Cutter) -> None:
    """A line that answers the server's question: base64, or * for giving up (RFC 9051 §6.2.2)."""
    end = cutter.line()
    first = len(cutter.spans)
    cutter.to(end, "response", "part.sasl-response", base64_text(cutter.octets[cutter.position:end].strip()))
    cutter.line_end()
    cutter.nest(first, "response", "part.sasl-response")


def command(cutter: Cutter) -> str:
    """One command with all its literals. Its verb."""
    first = len(cutter.spans)
    end = cutter.line()
    if cutter.octets[cutter.position:end].strip().upper() == b"DONE":
        cutter.to(end, "verb", "verb.DONE")
        cutter.line_end()
        cutter.nest(first, "command", "verb.DONE")
        return "DONE"
    if cutter.position == end:
        cutter.line_end()
        return ""
    cutter.take(word_length(cutter, end), "tag", "part.tag")
    cutter.skip(b" ")
    length = word_length(cutter, end)
    verb = cutter.octets[cutter.position:cutter.position + length].decode("latin-1").upper()
    prefix = ""
    if verb == "UID":
        cutter.take(length, "by UID", "attribute.UID")
        cutter.skip(b" ")
        length = word_length(cutter, end)
        verb, prefix = cutter.octets[cutter.position:cutter.position + length].decode("latin-1").upper(), "UID "
    key = f"verb.{prefix}{verb}"
    cutter.take(length, "verb", key)
    ARGUMENTS.get(verb, plain(SHAPES.get(verb, (ARGUMENT,))))(cutter)
    line_rest(cutter)
    cutter.nest(first, "command", key)
    return verb


def word_length(cutter: Cutter, end: int) -> int:
    found = WORD.match(cutter.octets, cutter.position, end)
    return len(found[0]) if found else 0


def plain(shapes: tuple[Shape, ...]) -> Callable[[Cutter], None]:
    return lambda cutter: values(cutter, shapes)


def fetch(cutter: Cutter) -> None:
    """The messages, what to fetch of each, and modifiers."""
    cutter.skip(b" ")
    if cutter.peek(1) not in (b"\r", b"\n", b""):
        value(cutter, SET)
    cutter.skip(b" ")
    if cutter.peek(1) == b"(":
        value(cutter, Shape("items", "attribute.", wanted))
    elif ATOM.match(cutter.octets, cutter.position, cutter.end):
        section(cutter)
    values(cutter, (MODIFIERS,))


def wanted(cutter: Cutter, depth: int) -> None:
    while cutter.left and cutter.peek(1) not in (b")", b"\r", b"\n"):
        if cutter.peek(1) == b" ":
            cutter.skip(b" ")
        else:
            section(cutter)


def search(cutter: Cutter) -> None:
    """Keys and what they look for (RFC 9051 §6.4.4)."""
    criteria(cutter, 0)


def criteria(cutter: Cutter, depth: int) -> None:
    while cutter.left and cutter.peek(1) not in (b")", b"\r", b"\n"):
        if cutter.peek(1) == b" ":
            cutter.skip(b" ")
        elif cutter.peek(1) == b"(":
            value(cutter, Shape("keys", "part.list", criteria), depth)
        elif SETS.match(cutter.octets, cutter.position, cutter.end):
            value(cutter, SET, depth)
        else:
            found = ATOM.match(cutter.octets, cutter.position, cutter.end)
            name = found[0].decode("latin-1").upper() if found else ""
            known = name in KEYS
            value(cutter, Shape("key", f"key.{name}") if known else Shape("criterion", "part.criterion"), depth)


ARGUMENTS: dict[str, Callable[[Cutter], None]] = {
    "FETCH": fetch, "SEARCH": search, "SORT": search, "THREAD": search,
    **dict.fromkeys(("NOOP", "LOGOUT", "CAPABILITY", "STARTTLS", "IDLE", "CLOSE", "UNSELECT", "CHECK", "NAMESPACE"),
                    plain((SHAPE_TEXT,))),
}
