"""A rule: what it is made of, read from words or from a mapping, and written again.

As words it is what stands on a command line: the filter, the action, options.

    'protocol:smtp verb:RCPT' reply=451 times=2

As a mapping, in JSON or TOML, the same names have the same values:

    {"filter": "protocol:smtp verb:RCPT", "reply": "451", "times": 2}
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.faults import which
from sandbox.faults.action import Act, Action
from sandbox.faults.actions import ACTIONS
from sandbox.faults.errors import FaultError
from sandbox.faults.which import Which
from sandbox.filter import Filter, parse
from sandbox.filter.tree import Node, Not, Term
from sandbox.protocols.contract.strike import Point
from sandbox.toml import nearest

__all__ = ["PLACES", "Rule", "rule_of_mapping", "rule_of_text", "rule_of_words"]

PLACES: Mapping[str, tuple[frozenset[Point], bool]] = {
    "connection": (frozenset({Point.CONNECTION}), False),
    "handshake": (frozenset({Point.HANDSHAKE}), False),
    "question": (frozenset({Point.QUESTION}), False),
    "answer": (frozenset({Point.QUESTION}), True),
    "step": (frozenset(Point), True),
}
"""What `at` can be: the points where a rule strikes, and whether a hold holds the answer as it leaves."""

LATER = frozenset({"outcome", "answered", "key", "longer", "larger", "exchange", "field"})
"""Keys of the filter that nothing which has only begun can meet."""

LONGEST = 65_536
"""Characters of a rule."""

Value = str | int | float | bool


@dataclass(frozen=True)
class Rule:
    """filter: what it strikes; options: as they were said, without the action; at: a name of PLACES, "" for the
    action's own point. act, which: what they come to."""

    filter: Filter
    action: Action
    value: str
    options: Mapping[str, str]
    act: Act = field(compare=False, repr=False)
    which: Which = field(compare=False, repr=False)

    @property
    def at(self) -> str:
        return self.options.get("at", "")

    @property
    def points(self) -> frozenset[Point]:
        return PLACES[self.at][0] if self.at else frozenset({self.action.point})

    @property
    def asked(self) -> bool:
        """Whether a hold holds before the question is answered; else only as the answer leaves."""
        return self.at != "answer"

    @property
    def leaving(self) -> bool:
        """Whether a hold holds the answer as it leaves."""
        return bool(self.at) and PLACES[self.at][1]

    def deed(self) -> str:
        """The action in words: `reply=451 text=...`."""
        own = [word(name, text) for name, text in self.options.items() if name in self.action.options]
        return " ".join([word(self.action.name, self.value), *own])

    def mapping(self) -> dict[str, str]:
        return {"filter": str(self.filter), self.action.name: self.value, **self.options}

    def __str__(self) -> str:
        """Its words; `rule_of_text` reads them."""
        return shlex.join([str(self.filter), word(self.action.name, self.value),
                           *(word(name, text) for name, text in self.options.items())])


def word(name: str, text: str) -> str:
    return f"{name}={text}" if text else name


def rule_of_text(text: str) -> Rule:
    """Raises FaultError, FilterError."""
    try:
        return rule_of_words(shlex.split(text[:LONGEST + 1]))
    except ValueError as error:
        raise FaultError(f"The words of the rule cannot be told apart: {error}.",
                         "Quotes come in pairs, as in a shell.") from None


def rule_of_words(words: Sequence[str]) -> Rule:
    """words: the filter, the action, options. Raises FaultError, FilterError."""
    if not words:
        raise FaultError("There is no rule.", "It is a filter and an action, such as "
                         "'protocol:smtp verb:RCPT' reply=451.")
    values: dict[str, Value] = {"filter": words[0]}
    for text in words[1:]:
        name, _, value = text.partition("=")
        if name in values:
            raise FaultError(f"{name[:40]} is there twice.", "Each word stands once in a rule.")
        values[name] = value
    return rule_of_mapping(values)


def rule_of_mapping(values: Mapping[str, Value]) -> Rule:
    """Raises FaultError, FilterError."""
    texts = {name: text_of(value) for name, value in values.items()}
    if sum(len(name) + len(text) for name, text in texts.items()) > LONGEST:
        raise FaultError("The rule is too long.", f"It has up to {LONGEST:,} characters.")
    matcher = parse(texts.pop("filter", ""))
    if late := {term.key for term in terms(matcher.tree)} & LATER:
        raise FaultError(f"{', '.join(sorted(late))} is not known when something begins, so the rule would strike "
                         "nothing.", "Ask for what was asked: protocol, service, verb, host, name, client, account.")
    found = [name for name in texts if name in ACTIONS]
    if len(found) != 1:
        raise no_action(texts, found)
    action = ACTIONS[found[0]]
    value = texts.pop(action.name)
    if value == "true" and (action.optional or not action.value):
        value = ""  # {"reset": true}
    if bool(value) != bool(action.value) and not (action.optional and not value):
        raise FaultError(f"{action.name} takes {action.value or 'no value'}.", f"Such as: {action.example}")
    known = {*which.OPTIONS, "at", *action.options}
    for name in texts:
        if name not in known:
            raise FaultError(f"{action.name} has no option {name[:40]!r}.",
                             nearest(name, known) or f"It has {', '.join(sorted(known))}.")
    check_place(action, texts.get("at", ""))
    return Rule(matcher, action, value, texts, action.make(value, texts), Which(texts))


def check_place(action: Action, at: str) -> None:
    if not at:
        return
    if at not in PLACES:
        raise FaultError(f"at is {at[:40]!r}.", nearest(at, PLACES) or f"It is one of {', '.join(PLACES)}.")
    fine = {"hold": set(PLACES), "tls": {"handshake"}, "octets": {"connection", "question"}, "answer": {"question"}}
    if at not in fine[action.kind]:
        raise FaultError(f"{action.name} does not strike at the {at}.",
                         f"It strikes at the {' or the '.join(sorted(fine[action.kind]))}.")


def no_action(texts: Mapping[str, str], found: list[str]) -> FaultError:
    if found:
        return FaultError(f"The rule has {len(found)} actions: {', '.join(found)}.", "Make a rule of each.")
    unknown = [name for name in texts if name not in which.OPTIONS and name != "at"]
    close = nearest(unknown[0], ACTIONS) if unknown else ""
    said = f"{unknown[0][:40]!r} is no action." if unknown else "The rule has no action."
    return FaultError(said, close or f"Actions are {', '.join(ACTIONS)}.")


def text_of(value: Value) -> str:
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    if "\0" in text:
        raise FaultError("A rule has no NUL characters.")
    return text


def terms(node: Node) -> list[Term]:
    if isinstance(node, Term):
        return [node]
    return terms(node.part) if isinstance(node, Not) else [term for part in node.parts for term in terms(part)]
