"""What words mean: the entries behind each sentence."""

from __future__ import annotations

import msgspec

from sandbox.dashboard.answers import ProblemError, as_json
from sandbox.dashboard.operations import Call, Operations, Query
from sandbox.dashboard.rows import Row
from sandbox.explain.knowledge import Entry, entries, find, lookup, protocols, suggest
from sandbox.protocols.http.messages import Response

__all__ = ["OPERATIONS"]

OPERATIONS = Operations()


class Explained(msgspec.Struct):
    """key: protocol:kind.term; title: its name; text: what it means; more: what else there is to know."""

    key: str
    title: str
    text: str
    more: str
    rfc: str


class ConceptName(msgspec.Struct):
    name: str
    title: str


class Concepts(msgspec.Struct):
    concepts: list[ConceptName]


class Concept(msgspec.Struct):
    """A word of a course. commands: to try; related: other concepts by name; filter: what shows it, examples: the
    latest exchanges that do."""

    name: str
    title: str
    text: str
    rfc: str
    commands: list[str]
    related: list[str]
    filter: str
    examples: list[Row]


class Explanations(msgspec.Struct):
    entries: list[Explained]
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
    return as_json(Explanations([explained(entry) for entry in find("", word)], suggest("", word)))


@OPERATIONS.add("GET", "concepts", "The words of a networking course that are explained here.", Concepts)
async def concepts(call: Call) -> Response:
    return as_json(Concepts([ConceptName(entry.term, entry.name or entry.term) for entry in every_concept()]))


@OPERATIONS.add("GET", "concepts/{name}", "One word of a course, with what happened here as the example.", Concept)
async def concept(call: Call, name: str) -> Response:
    entry = next((entry for entry in every_concept() if entry.term == name), None)
    if entry is None:
        raise ProblemError(404, "No such concept", f"There is no concept {name[:60]!r} here.",
                           "concepts lists those there are; explain?word= finds other words.")
    return as_json(Concept(entry.term, entry.name or entry.term, "\n\n".join(filter(None, (entry.text, entry.more))),
                           entry.rfc, [], [], "", []))


def every_concept() -> list[Entry]:
    return [entry for protocol in protocols() for entry in entries(protocol) if entry.kind == "concept"]
