"""What words mean: the entries behind each sentence."""

from __future__ import annotations

import msgspec

from sandbox.dashboard.access import Seen
from sandbox.dashboard.answers import ProblemError, as_json
from sandbox.dashboard.api.exchanges import parsed
from sandbox.dashboard.operations import Call, Operations, Query
from sandbox.explain import concepts
from sandbox.explain.knowledge import Entry, find, lookup, suggest
from sandbox.explain.rows import Row, row
from sandbox.protocols.http.messages import Response

__all__ = ["OPERATIONS"]

OPERATIONS = Operations()
EXAMPLES = 5
"""Exchanges that show a concept."""


class Explained(msgspec.Struct):
    """key: protocol:kind.term; title: its name; text: what it means; more: what else there is to know."""

    key: str
    title: str
    text: str
    more: str
    rfc: str


class ConceptName(msgspec.Struct):
    """topic: what it is about, such as web."""

    name: str
    title: str
    topic: str


class Concepts(msgspec.Struct):
    concepts: list[ConceptName]


class Trial(msgspec.Struct):
    """see: what to look at, "" for nothing."""

    command: str
    see: str


class Concept(msgspec.Struct):
    """A word of a course. commands: to try, trials: the same with what to look at; related: other concepts by name;
    filter: what shows it, "" where a journal has nothing of it; examples: the latest exchanges that do."""

    name: str
    title: str
    text: str
    rfc: str
    commands: list[str]
    trials: list[Trial]
    related: list[str]
    filter: str
    examples: list[Row]


class Explanations(msgspec.Struct):
    """concepts: words of a course that it may be, near: words that look like it."""

    entries: list[Explained]
    concepts: list[ConceptName]
    near: list[str]


def explained(entry: Entry) -> Explained:
    title = f"{entry.term}: {entry.name}" if entry.name and entry.name != entry.term else entry.term
    return Explained(f"{entry.protocol}:{entry.kind}.{entry.term}", title, entry.text, entry.more, entry.rfc)


@OPERATIONS.add("GET", "knowledge/{protocol}/{kind}/{term}", "One entry of what is known.", Explained)
async def one(call: Call, protocol: str, kind: str, term: str) -> Response:
    kinds = ("verb", "type", "opcode") if kind == "verb" else (kind,)
    places = [*((protocol, name) for name in kinds), ("tcp", kind)]
    entry = next((entry for place in places if (entry := lookup(*place, term))), None)
    if entry is None:
        raise ProblemError(404, "Nothing known", f"Nothing is known of {term[:60]!r} in {protocol[:20]!r}.",
                           "Look for it by explain?word=.")
    return as_json(explained(entry))


@OPERATIONS.add("GET", "explain", "All that a word may mean.", Explanations, Query("word", "A word.", "NXDOMAIN"))
async def explain(call: Call) -> Response:
    word = call.query.text("word")[:200]
    return as_json(Explanations([explained(entry) for entry in find("", word)],
                                [ConceptName(one.name, one.title, one.topic) for one in concepts.find(word)],
                                list(dict.fromkeys([*suggest("", word), *concepts.suggest(word)]))))


@OPERATIONS.add("GET", "concepts", "The words of a networking course that are explained here.", Concepts)
async def every(call: Call) -> Response:
    return as_json(Concepts([ConceptName(one.name, one.title, one.topic) for one in concepts.concepts()]))


@OPERATIONS.add("GET", "concepts/{name}", "One word of a course, with what happened here as the example.", Concept)
async def concept(call: Call, name: str) -> Response:
    found = concepts.get(name)
    if found is None:
        raise ProblemError(404, "No such concept", f"There is no concept {name[:60]!r} here.",
                           "concepts lists those there are; explain?word= finds other words.")
    board = call.board
    cast = board.cast_for(call.asker)._asdict()
    where = concepts.places(board.place(call.request), cast)
    trials = [Trial(concepts.filled(trial.command, where), trial.see) for trial in found.trials]
    examples = (await board.archive.newest(Seen(call.asker, parsed(found.filter)), limit=EXAMPLES)).found \
        if found.filter else []
    return as_json(Concept(found.name, found.title, found.text, ", ".join(found.rfc),
                           [trial.command for trial in trials], trials, list(found.related), found.filter,
                           [row(*pair) for pair in examples]))
