"""The surest tie of each exchange, as trees: a journey begins where no tie leads further up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from sandbox.journal.records import Exchange, Session
from sandbox.journeys import causes, letters, logins, pages, places, walks
from sandbox.journeys.ties import Record, Records, Tie

__all__ = ["Journey", "Step", "journeys"]

FINDERS: Sequence[Callable[[Records], Iterator[Tie]]] = (causes.ties, pages.ties, letters.ties, places.ties,
                                                           walks.ties, logins.ties)
"""Whoever adds a kind of tie adds its finder here."""

DEEPEST = 30
"""Ties in a row."""


class Step(NamedTuple):
    """An exchange on its way. depth: ties from the beginning; words: how it belongs to the one above, "" for the
    beginning; certain: whether that is sure; above: the id of that one, 0 for none."""

    session: Session
    exchange: Exchange
    depth: int
    words: str
    certain: bool
    above: int


class Journey(NamedTuple):
    """kind: "page", "letter", "upload", "logins", "tunnel", "walk" or "errand"; steps: the beginning first, then by
    tree and time."""

    kind: str
    title: str
    steps: list[Step]

    @property
    def started(self) -> float:
        return min(step.exchange.started for step in self.steps)

    @property
    def ended(self) -> float:
        return max(step.exchange.ended for step in self.steps)


def journeys(pairs: Iterable[tuple[Session, Exchange]]) -> list[Journey]:
    """The journeys of exchanges, the newest first; what is alone makes none."""
    records = sorted((Record(*pair) for pair in pairs), key=lambda one: (one.exchange.started, one.exchange.id))
    by_id = {record.exchange.id: record for record in records}
    surest: dict[int, Tie] = {}
    shared: list[Tie] = []
    for finder in FINDERS:
        for tie in finder(records):
            if tie.shared:
                shared.append(tie)
            elif tie.child not in surest or tie.rank < surest[tie.child].rank:
                surest[tie.child] = tie
    children: dict[int, list[Tie]] = {}
    for tie in [*surest.values(), *(tie for tie in shared if tie.child not in surest)]:
        # That the same person logged in somewhere else is no part of what a login was for.
        if tie.rank == logins.RANK and tie.parent in surest:
            continue
        if tie.parent in by_id and not circular(tie, surest):
            children.setdefault(tie.parent, []).append(tie)
    tied = {tie.child for some in children.values() for tie in some}
    found = [journey(record, children, by_id) for record in records
             if record.exchange.id in children and record.exchange.id not in tied]
    return sorted(found, key=lambda one: one.steps[0].exchange.id, reverse=True)


def circular(tie: Tie, surest: dict[int, Tie]) -> bool:
    """Whether the way up comes back here: ties by names and times can be wrong in company."""
    at = tie.parent
    for _ in range(DEEPEST):
        if at == tie.child:
            return True
        if at not in surest:
            return False
        at = surest[at].parent
    return True


def journey(root: Record, children: dict[int, list[Tie]], by_id: dict[int, Record]) -> Journey:
    steps = [Step(*root, 0, "", True, 0)]

    def add(parent: int, depth: int) -> None:
        for tie in sorted(children.get(parent, ()), key=lambda tie: by_id[tie.child].exchange.started):
            steps.append(Step(*by_id[tie.child], depth, tie.words, tie.certain, parent))
            add(tie.child, depth + 1)

    add(root.exchange.id, 1)
    kind = kind_of(root)
    return Journey(kind, title_of(kind, root), steps)


def kind_of(root: Record) -> str:
    session, exchange = root
    if exchange.verb == "CONNECT":
        return "tunnel"
    if session.protocol == "http":
        return "page"
    if logins.is_login(root):
        return "logins"
    if session.protocol == "smtp" or exchange.verb == "APPEND":
        return "letter"
    if places.is_write(root):
        return "upload"
    return "walk" if session.protocol == "dns" else "errand"


def title_of(kind: str, root: Record) -> str:
    """A short title in plain words."""
    facts, asked = root.exchange.facts, root.exchange.asked
    if kind in ("page", "tunnel"):
        return f"{facts.get('host', '')}{facts.get('path', '')}" or asked
    if kind == "letter":
        sender, recipients = facts.get("sender", ""), facts.get("recipients", "")
        return f"A letter from {sender or 'a server'} to {recipients or 'a mailbox'}"
    if kind == "logins":
        return f"{facts.get('account', '')} logs in"
    if kind == "upload":
        return f"The file {facts.get('file', asked)}"
    return f"{root.exchange.verb} {asked}".strip()
