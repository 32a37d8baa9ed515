"""What LIST and STATUS can ask for (RFC 9051 §6.3.9 and §6.3.11, RFC 5258, 5819, 6154), and how patterns match."""

from __future__ import annotations

import re
from typing import NamedTuple

from sandbox.protocols.imap.grammar.cursor import Cursor, GrammarError

__all__ = ["STATUS_ITEMS", "Listing", "Pattern", "expect_listing", "expect_pattern", "expect_reference",
           "expect_status_items"]

PATTERN = re.compile(rb'[^\x00-\x20\x7f(){"\\]+')  # list-char: ASTRING-CHAR, % and *; and 8-bit
STATUS_ITEMS = ("MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "RECENT", "SIZE", "DELETED", "DELETED-STORAGE",
                "HIGHESTMODSEQ", "APPENDLIMIT", "MAILBOXID")
SELECTIONS = ("SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE")
RETURNS = ("SUBSCRIBED", "CHILDREN", "SPECIAL-USE", "STATUS")

LONGEST_PATTERN = 1000
MOST_PATTERNS = 50


class Listing(NamedTuple):
    """A LIST command. extended: whether it used any form that RFC 3501 has not; status: items to add to each."""

    reference: str
    patterns: tuple[str, ...]
    selections: frozenset[str] = frozenset()
    returns: frozenset[str] = frozenset()
    status: tuple[str, ...] = ()
    extended: bool = False


def expect_listing(cursor: Cursor) -> Listing:
    selections: frozenset[str] = frozenset()
    extended = cursor.peek() == b"("
    if extended:
        selections = frozenset(cursor.expect_list(lambda: option(cursor, SELECTIONS), empty=True))
        if "RECURSIVEMATCH" in selections and not selections - {"RECURSIVEMATCH", "REMOTE"}:
            raise GrammarError("RECURSIVEMATCH needs another selection beside it, such as SUBSCRIBED")  # RFC 5258 §3
        cursor.expect_space()
    reference = expect_reference(cursor)
    cursor.expect_space()
    if cursor.peek() == b"(":
        extended = True
        patterns = cursor.expect_list(lambda: expect_pattern(cursor))
        if len(patterns) > MOST_PATTERNS:
            raise GrammarError(f"No more than {MOST_PATTERNS} patterns in one command")
    else:
        patterns = [expect_pattern(cursor)]
    returns: frozenset[str] = frozenset()
    status: list[str] = []
    if cursor.try_take(b" "):
        extended = True
        if cursor.try_word("RETURN") is None:
            raise GrammarError(f"RETURN was expected at {cursor.near()}")
        cursor.expect_space()

        def wanted() -> str:
            word = option(cursor, RETURNS)
            if word == "STATUS":
                cursor.expect_space()
                status.extend(expect_status_items(cursor))
            return word

        returns = frozenset(cursor.expect_list(wanted, empty=True))
    return Listing(reference, tuple(patterns), selections, returns, tuple(dict.fromkeys(status)), extended)


def option(cursor: Cursor, words: tuple[str, ...]) -> str:
    word = cursor.try_word(*words)
    if word is None:
        raise GrammarError(f"{', '.join(words)} were expected at {cursor.near()}")
    return word


def expect_reference(cursor: Cursor) -> str:
    """What a pattern is put behind."""
    reference = cursor.written_name(cursor.expect_astring())
    if len(reference) > LONGEST_PATTERN:
        raise GrammarError(f"A reference has at most {LONGEST_PATTERN} characters")
    return reference


def expect_pattern(cursor: Cursor) -> str:
    """A mailbox name with wildcards; INBOX in any case."""
    octets = cursor.try_string()
    if octets is None:
        found = cursor.match(PATTERN)
        if found is None:
            raise GrammarError(f"A pattern such as * or Work/% was expected at {cursor.near()}")
        octets = found[0]
    if len(octets) > LONGEST_PATTERN:
        raise GrammarError(f"A pattern has at most {LONGEST_PATTERN} octets")
    return cursor.written_name(octets)


def expect_status_items(cursor: Cursor) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cursor.expect_list(lambda: option(cursor, STATUS_ITEMS))))


class Pattern:
    """Matches names in a time of at most pattern length times name length, whatever the wildcards."""

    __slots__ = ("_everywhere", "_letters", "_level", "_places")

    def __init__(self, pattern: str) -> None:
        # Wildcards in a row are as strong as the strongest of them.
        steps = re.sub(r"[*%]*\*[*%]*|%+", lambda run: "*" if "*" in run[0] else "%", pattern)
        self._places = len(steps)
        self._letters: dict[str, int] = {}
        """Where each letter stands in the pattern: a bit for each place, as in all that follows."""
        for place, step in enumerate(steps):
            self._letters[step] = self._letters.get(step, 0) | 1 << place
        self._everywhere = self._letters.pop("*", 0)
        self._level = self._letters.pop("%", 0)
        """Wildcards that match anything, and anything but a slash."""

    def matches(self, name: str) -> bool:
        """By walking over the name with the set of all places in the pattern that are possible so far; as one number,
        since a set of its own for each letter would hold up everybody."""
        letters, everywhere, level = self._letters, self._everywhere, self._level
        wild = everywhere | level
        places = 1 | (1 & wild) << 1
        for letter in name:
            places = (places & letters.get(letter, 0)) << 1 | places & (everywhere if letter == "/" else wild)
            if not places:
                return False
            places |= (places & wild) << 1
        return bool(places >> self._places)
