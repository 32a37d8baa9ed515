"""What words mean: the entries behind each sentence."""

from __future__ import annotations

import msgspec

from sandbox.dashboard.answers import ProblemError, as_json
from sandbox.dashboard.operations import Call, Operations, Query
from sandbox.explain.knowledge import Entry, find, lookup, suggest
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
