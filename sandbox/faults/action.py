"""What an action is: a word, what it takes, where it strikes, and what then happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.journal.records import Exchange, Session
from sandbox.protocols.contract.script import ScriptedAnswer
from sandbox.protocols.contract.strike import BadHandshake, Point, Stage

__all__ = ["Act", "Action", "Effect", "always"]


@dataclass(frozen=True, slots=True)
class Effect:
    """What happens to one thing that began; fields as in `Strike`. hold: seconds to wait until told to go on."""

    answer: ScriptedAnswer | None = None
    stage: Stage | None = None
    handshake: BadHandshake | None = None
    hold: float = 0.0


Act = Callable[[Session, Exchange], Effect | None]
"""What an action with its values does to something that has begun; None where it has nothing to do with that."""


@dataclass(frozen=True, slots=True)
class Action:
    """name: the word; kind: "answer", "octets", "hold" or "tls"; meaning: a sentence; value: what stands after the
    equals sign, "" for nothing; example: a whole rule; make: reads the value and the options, raises FaultError;
    options: its own, each with its meaning; protocols: those it can strike, empty for all; point: where."""

    name: str
    kind: str
    meaning: str
    value: str
    example: str
    make: Callable[[str, Mapping[str, str]], Act]
    options: Mapping[str, str] = field(default_factory=dict)
    protocols: frozenset[str] = frozenset()
    point: Point = Point.QUESTION
    optional: bool = False
    """Whether it does without its value."""


def always(make: Callable[[], Effect]) -> Act:
    """An act that does the same to everything; `make` is called for each."""
    return lambda session, exchange: make()
