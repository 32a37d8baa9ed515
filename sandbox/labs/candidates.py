"""Which exchanges stand for which checks.

Theory of operation. A check is bound to at most one earlier check, so the checks of a lab are trees. For an exchange
that may stand for a check, its children are looked at alone: each takes the exchange with which most of its own
subtree holds. What was found for a check and an exchange is remembered, so a lab costs about as many looks as there
are pairs of exchanges that may follow one another. A learner may begin anew as often as they like: the attempt that
got furthest counts, not the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sandbox.filter import Filter
from sandbox.labs.lab import Check, Lab, meant
from sandbox.labs.values import Octets, Record, value

__all__ = ["Candidates", "Evidence"]

MOST = 300
"""Exchanges, the latest, that may stand for one check."""

Evidence = Mapping[str, tuple[Record, ...]]
"""What stands for each check that holds, by its name."""


class Best(NamedTuple):
    held: int
    evidence: dict[str, tuple[Record, ...]]


class Candidates:
    """The records of one learner under the checks of one lab. where: what stands for the filters' places."""

    def __init__(self, lab: Lab, records: Sequence[Record], where: Mapping[str, str], octets: Octets) -> None:
        self._octets = octets
        self.filters: dict[str, Filter] = {check.name: meant(check.filter, where) for check in lab.checks}
        self._children: dict[str, list[Check]] = {}
        for check in lab.checks:
            self._children.setdefault(check.other, []).append(check)
        self.spoilt: dict[str, list[Record]] = {}
        """Those that would, but for what else their session holds."""
        self.of = {check.name: self._matching(check, records, where) for check in lab.checks}
        """Those that match by themselves, in the order they ended."""
        self._known: dict[tuple[str, int], Best] = {}

    def _matching(self, check: Check, records: Sequence[Record], where: Mapping[str, str]) -> list[Record]:
        wanted = self.filters[check.name]
        found = [one for one in records
                 if one.caused == (check.by == "sandbox") and wanted.matches(one.session, one.exchange)][-MOST:]
        if check.without and found:
            without = meant(check.without, where)
            spoilt = {one.exchange.session for one in records if without.matches(one.session, one.exchange)}
            self.spoilt[check.name] = [one for one in found if one.exchange.session in spoilt]
            # Only of a session that is over it can be said what it does not hold.
            found = [one for one in found if one.session.closed and one.exchange.session not in spoilt]
        return found

    def evidence(self) -> Evidence:
        """For each check that holds, what shows it."""
        return self._under("", None).evidence

    def _under(self, name: str, chosen: Record | None) -> Best:
        """The best for all that is bound to a check, when an exchange stands for it."""
        known = (name, chosen.exchange.id if chosen else 0)
        if known not in self._known:
            held, evidence = 0, dict[str, tuple[Record, ...]]()
            for check in self._children.get(name, ()):
                best = self._best(check, chosen)
                held += best.held
                evidence |= best.evidence
            self._known[known] = Best(held, evidence)
        return self._known[known]

    def _best(self, check: Check, bound: Record | None) -> Best:
        fitting = [one for one in self.of[check.name] if bound is None or self.why_not(check, one, bound) == ""]
        if len(fitting) < check.count:
            return Best(0, {})
        if check.count > 1:
            chosen = tuple(fitting[:check.count])
            below = self._under(check.name, chosen[-1])
            return Best(below.held + 1, {check.name: chosen, **below.evidence})
        whole = self._size(check.name)
        best: Best | None = None
        for one in fitting:
            below = self._under(check.name, one)
            if best is None or below.held + 1 > best.held:
                best = Best(below.held + 1, {check.name: (one,), **below.evidence})
                if below.held == whole:
                    break
        assert best is not None
        return best

    def _size(self, name: str) -> int:
        """How many checks are bound to one, and to those."""
        return sum(1 + self._size(check.name) for check in self._children.get(name, ()))

    def why_not(self, check: Check, one: Record, other: Record) -> str:
        """Why an exchange cannot stand for a check when another stands for the one it is bound to: "order", the name
        of the value that differs, or "" where it can."""
        if check.after and one.exchange.id <= other.exchange.id:
            return "order"
        if check.before and one.exchange.id >= other.exchange.id:
            return "order"
        if check.same and not self._agree(check.same, check.same, one, other):
            return check.same
        if check.equal and not self._agree(check.equal[0], check.equal[1], one, other):
            return check.equal[0]
        return ""

    def _agree(self, mine: str, theirs: str, one: Record, other: Record) -> bool:
        left, right = value(mine, one, self._octets), value(theirs, other, self._octets)
        if mine == "message":
            return bool(set(left.split()) & set(right.split()))
        return bool(left) and left == right


