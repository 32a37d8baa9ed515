"""All rules, as the network asks about them. It implements `net/script.py`'s `Faults`."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from sandbox.faults.action import Action
from sandbox.faults.errors import FaultError
from sandbox.faults.held import HeldAnswer, Waiting
from sandbox.faults.names import NAMED, Names
from sandbox.faults.rule import Rule
from sandbox.filter import Filter
from sandbox.journal.records import Exchange, Session
from sandbox.protocols.contract.registry import PROTOCOLS
from sandbox.protocols.contract.script import ScriptedAnswer
from sandbox.protocols.contract.strike import BadHandshake, Point, Stage, Strike

__all__ = ["Faults", "Standing"]

MOST = 1000
"""Rules there can be."""

ALL = frozenset(protocol.name for protocol in PROTOCOLS)


@dataclass(eq=False)
class Standing:
    """A rule that is in force. origin: where it came from, "api" or "configuration"; flying: stages of answers that
    are on their way."""

    id: int
    rule: Rule
    origin: str
    protocols: frozenset[str]
    flying: weakref.WeakSet[Stage] = field(default_factory=weakref.WeakSet)


@dataclass
class Sum:
    """What the rules come to for one thing that began: of each kind the first."""

    faults: list[str] = field(default_factory=list)
    answer: ScriptedAnswer | None = None
    stage: Stage | None = None
    handshake: BadHandshake | None = None
    hold: tuple[int, float] | None = None

    def strike(self, waiting: Waiting, point: Point, session: Session, exchange: Exchange) -> Strike | None:
        if not self.faults:
            return None
        wait = None
        if self.hold is not None:
            rule, limit = self.hold
            step = {Point.CONNECTION: "connection", Point.HANDSHAKE: "handshake"}.get(point, "question")
            wait = partial(waiting.hold, rule, session, exchange, step, limit)
        return Strike(", ".join(self.faults), self.answer, self.stage, wait, self.handshake)


class Faults:
    """rules: by number, in the order they were added; waiting: what is held."""

    def __init__(self, rules: Iterable[Rule] = (), origin: str = "configuration") -> None:
        self.rules: dict[int, Standing] = {}
        self.waiting = Waiting()
        self.names = Names()
        self.quiet = True
        """Whether no rule can strike."""
        self._last = 0
        self._struck: dict[Point, frozenset[str]] = dict.fromkeys(Point, frozenset())
        """At each point the protocols that a rule may strike."""
        for rule in rules:
            self.add(rule, origin)

    def add(self, rule: Rule, origin: str = "api") -> Standing:
        """Raises FaultError."""
        if len(self.rules) >= MOST:
            raise FaultError(f"There are {MOST:,} rules already.", "Remove some first.")
        self._last += 1
        standing = self.rules[self._last] = Standing(self._last, rule, origin,
                                                     protocols_of(rule.filter, rule.action))
        self._index()
        return standing

    def remove(self, number: int) -> Standing:
        """What the rule holds back leaves at once. Raises FaultError."""
        standing = self.rules.pop(number, None)
        if standing is None:
            raise FaultError(f"There is no rule {number}.", "The list of rules has their numbers.")
        self._index()
        for held in self.waiting:
            if held.rule == number:
                held.go_on()
        for stage in list(standing.flying):
            stage.release()
        return standing

    def clear(self) -> None:
        for number in list(self.rules):
            self.remove(number)

    # -- what the network asks ----------------------------------------------------------------------------------

    def concerns(self, point: Point, protocol: str, asked: str, facts: Mapping[str, str]) -> bool:
        if protocol in self._struck[point]:
            return True
        return point is Point.QUESTION and protocol in NAMED and ".test" in (facts.get("host") or asked).lower()

    def strike(self, point: Point, session: Session, exchange: Exchange) -> Strike | None:
        total = Sum()
        for standing in list(self.rules.values()):
            rule = standing.rule
            if point in rule.points and session.protocol in standing.protocols \
                    and rule.filter.matches(session, exchange):
                self._add(total, standing, point, session, exchange)
        if not total.faults and point is Point.QUESTION:
            found = self.names.find(session, exchange)
            if found is not None:
                name, effect = found
                total.faults.append(name)
                total.answer, total.stage = effect.answer, effect.stage
        return total.strike(self.waiting, point, session, exchange)

    def _add(self, total: Sum, standing: Standing, point: Point, session: Session, exchange: Exchange) -> None:
        """Let one rule strike too, where it has something to do with what began and nobody did the same before."""
        rule = standing.rule
        effect = rule.act(session, exchange)
        if effect is None or not rule.which.strikes():
            return
        stage = effect.stage
        if effect.hold and point is Point.QUESTION and rule.leaving:
            stage = HeldAnswer(self.waiting, standing.id, session, exchange, effect.hold)
        if stage is not None:
            standing.flying.add(stage)
        total.faults.append(f"{standing.id}: {rule.deed()}")
        total.answer = total.answer or effect.answer
        total.stage = total.stage or stage
        total.handshake = total.handshake or effect.handshake
        if effect.hold and total.hold is None and (point is not Point.QUESTION or rule.asked):
            total.hold = standing.id, effect.hold
        if rule.which.spent:
            self._index()

    def _index(self) -> None:
        live = [standing for standing in self.rules.values() if not standing.rule.which.spent]
        self.quiet = not live
        self._struck = {point: frozenset().union(*(standing.protocols for standing in live
                                                   if point in standing.rule.points)) for point in Point}


def protocols_of(matcher: Filter, action: Action) -> frozenset[str]:
    """The protocols that a rule can strike."""
    columns = matcher.narrowing().columns
    found = columns.get("protocol", ALL) & (action.protocols or ALL)
    if "service" in columns:
        services = {role.name: protocol.name for protocol in PROTOCOLS for role in protocol.roles}
        found &= frozenset(services.get(name.removesuffix("-data"), "") for name in columns["service"])
    return found


