"""A position in a command, and steps that move it: `try_...` may stand still, `expect_...` raises GrammarError."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from sandbox.protocols.imap.grammar.utf7 import decode_utf7, encode_utf7

__all__ = ["Cursor", "GrammarError", "Literal", "WrongName", "announced", "with_inbox"]

T = TypeVar("T")

ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+')                # RFC 9051 §9, ATOM-CHAR
ASTRING = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\]+')               # ASTRING-CHAR: ] too
TAG = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\+]+')                  # ASTRING-CHAR without +
QUOTED = re.compile(rb'"([^"\\\r\n\x00]*(?:\\["\\][^"\\\r\n\x00]*)*)"')
ESCAPED = re.compile(rb'\\(["\\])')
LITERAL = re.compile(rb"(~?)\{([0-9]{1,19})(\+?)\}\r?\n")
ANNOUNCED = re.compile(rb"(~?)\{([0-9]+)(\+?)\}\r?\n\Z")
NUMBER = re.compile(rb"[0-9]{1,20}")
FLAG = re.compile(rb'\\?[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
SPACES = re.compile(rb" *")
CLOSING = re.compile(rb" *\)")
NUMBER_MAX = (1 << 63) - 1  # RFC 9051 §9, number64

LONGEST_FLAG = 100
"""Octets of a flag's name: a keyword is a word, not a place to keep data."""


class GrammarError(Exception):
    """The command does not follow the grammar: a sentence for the client."""

    @property
    def sentence(self) -> str:
        return str(self.args[0])


class WrongName(GrammarError):
    """A string that cannot be a mailbox's name. As a string it is right, so the command is refused, and not its
    grammar."""


class Literal(NamedTuple):
    """A literal as its header announces it. waits: whether the client waits for `+` (RFC 7888)."""

    size: int
    waits: bool
    binary: bool


def announced(line: bytes) -> Literal | None:
    """The literal that a line ends by announcing, None for the end of a command."""
    match = ANNOUNCED.search(line, max(0, len(line) - 64))
    if match is None:
        return None
    return Literal(int(match[2]), not match[3], bool(match[1]))


class Cursor:
    """data: a command without its last line end; utf8: whether mailbox names are UTF-8 (RFC 6855, RFC 9051 §5.1)."""

    __slots__ = ("at", "data", "utf8")

    def __init__(self, data: bytes, *, utf8: bool = False) -> None:
        self.data = data
        self.at = 0
        self.utf8 = utf8

    @property
    def ended(self) -> bool:
        return self.at >= len(self.data)

    def expect_end(self) -> None:
        if not self.ended:
            raise GrammarError(f"Nothing more was expected at {self.near()}")

    def near(self) -> str:
        """What stands here, for an error's sentence."""
        rest = self.data[self.at:self.at + 20].partition(b"\r")[0]
        text = "".join(letter if letter.isprintable() else "?" for letter in rest.decode("latin-1"))
        return f'"{text}"' if rest else "the end"

    def match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        found = pattern.match(self.data, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def try_take(self, octets: bytes) -> bool:
        """Exactly these octets."""
        if self.data.startswith(octets, self.at):
            self.at += len(octets)
            return True
        return False

    def expect_take(self, octets: bytes) -> None:
        if not self.try_take(octets):
            raise GrammarError(f'"{octets.decode()}" was expected at {self.near()}')

    def expect_space(self) -> None:
        if not self.try_take(b" "):
            raise GrammarError(f"A space was expected at {self.near()}")

    def peek(self) -> bytes:
        return self.data[self.at:self.at + 1]

    def try_word(self, *words: str) -> str | None:
        """One of these atoms in any case; returned as given here."""
        start = self.at
        if (found := self.match(ATOM)) is not None:
            name = found[0].upper()
            for word in words:
                if name == word.encode():
                    return word
        self.at = start
        return None

    def expect_atom(self) -> str:
        found = self.match(ATOM)
        if found is None:
            raise GrammarError(f"A word was expected at {self.near()}")
        return found[0].decode("ascii")

    def expect_tag(self) -> str:
        found = self.match(TAG)
        if found is None:
            raise GrammarError("A command begins with a tag: a1 NOOP")
        return found[0].decode("ascii")

    def try_number(self) -> int | None:
        found = self.match(NUMBER)
        return None if found is None else int(found[0])

    def expect_number(self, least: int = 0, most: int = 0xFFFF_FFFF) -> int:
        start = self.at
        number = self.try_number()
        if number is None or not least <= number <= most:
            self.at = start
            raise GrammarError(f"A number from {least} to {most} was expected at {self.near()}")
        return number

    def try_string(self) -> bytes | None:
        """A quoted string or a literal."""
        if (found := self.match(QUOTED)) is not None:
            return ESCAPED.sub(rb"\1", found[1])
        start = self.at
        if (found := self.match(LITERAL)) is not None:
            end = self.at + int(found[2])
            if end <= len(self.data):
                value = self.data[self.at:end]
                if b"\0" in value and not found[1]:
                    raise GrammarError("A literal may hold NUL only as a literal8, ~{...}")
                self.at = end
                return value
            self.at = start
        return None

    def expect_string(self) -> bytes:
        value = self.try_string()
        if value is None:
            raise GrammarError(f"A string was expected at {self.near()}")
        return value

    def expect_astring(self) -> bytes:
        if (value := self.try_string()) is not None:
            return value
        found = self.match(ASTRING)
        if found is None:
            raise GrammarError(f"A word or a string was expected at {self.near()}")
        return found[0]

    def expect_nstring(self) -> bytes | None:
        return None if self.try_word("NIL") else self.expect_string()

    def expect_text(self) -> str:
        """An astring that is UTF-8: a name, a password."""
        return as_text(self.expect_astring())

    def expect_mailbox(self) -> str:
        return self.mailbox_name(self.expect_astring())

    def mailbox_name(self, name: bytes) -> str:
        """INBOX in any case is INBOX (RFC 9051 §5.1), also as the first level of a name."""
        if self.utf8 or not name.isascii():
            text = as_text(name)
        else:
            try:
                text = decode_utf7(name)
            except ValueError:
                raise WrongName("A mailbox name is in modified UTF-7 (RFC 3501 §5.1.3); & alone is written &-"
                                ) from None
        return with_inbox(text)

    def written_name(self, name: bytes) -> str:
        """A part of a mailbox's name, with or without wildcards, as names are written on this connection."""
        text = as_text(name)
        return with_inbox(text if self.utf8 or text.isascii() else encode_utf7(text).decode())

    def expect_flag(self) -> str:
        found = self.match(FLAG)
        if found is None or len(found[0]) > LONGEST_FLAG:
            raise GrammarError(f"A flag was expected at {self.near()}")
        return found[0].decode("ascii")

    def expect_list(self, item: Callable[[], T], *, empty: bool = False) -> list[T]:
        """Items in brackets with spaces between them. empty: whether there may be none.

        Spaces beside a bracket are passed over: aioimaplib writes ID ( "name" "x" ).
        """
        self.expect_take(b"(")
        self.match(SPACES)
        if empty and self.try_take(b")"):
            return []
        items = [item()]
        while not self.match(CLOSING):
            self.expect_space()
            items.append(item())
        return items


def with_inbox(name: str) -> str:
    first, slash, rest = name.partition("/")
    return "INBOX" + slash + rest if first.upper() == "INBOX" else name


def as_text(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise GrammarError("That text is not UTF-8") from None
