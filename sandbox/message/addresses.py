"""The addresses of a header field (RFC 5322 §3.4), groups and obsolete forms (§4.4) included."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from sandbox.message.lexical import comment_end, unquote
from sandbox.message.words import decode_header

__all__ = ["Mailbox", "read_addresses"]

TOKEN = re.compile(rb'([ \t]+)|"((?:[^"\\]|\\.)*)"?|(\[[^\[\]]*\]|\[)|([<>@,;:])|([^ \t"<>@,;:\[(]+)|(\()', re.DOTALL)

ATOM = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\x80-\xff-]+"
PLAIN = re.compile(rb'(?:(?:"([^"\\,]*)"|(%b(?: %b)*))[ \t]*)?<(%b)@(%b)>|(%b)@(%b)' % ((ATOM,) * 6))
"""An address as nearly all are: a name, quoted or not, or none, and nothing rare."""

MOST = 2000
"""Addresses of one field that are told apart."""

SPECIAL = re.compile(rb"[\x00-\x20\x7f()<>\[\]:;@\\,\"]|\A\.|\.\Z|\.\.|\A\Z")
NEEDS_QUOTES = re.compile(r'[()<>\[\]:;@\\,."]')


class Mailbox(NamedTuple):
    """An address, or the edge of a group: host None with a name in `local` opens one, all None closes it.

    What is no address stands in `local` as it was written, and its host is empty.
    """

    name: bytes | None
    route: bytes | None
    local: bytes | None
    host: bytes | None

    @property
    def valid(self) -> bool:
        """Whether mail can be sent to it."""
        return bool(self.local and self.host)

    @property
    def shown_name(self) -> str:
        """The display name as people read it."""
        return decode_header(self.name) if self.name else ""

    @property
    def address(self) -> str:
        """local@host, quoted where it has to be; what was written where that is no address."""
        local = self.local or b""
        if not self.host:
            return decode_header(local)
        if SPECIAL.search(local):
            local = b'"' + local.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
        return decode_header(local + b"@" + self.host)

    def __str__(self) -> str:
        name = self.shown_name
        if not name:
            return self.address
        if NEEDS_QUOTES.search(name):
            name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{name} <{self.address}>"


class Token(NamedTuple):
    """special: one of <>@,;: - or False for a word. spaced: whether white space is before it. start: its place."""

    text: bytes
    special: bool
    spaced: bool
    start: int
    comment: bool = False


def read_addresses(value: bytes) -> list[Mailbox]:
    """value: of a field, unfolded."""
    return read_plain(value) or read_any(value)


def read_plain(value: bytes) -> list[Mailbox]:
    """The same where every address is `PLAIN`, without taking it apart word by word; else nothing."""
    found = []
    for text in value.split(b",", MOST - 1):
        match = PLAIN.fullmatch(text.strip(b" \t"))
        if match is None:
            return []
        quoted, words, local, host, bare, place = match.groups()
        found.append(Mailbox(words if quoted is None else quoted, None, local or bare, host or place))
    return found


def read_any(value: bytes) -> list[Mailbox]:
    found: list[Mailbox] = []
    waiting: list[Token] = []
    grouped = angled = False
    begun = 0

    def finish(end: int) -> None:
        if any(not token.comment for token in waiting):
            found.append(read_one(waiting) or Mailbox(None, None, value[begun:end].strip(b" \t"), b""))
        waiting.clear()

    for token in tokens(value):
        mark = token.text if token.special else b""
        if mark in (b"<", b">"):
            angled = mark == b"<"
        if mark == b":" and not angled and not grouped:
            found.append(Mailbox(None, None, phrase(waiting) or b"", None))
            grouped = True
            waiting.clear()
        elif mark in (b",", b";") and mark and not (angled and mark == b","):
            finish(token.start + (mark == b";" and not grouped))  # a lone one ends an address for some programs
            angled = False
            if mark == b";" and grouped:
                found.append(Mailbox(None, None, None, None))
                grouped = False
        else:
            waiting.append(token)
            continue
        begun = token.start + 1
        if len(found) >= MOST:
            return found[:MOST]
    finish(len(value))
    if grouped:
        found.append(Mailbox(None, None, None, None))
    return found


def tokens(value: bytes) -> list[Token]:
    """The words, marks and comments."""
    found: list[Token] = []
    at, spaced = 0, False
    while at < len(value):
        match = TOKEN.match(value, at)
        if match is None:  # nothing is left out of the pattern but a lone quote at the end
            at += 1
            continue
        start, at = at, match.end()
        if match[1] is not None:
            spaced = True
            continue
        if match[6] is not None:
            at = comment_end(value, at)
            text = value[start + 1:at].removesuffix(b")")
            found.append(Token(text, special=False, spaced=spaced, start=start, comment=True))
            spaced = True
            continue
        if match[2] is not None:
            found.append(Token(unquote(match[2]), special=False, spaced=spaced, start=start))
        elif match[3] is not None or match[5] is not None:
            found.append(Token(match[3] or match[5], special=False, spaced=spaced, start=start))
        else:
            found.append(Token(match[4], special=True, spaced=spaced, start=start))
        spaced = False
    return found


def phrase(words: list[Token]) -> bytes | None:
    """A display name: the words, with one space where there was any."""
    spoken = [word for word in words if not word.comment]
    if not spoken:
        return None
    return b"".join((b" " if index and word.spaced else b"") + word.text for index, word in enumerate(spoken))


def read_one(words: list[Token]) -> Mailbox | None:
    """The address that these words are; None where they are none."""
    comments = [word.text.strip() for word in words if word.comment]
    words = [word for word in words if not word.comment]
    marks = [index for index, word in enumerate(words) if word.special and word.text in (b"<", b">")]
    name, route = None, None
    if marks:
        if words[marks[0]].text != b"<" or len(marks) > 2 or (
                len(marks) == 2 and (words[marks[1]].text != b">" or marks[1] != len(words) - 1)):
            return None
        name = phrase(words[:marks[0]])
        words = words[marks[0] + 1:marks[1] if len(marks) == 2 else len(words)]
        colons = [index for index, word in enumerate(words) if word.special and word.text == b":"]
        if colons and words[0].special:
            route = b"".join(word.text for word in words[:colons[-1]])
            words = words[colons[-1] + 1:]
        if not words:
            return Mailbox(name, route, b"", b"") if name else None
    elif comments:
        name = comments[-1] or None
    ats = [index for index, word in enumerate(words) if word.special]
    if any(word.text == b"[" for word in words):
        return None
    if not ats:
        return Mailbox(name, route, phrase(words), b"")
    if len(ats) > 1 or words[ats[0]].text != b"@":
        return None
    local, host = words[:ats[0]], words[ats[0] + 1:]
    if not local or not host or not dotted(local) or not dotted(host):
        return None
    return Mailbox(name, route, b"".join(word.text for word in local), b"".join(word.text for word in host))


def dotted(words: list[Token]) -> bool:
    """Whether words with space between have a dot there as well (RFC 5322 §4.4)."""
    return all(not word.spaced or word.text.startswith(b".") or before.text.endswith(b".")
               for before, word in pairwise(words))
