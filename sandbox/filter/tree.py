"""And, or, not over terms, and the filter they make.

`every` and `either` are how a tree is built: flat, without double negation, so that what prints alike is alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from sandbox.filter.terms import Condition
from sandbox.filter.values import Value
from sandbox.journal.matching import EVERYTHING, Narrowing, reads_octets
from sandbox.journal.records import Exchange, Session

__all__ = ["And", "Node", "Not", "Or", "Term", "either", "every", "negated"]

KEY = r"[A-Za-z][A-Za-z0-9_-]*:"
PLAIN = re.compile(rf"(?!-|{KEY}|(?:or|and)$)[^\s()\"*]+", re.IGNORECASE)
"""A word that says itself without quotes."""

PLAIN_VALUE = re.compile(r"[^\s()\"*]+")


@dataclass(frozen=True)
class Term:
    """A key with its value; key "" for a word alone."""

    key: str
    value: Value
    test: Condition = field(compare=False)

    @property
    def reads_octets(self) -> bool:
        return self.test.reads_octets

    def matches(self, session: Session, exchange: Exchange) -> bool:
        return self.test.matches(session, exchange)

    def narrowing(self) -> Narrowing:
        return self.test.narrowing

    def __str__(self) -> str:
        text, plain = self.value.text, PLAIN_VALUE if self.key else PLAIN
        if not self.value.pattern and not plain.fullmatch(text):
            text = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{self.key}:{text}" if self.key else text


@dataclass(frozen=True)
class Not:
    part: Node

    @property
    def reads_octets(self) -> bool:
        return self.part.reads_octets

    def matches(self, session: Session, exchange: Exchange) -> bool:
        return not self.part.matches(session, exchange)

    def narrowing(self) -> Narrowing:
        return EVERYTHING

    def __str__(self) -> str:
        return f"-{self.part}" if isinstance(self.part, Term) else f"-({self.part})"


@dataclass(frozen=True)
class And:
    """All of them. Without any it holds for everything."""

    parts: tuple[Node, ...]

    @cached_property
    def cheap_first(self) -> tuple[Node, ...]:
        """In the order in which they are asked: what reads octets comes last."""
        return tuple(sorted(self.parts, key=reads_octets))

    @property
    def reads_octets(self) -> bool:
        return any(part.reads_octets for part in self.parts)

    def matches(self, session: Session, exchange: Exchange) -> bool:
        for part in self.cheap_first:     # noqa: SIM110  (a generator costs more than the tests)
            if not part.matches(session, exchange):
                return False
        return True

    def narrowing(self) -> Narrowing:
        """All that any of them asks for."""
        literals: dict[str, None] = {}
        columns: dict[str, frozenset[str]] = {}
        sessions: frozenset[int] | None = None
        found = [part.narrowing() for part in self.parts]
        for each in found:
            literals |= dict.fromkeys(each.literals)
            columns |= {name: columns.get(name, values) & values for name, values in each.columns.items()}
            if each.sessions is not None:
                sessions = each.sessions if sessions is None else sessions & each.sessions
        return Narrowing(tuple(literals), columns, sessions, max((each.since for each in found), default=0.0),
                         min((each.until for each in found), default=EVERYTHING.until))

    def __str__(self) -> str:
        return " ".join(f"({part})" if isinstance(part, Or) else str(part) for part in self.parts)


@dataclass(frozen=True)
class Or:
    """Any of two or more."""

    parts: tuple[Node, ...]

    @property
    def reads_octets(self) -> bool:
        return any(part.reads_octets for part in self.parts)

    def matches(self, session: Session, exchange: Exchange) -> bool:
        for part in self.parts:     # noqa: SIM110
            if part.matches(session, exchange):
                return True
        return False

    def narrowing(self) -> Narrowing:
        """What all of them ask for."""
        first, *others = (part.narrowing() for part in self.parts)
        literals, columns, sessions, since, until = first
        for each in others:
            literals = tuple(text for text in literals if text in each.literals)
            columns = {name: values | each.columns[name] for name, values in columns.items() if name in each.columns}
            sessions = sessions | each.sessions if sessions is not None and each.sessions is not None else None
            since, until = min(since, each.since), max(until, each.until)
        return Narrowing(literals, columns, sessions, since, until)

    def __str__(self) -> str:
        return " or ".join(map(str, self.parts))


Node = Term | Not | And | Or


def every(parts: Iterable[Node]) -> Node:
    """All of them, as one."""
    flat = [one for part in parts for one in (part.parts if isinstance(part, And) else (part,))]
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def either(parts: Iterable[Node]) -> Node:
    """Any of them, as one."""
    flat = [one for part in parts for one in (part.parts if isinstance(part, Or) else (part,))]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def negated(part: Node) -> Node:
    """None of it."""
    return part.part if isinstance(part, Not) else Not(part)
