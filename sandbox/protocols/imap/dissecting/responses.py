"""What the server says, in its parts: status responses with their codes, and data (RFC 9051 §7)."""

from __future__ import annotations

import re

from sandbox.protocols.contract.spans import Cutter
from sandbox.protocols.imap.dissecting.commands import CAPABILITY, MAILBOX, SET, STATUS
from sandbox.protocols.imap.dissecting.structures import FLAGS, items
from sandbox.protocols.imap.dissecting.tokens import ARGUMENT, Shape, line_rest, value, values
from sandbox.protocols.lines.values import base64_text

__all__ = ["reply"]

STATUSES = ("OK", "NO", "BAD", "BYE", "PREAUTH")
WORD = re.compile(rb"[^\s()\[\]]*")
NUMBER = re.compile(rb"(\d+)( +)([A-Za-z]+)")

NUMBERS = Shape("number", "part.number", (Shape("number", "part.number"),))
RESULT = Shape("result", "part.result", (Shape("result", "part.result"),))
NAMESPACE = Shape("namespace", "part.namespace", (Shape("namespace", "part.namespace", (
    Shape("prefix", "part.namespace"), Shape("delimiter", "part.delimiter"))),))
LISTED = (Shape("mailbox attributes", "mailbox.", (Shape("mailbox attribute", "mailbox."),)),
          Shape("delimiter", "part.delimiter"), MAILBOX, Shape("extended data", "part.option"))
QUOTA = (Shape("quota root", "part.mailbox"), Shape("quota", "part.quota", (
    Shape("resource", "part.quota"), Shape("used", "part.quota"), Shape("limit", "part.quota"))))

DATA: dict[str, tuple[Shape, ...]] = {
    "CAPABILITY": (CAPABILITY,), "ENABLED": (CAPABILITY,), "FLAGS": (FLAGS,), "LIST": LISTED, "LSUB": LISTED,
    "SEARCH": (NUMBERS,), "SORT": (NUMBERS,), "THREAD": (NUMBERS,), "ESEARCH": (RESULT,),
    "STATUS": (MAILBOX, Shape("status items", "status.", (STATUS, Shape("number", "part.number")))),
    "NAMESPACE": (NAMESPACE,), "QUOTA": QUOTA, "QUOTAROOT": (MAILBOX, Shape("quota root", "part.mailbox")),
    "ID": (Shape("identification", "part.identification", (Shape("identification", "part.identification"),)),),
    "VANISHED": (Shape("UIDs", "part.sequence-set", forms={b"(": Shape("earlier", "part.option")}),),
}
CODES: dict[str, tuple[Shape, ...]] = {
    "CAPABILITY": (CAPABILITY,), "PERMANENTFLAGS": (FLAGS,),
    "APPENDUID": (Shape("UIDVALIDITY", "status.UIDVALIDITY"), SET),
    "COPYUID": (Shape("UIDVALIDITY", "status.UIDVALIDITY"), SET, SET), "MODIFIED": (SET,),
    **dict.fromkeys(("UIDVALIDITY", "UIDNEXT", "UNSEEN", "HIGHESTMODSEQ"), (Shape("number", "part.number"),)),
}


def reply(cutter: Cutter) -> None:
    """One response: it ends with its line, but its literals may have others."""
    first = len(cutter.spans)
    end = cutter.line()
    if cutter.position == end:
        cutter.line_end()
        return
    tag = WORD.match(cutter.octets, cutter.position, end)
    mark = tag[0] if tag else b""
    if mark == b"+":
        key = "outcome.+"
        cutter.take(1, "continuation", key)
        cutter.skip(b" ")
        said = cutter.octets[cutter.position:end]
        line_rest(cutter, "text", "part.text") if not base64_text(said) else challenge(cutter, end)
        cutter.nest(first, "response", key)
        return
    cutter.take(len(mark), "untagged" if mark == b"*" else "tag", "part.untagged" if mark == b"*" else "part.tag")
    cutter.skip(b" ")
    key = numbered(cutter, end) or worded(cutter, end)
    line_rest(cutter)
    cutter.nest(first, "response", key)


def challenge(cutter: Cutter, end: int) -> None:
    """What a login's server asks (RFC 9051 §6.2.2)."""
    cutter.to(end, "challenge", "part.challenge", base64_text(cutter.octets[cutter.position:end]))
    cutter.line_end()


def numbered(cutter: Cutter, end: int) -> str:
    """A number, and what of it. Its key, "" where there is none."""
    found = NUMBER.match(cutter.octets, cutter.position, end)
    if found is None:
        return ""
    name = found[3].decode("ascii").upper()
    key = f"response.{name}"
    cutter.take(len(found[1]), "message number" if name in ("FETCH", "EXPUNGE") else "count", "part.number")
    cutter.skip(b" ")
    cutter.take(len(found[3]), "response name", key)
    cutter.skip(b" ")
    if name == "FETCH" and cutter.peek(1) == b"(":
        value(cutter, Shape("items", key, items))
    values(cutter, (ARGUMENT,))
    return key


def worded(cutter: Cutter, end: int) -> str:
    found = WORD.match(cutter.octets, cutter.position, end)
    word = found[0].decode("latin-1") if found else ""
    name = word.upper()
    if name in STATUSES:
        key = f"outcome.{name}"
        cutter.take(len(word), "status", key)
        cutter.skip(b" ")
        if cutter.peek(1) == b"[" and cutter.octets.find(b"]", cutter.position, end) > 0:
            code(cutter)
            cutter.skip(b" ")
        return key
    key = f"response.{name}"
    cutter.take(len(word), "response name", key)
    values(cutter, DATA.get(name, (ARGUMENT,)))
    return key


def code(cutter: Cutter) -> None:
    """A response code in square brackets (RFC 9051 §7.1)."""
    first = len(cutter.spans)
    cutter.take(1, "bracket", "part.bracket")
    found = WORD.match(cutter.octets, cutter.position, cutter.end)
    name = found[0].decode("latin-1").upper() if found else ""
    cutter.take(len(name), "response code", f"code.{name}")
    values(cutter, CODES.get(name, (ARGUMENT,)))
    if cutter.peek(1) == b"]":
        cutter.take(1, "bracket", "part.bracket")
    cutter.nest(first, "response code", f"code.{name}")
