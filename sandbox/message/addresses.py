"""The addresses of a header field (RFC 5322 §3.4), groups and forgotten rules included."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Mailbox", "read_addresses"]

TOKEN = re.compile(rb'([ \t]+)|"((?:[^"\\]|\\.)*)"?|(\[[^\]]*\]?)|([<>@,;:])|([^ \t"<>@,;:\[(]+)|(\()', re.DOTALL)
ESCAPE = re.compile(rb"\\(.)", re.DOTALL)

ATOM = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\x80-\xff-]+"
PLAIN = re.compile(rb'(?:(?:"([^"\\,]*)"|(%b(?: %b)*))[ \t]*)?<(%b)@(%b)>|(%b)@(%b)' % ((ATOM,) * 6))
"""An address as nearly all are: a name, quoted or not, or none, and nothing rare."""

MOST = 2000
"""Addresses of one field that are told apart."""


class Mailbox(NamedTuple):
    """An address, or the edge of a group: host None with a name in `local` opens one, all None closes it."""

    name: bytes | None
    route: bytes | None
    local: bytes | None
    host: bytes | None


class Token(NamedTuple):
    """special: one of <>@,;: - or False for a word. spaced: whether white space is before it."""

    text: bytes
    special: bool
    spaced: bool
    comment: bool = False


def read_addresses(value: bytes) -> list[Mailbox]:
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
    comment: list[bytes] = []
    grouped = angled = False
    for token in tokens(value):
        if token.comment:
            comment.append(token.text)
            continue
        mark = token.text if token.special else b""
        if mark == b"<":
            angled = True
        if mark == b">":
            angled = False
        if mark == b":" and not angled and not grouped:
            found.append(Mailbox(None, None, phrase(waiting) or b"", None))
            grouped = True
            waiting, comment[:] = [], []
        elif mark in (b",", b";") and mark and not (angled and mark == b","):
            finish(found, waiting, comment)
            waiting, comment[:] = [], []
            angled = False
            if mark == b";" and grouped:
                found.append(Mailbox(None, None, None, None))
                grouped = False
        else:
            waiting.append(token)
        if len(found) >= MOST:
            return found[:MOST]
    finish(found, waiting, comment)
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
        at = match.end()
        if match[1] is not None:
            spaced = True
            continue
        if match[6] is not None:
            at, text = comment_end(value, at)
            found.append(Token(text, special=False, spaced=spaced, comment=True))
            spaced = True
            continue
        if match[2] is not None:
            found.append(Token(ESCAPE.sub(rb"\1", match[2]), special=False, spaced=spaced))
        elif match[3] is not None or match[5] is not None:
            found.append(Token(match[3] or match[5], special=False, spaced=spaced))
        else:
            found.append(Token(match[4], special=True, spaced=spaced))
        spaced = False
    return found


def comment_end(value: bytes, at: int) -> tuple[int, bytes]:
    """Where a comment ends, and what it says. Brackets in it nest."""
    depth, start = 1, at
    while at < len(value) and depth:
        octet = value[at:at + 1]
        if octet == b"\\":
            at += 1
        depth += (octet == b"(") - (octet == b")")
        at += 1
    return at, value[start:at - 1 if not depth else at]


def phrase(words: list[Token]) -> bytes | None:
    """A display name: the words, with one space where there was any."""
    if not words:
        return None
    return b"".join((b" " if index and word.spaced else b"") + word.text for index, word in enumerate(words))


def finish(found: list[Mailbox], words: list[Token], comments: list[bytes]) -> None:
    """The address that these words are, if they are one."""
    if not words:
        return
    marks = [index for index, word in enumerate(words) if word == Token(b"<", special=True, spaced=word.spaced)]
    name, route = None, None
    if marks:
        name = phrase(words[:marks[0]])
        words = [word for word in words[marks[0] + 1:] if not (word.special and word.text in b"<>")]
        colons = [index for index, word in enumerate(words) if word.special and word.text == b":"]
        if colons and words[0].special:
            route = b"".join(word.text for word in words[:colons[-1]])
            words = words[colons[-1] + 1:]
    elif comments:
        name = comments[-1].strip() or None
    ats = [index for index, word in enumerate(words) if word.special and word.text == b"@"]
    last = ats[-1] if ats else len(words)
    local = b"".join(word.text for word in words[:last])
    host = b"".join(word.text for word in words[last + 1:])
    if not marks and not ats:
        local = phrase(words) or b""
    if local or host or name:
        # NIL as a host would make it the edge of a group (RFC 9051 §7.5.2).
        found.append(Mailbox(name, route, local, host))
