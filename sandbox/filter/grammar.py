"""A filter's text as a tree.

    filter = any of terms, joined by "or"; terms that stand side by side (or joined by "and") must all hold
    part   = "-" part | "(" filter ")" | word | "text" | key:value
    value  = word | "text"

A word goes on to the next space, bracket or quotation mark; in it `*` stands for anything. Between quotation marks
everything is itself, but for `\\"` and `\\\\`. The text is somebody's: its length, terms and depth have limits.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import NamedTuple

from sandbox.filter.errors import FilterError, quoted
from sandbox.filter.filter import Filter
from sandbox.filter.keys import ALIASES, KEYS, Key
from sandbox.filter.terms import Unfit, anywhere
from sandbox.filter.tree import And, Node, Term, either, every, negated
from sandbox.filter.values import Value
from sandbox.toml import nearest

__all__ = ["DEPTH", "LENGTH", "TERMS", "parse"]

LENGTH = 2_000
"""Characters of a filter."""

TERMS = 100
"""Terms of a filter."""

DEPTH = 20
"""Brackets and minus signs within each other."""

A_TERM = 'a word, "a text" or key:value'

TOKEN = re.compile(r"""
    (?P<space>\s+)
  | (?P<open>\() | (?P<close>\))
  | (?P<minus>-)
  | (?P<key>[A-Za-z][A-Za-z0-9_-]*): (?: (?P<kt>"(?:[^"\\]|\\.)*") | (?P<kw>[^\s()"]*) )
  | (?P<text>"(?:[^"\\]|\\.)*")
  | (?P<word>[^\s()"]+)
""", re.VERBOSE | re.DOTALL)


class Token(NamedTuple):
    """kind: "open", "close", "minus", "or", "and", "term" or "end"; value: of a term, None where it has none."""

    kind: str
    at: int
    text: str
    key: str = ""
    value: Value | None = None
    value_at: int = 0


def parse(text: str, *, now: float | None = None, keys: Mapping[str, Key] = KEYS) -> Filter:
    """Read a filter; an empty text means everything. Raises FilterError and nothing else.

    now: seconds since the epoch, what "10m" ago is seen from; keys: the keys it may use.
    """
    if len(text) > LENGTH:
        raise FilterError(text, LENGTH, f"a filter of {len(text):,} characters", f"at most {LENGTH:,}")
    return Filter(Parser(text, time.time() if now is None else now, keys).whole())


def tokens(text: str) -> list[Token]:
    """The text in pieces, the end as the last. Raises FilterError."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:   # only a quotation mark can be nothing
            raise FilterError(text, at, "a quotation mark that is not closed", 'another " after the text')
        kind = match.lastgroup
        assert kind is not None
        if kind != "space":
            found.append(_token(text, match))
        at = match.end()
    return [*found, Token("end", len(text), "")]


def _token(text: str, match: re.Match[str]) -> Token:
    piece, at = match[0], match.start()
    if match["open"] or match["close"] or match["minus"]:
        return Token({"(": "open", ")": "close", "-": "minus"}[piece], at, piece)
    if match["key"] is not None:
        value_at = match.end("key") + 1
        value = _value(match["kw"]) if match["kt"] is None else Value(_unquoted(match["kt"]))
        if match["kt"] is None and not match["kw"] and text[match.end():match.end() + 1] == '"':
            raise FilterError(text, match.end(), "a quotation mark that is not closed", 'another " after the text')
        return Token("term", at, piece, match["key"], value, value_at)
    if match["text"] is not None:
        return Token("term", at, piece, "", Value(_unquoted(piece)), at)
    if piece.lower() in ("or", "and"):
        return Token(piece.lower(), at, piece)
    return Token("term", at, piece, "", _value(piece), at)


def _value(word: str) -> Value:
    return Value(word, "*" in word)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


class Parser:
    """Reads tokens into a tree, each once."""

    def __init__(self, text: str, now: float, keys: Mapping[str, Key]) -> None:
        self._text = text
        self._now = now
        self._keys = keys
        self._tokens = iter(tokens(text))
        self._token = next(self._tokens)
        self._terms = 0

    def whole(self) -> Node:
        if self._token.kind == "end":
            return And(())
        tree = self._any(0)
        if self._token.kind != "end":
            raise self._wrong(f'{A_TERM}, or the end: no "(" is open')
        return tree

    def _any(self, depth: int) -> Node:
        parts = [self._all(depth)]
        while self._token.kind == "or":
            self._next()
            parts.append(self._all(depth))
        return either(parts)

    def _all(self, depth: int) -> Node:
        parts = [self._part(depth)]
        while self._token.kind not in ("or", "close", "end"):
            if self._token.kind == "and":
                self._next()
            parts.append(self._part(depth))
        return every(parts)

    def _part(self, depth: int) -> Node:
        token = self._token
        if depth > DEPTH:
            raise self._wrong(f"at most {DEPTH} brackets and minus signs within each other")
        match token.kind:
            case "minus":
                self._next()
                if self._token.at != token.at + 1:
                    raise self._wrong(f'{A_TERM} right after the "-"')
                return negated(self._part(depth + 1))
            case "open":
                self._next()
                inner = self._any(depth + 1)
                if self._token.kind != "close":
                    raise self._wrong(f'a ")" for the "(" at character {token.at + 1}')
                self._next()
                return inner
            case "term":
                self._next()
                return self._term(token)
        raise self._wrong(f'{A_TERM}, or "or" in quotation marks for the word itself' if token.kind in ("or", "and")
                          else A_TERM)

    def _term(self, token: Token) -> Node:
        self._terms += 1
        if self._terms > TERMS:
            raise FilterError(self._text, token.at, f"more than {TERMS} terms", f"at most {TERMS}")
        value = token.value
        if not token.key:
            assert value is not None
            if not value.text.strip("*" if value.pattern else ""):
                raise FilterError(self._text, token.at, quoted(token.text), A_TERM)
            return Term("", value, anywhere(value, self._now))
        name = token.key.lower()
        key = self._keys.get(ALIASES.get(name, name))
        if key is None:
            hint = nearest(name, [*self._keys, *ALIASES])
            raise FilterError(self._text, token.at, f"{quoted(token.key)}, which is no key",
                              "a key such as protocol, host or verb, or the whole in quotation marks as a text",
                              hint)
        if value is None or not value.text:
            raise FilterError(self._text, token.value_at, f"nothing after {key.name}:",
                              f"a value, as in {key.example}")
        try:
            return Term(key.name, value, key.build(value, self._now))
        except Unfit as problem:
            raise FilterError(self._text, token.value_at, quoted(value.text), problem.expected,
                              problem.suggestion) from None

    def _next(self) -> None:
        self._token = next(self._tokens)

    def _wrong(self, expected: str) -> FilterError:
        token = self._token
        return FilterError(self._text, token.at, "the end" if token.kind == "end" else quoted(token.text), expected)
