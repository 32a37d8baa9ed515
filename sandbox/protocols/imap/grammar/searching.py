"""What SEARCH, SORT and THREAD can ask for (RFC 9051 §6.4.4, RFC 5256, RFC 7162 §3.1.5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from sandbox.protocols.imap.grammar.cursor import NUMBER_MAX, Cursor, GrammarError
from sandbox.protocols.imap.grammar.dates import expect_date, write_date
from sandbox.protocols.imap.grammar.sets import NumberSet, expect_set
from sandbox.protocols.imap.grammar.writing import astring, string

__all__ = ["KEYS", "RETURNS", "SORT_KEYS", "Criterion", "Key", "Returns", "Window", "expect_key", "expect_keys",
           "expect_return", "expect_sort", "expect_window"]

BARE = ("ALL", "ANSWERED", "DELETED", "DRAFT", "FLAGGED", "NEW", "OLD", "RECENT", "SEEN", "UNANSWERED", "UNDELETED",
        "UNDRAFT", "UNFLAGGED", "UNSEEN")
TEXT = ("BCC", "BODY", "CC", "FROM", "SUBJECT", "TEXT", "TO")
DATE = ("BEFORE", "ON", "SENTBEFORE", "SENTON", "SENTSINCE", "SINCE")
SIZE = ("LARGER", "SMALLER")
KEYWORD = ("KEYWORD", "UNKEYWORD")
AGE = ("OLDER", "YOUNGER")  # RFC 5032
OBJECT = ("EMAILID", "THREADID")  # RFC 8474
KEYS = frozenset({*BARE, *TEXT, *DATE, *SIZE, *KEYWORD, *AGE, *OBJECT, "HEADER", "UID", "NOT", "OR", "MODSEQ"})

RETURNS = ("MIN", "MAX", "ALL", "COUNT", "SAVE", "PARTIAL", "UPDATE", "CONTEXT")
SORT_KEYS = ("ARRIVAL", "CC", "DATE", "DISPLAYFROM", "DISPLAYTO", "FROM", "SIZE", "SUBJECT", "TO")

WINDOW = re.compile(rb"(-?)([1-9][0-9]{0,9}):(-?)([1-9][0-9]{0,9})")
Window = tuple[int, int]
"""Two places among results, both included, in the client's order; from the end where they are negative."""

DEEPEST = 100
"""Brackets, NOT and OR inside each other: more is nobody's question."""

MOST = 1000
"""Search keys in one command: each may cost a look at every message."""


class Key(NamedTuple):
    """A search key by its name, with what follows it: bytes, date, int, NumberSet, or Keys.

    Two names stand for what has none on the wire: SET (message numbers), AND (keys in brackets or in a row).
    """

    name: str
    values: tuple[bytes | date | int | NumberSet | Key, ...] = ()

    def write(self) -> bytes:
        if self.name == "AND":
            return b"(" + b" ".join(key.write() for key in self.values if isinstance(key, Key)) + b")"
        words = [] if self.name == "SET" else [self.name.encode()]
        for value in self.values:
            if isinstance(value, (Key, NumberSet)):
                words.append(value.write())
            elif isinstance(value, bytes):
                words.append(value if self.name in KEYWORD else astring(value) if value else string(value))
            elif isinstance(value, int):
                words.append(b"%d" % value)
            else:
                words.append(write_date(value))
        return b" ".join(words)


class Returns(NamedTuple):
    """What RETURN asks for. window: that of PARTIAL (RFC 5267 §4.4, RFC 9394)."""

    words: frozenset[str]
    window: Window | None = None

    def write(self) -> bytes:
        """In brackets, words in the order of RETURNS."""
        window = "PARTIAL {}:{}".format(*self.window) if self.window else ""
        words = [window if word == "PARTIAL" else word for word in RETURNS if word in self.words]
        return ("(" + " ".join(words) + ")").encode()


class Criterion(NamedTuple):
    """What to sort by."""

    key: str
    reverse: bool = False


def expect_keys(cursor: Cursor) -> Key:
    """One or more keys to the end of the command, all of which must hold."""
    keys = [expect_key(cursor)]
    while cursor.try_take(b" "):
        keys.append(expect_key(cursor))
        if len(keys) > MOST:
            raise GrammarError(f"No more than {MOST} search keys in one command")
    return keys[0] if len(keys) == 1 else Key("AND", tuple(keys))


def expect_key(cursor: Cursor, depth: int = 0) -> Key:
    if depth > DEEPEST:
        raise GrammarError(f"Search keys may be nested {DEEPEST} deep")
    nested: Callable[[], Key] = lambda: expect_key(cursor, depth + 1)  # noqa: E731
    if cursor.peek() == b"(":
        keys = cursor.expect_list(nested)
        if len(keys) > MOST:
            raise GrammarError(f"No more than {MOST} search keys in one command")
        return Key("AND", tuple(keys))
    if cursor.peek() in b"*$0123456789" and not cursor.ended:
        return Key("SET", (expect_set(cursor),))
    name = cursor.expect_atom().upper()
    if name in BARE:
        return Key(name)
    if name not in KEYS:
        raise GrammarError(f"There is no search key {name[:30]}")
    cursor.expect_space()
    if name == "NOT":
        return Key(name, (nested(),))
    if name == "OR":
        first = nested()
        cursor.expect_space()
        return Key(name, (first, nested()))
    return Key(name, values(cursor, name))


def values(cursor: Cursor, name: str) -> tuple[bytes | date | int | NumberSet, ...]:
    """What follows a key that holds no others."""
    if name in DATE:
        return (expect_date(cursor),)
    if name in KEYWORD:
        return (cursor.expect_flag().encode(),)
    if name in SIZE:
        return (cursor.expect_number(most=NUMBER_MAX),)
    if name in AGE:
        return (cursor.expect_number(least=1),)
    if name in OBJECT:
        return (cursor.expect_atom().encode(),)
    if name == "UID":
        return (expect_set(cursor),)
    if name == "MODSEQ":
        if cursor.try_string() is not None:  # RFC 7162 §3.1.5: a flag and its type; every flag counts alike here
            cursor.expect_space()
            if cursor.try_word("ALL", "PRIV", "SHARED") is None:
                raise GrammarError(f"all, priv or shared was expected at {cursor.near()}")
            cursor.expect_space()
        return (cursor.expect_number(most=NUMBER_MAX),)
    value = cursor.expect_astring()
    if name == "HEADER":
        cursor.expect_space()
        return value, cursor.expect_astring()
    return (value,)


def expect_return(cursor: Cursor) -> Returns:
    """The options after RETURN; ALL where there are none (RFC 9051 §6.4.4)."""
    windows: list[Window] = []

    def option() -> str:
        word = cursor.try_word(*RETURNS)
        if word is None:
            raise GrammarError(f"{', '.join(RETURNS)} were expected at {cursor.near()}")
        if word == "PARTIAL":
            cursor.expect_space()
            windows.append(expect_window(cursor))
        return word

    words = frozenset(cursor.expect_list(option, empty=True)) or frozenset({"ALL"})
    if len(windows) > 1 or (windows and "ALL" in words):
        raise GrammarError("PARTIAL stands once, and not beside ALL")  # RFC 9394 §3.1
    return Returns(words, windows[0] if windows else None)


def expect_window(cursor: Cursor) -> Window:
    """1:100 or -1:-100 (RFC 9394 §4, partial-range)."""
    start = cursor.at
    found = cursor.match(WINDOW)
    if found is None or found[1] != found[3] or max(int(found[2]), int(found[4])) > 0xFFFF_FFFF:
        cursor.at = start
        raise GrammarError(f"Places such as 1:100 or -1:-100 were expected at {cursor.near()}")
    sign = -1 if found[1] else 1
    return sign * int(found[2]), sign * int(found[4])


def expect_sort(cursor: Cursor) -> tuple[Criterion, ...]:
    """The criteria of SORT (RFC 5256 §3)."""
    def criterion() -> Criterion:
        reverse = cursor.try_word("REVERSE") is not None
        if reverse:
            cursor.expect_space()
        key = cursor.try_word(*SORT_KEYS)
        if key is None:
            raise GrammarError(f"{', '.join(SORT_KEYS)} were expected at {cursor.near()}")
        return Criterion(key, reverse)

    found = tuple(dict.fromkeys(cursor.expect_list(criterion)))
    return found[:len(SORT_KEYS) * 2]
