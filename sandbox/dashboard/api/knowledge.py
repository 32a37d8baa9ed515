"""What words mean: the entries behind each sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

import msgspec

from sandbox.dashboard.access import Seen
from sandbox.dashboard.answers import ProblemError, as_json
from sandbox.dashboard.api.exchanges import find as find_exchange
from sandbox.dashboard.api.exchanges import parsed
from sandbox.dashboard.operations import Call, Operations, Query
from sandbox.explain import concepts
from sandbox.explain.knowledge import Entry, entries, find, lookup, suggest
from sandbox.explain.rows import Row, row
from sandbox.filter import Filter, parse
from sandbox.journal.records import Exchange, Session
from sandbox.protocols.http.messages import Response

__all__ = ["OPERATIONS"]

OPERATIONS = Operations()
EXAMPLES = 5
"""Exchanges that show a concept."""
WORDS = 200
"""Entries that belong to a concept, at most."""
SHOWN = 8
"""Concepts of one exchange."""
NARROW = re.compile(r"\b(verb|service|protocol|path):")


class ConceptName(msgspec.Struct):
    """topic: what it is about, such as web."""

    name: str
    title: str
    topic: str


class Explained(msgspec.Struct):
    """key: protocol:kind.term; title: its name; text: what it means; more: what else there is to know; concepts: the
    words of a course that it belongs to."""

    key: str
    title: str
    text: str
    more: str
    rfc: str
    concepts: list[ConceptName]


class Word(msgspec.Struct):
    """An entry without its text."""

    key: str
    title: str


class Concepts(msgspec.Struct):
    concepts: list[ConceptName]


class Trial(msgspec.Struct):
    """see: what to look at, "" for nothing."""

    command: str
    see: str


class Concept(msgspec.Struct):
    """A word of a course. also: other names of it; commands: to try, trials: the same with what to look at; related:
    other concepts by name; entries: the words of the wire that belong to it; filter: what shows it, "" where a
    journal has nothing of it; examples: the latest exchanges that do."""

    name: str
    title: str
    also: list[str]
    text: str
    rfc: str
    commands: list[str]
    trials: list[Trial]
    related: list[str]
    entries: list[Word]
    filter: str
    examples: list[Row]


class Explanations(msgspec.Struct):
    """concepts: words of a course that it may be, near: words that look like it."""

    entries: list[Explained]
    concepts: list[ConceptName]
    near: list[str]


def explained(entry: Entry) -> Explained:
    word = named(entry)
    return Explained(word.key, word.title, entry.text, entry.more, entry.rfc,
                     names(concepts.about(entry.protocol, entry.kind, entry.term)))


def named(entry: Entry) -> Word:
    title = f"{entry.term}: {entry.name}" if entry.name and entry.name != entry.term else entry.term
    return Word(f"{entry.protocol}:{entry.kind}.{entry.term}", title)


def names(some: Iterable[concepts.Concept]) -> list[ConceptName]:
    return [ConceptName(one.name, one.title, one.topic) for one in some]


def words(keys: Iterable[str]) -> list[Word]:
    """The entries that keys name: a whole kind, "smtp:verb", or one, "smtp:verb.AUTH"."""
    found: dict[str, Word] = {}
    for key in keys:
        protocol, _, rest = key.partition(":")
        kind, _, term = rest.partition(".")
        for entry in entries(protocol):
            if entry.kind == kind and term in ("", entry.term):
                word = named(entry)
                found[word.key] = word
    return list(found.values())[:WORDS]


def shown_by(session: Session, exchange: Exchange) -> list[concepts.Concept]:
    """The concepts of which an exchange is an example, the most telling first: those that name its very words, then
    their kind, then those that look for something of its protocol."""
    owner, _, key = exchange.key.rpartition(":")
    own = {f"{owner or session.protocol}:{key}"} | {named(one).key for one in entries(session.protocol)
                                                    if one.term in (exchange.verb, exchange.outcome)}
    kinds = {word.partition(".")[0] for word in own}
    found = [one for one in concepts.concepts() if own & set(one.entries) or (
        one.filter and matcher(one.filter).matches(session, exchange))]
    return sorted(found, key=lambda one: (not own & set(one.entries), not kinds & set(one.entries),
                                          not NARROW.search(one.filter), -len(one.filter)))


@cache
def matcher(text: str) -> Filter:
    return parse(text)


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
                                names(concepts.find(word)),
                                list(dict.fromkeys([*suggest("", word), *concepts.suggest(word)]))))


@OPERATIONS.add("GET", "concepts", "The words of a networking course that are explained here.", Concepts,
                Query("exchange", "Only those that this exchange is an example of, the most telling first.", "1",
                      kind="integer"))
async def every(call: Call) -> Response:
    number = call.query.text("exchange")
    if not number:
        return as_json(Concepts(names(concepts.concepts())))
    return as_json(Concepts(names(shown_by(*await find_exchange(call, number))[:SHOWN])))


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
    return as_json(Concept(found.name, found.title, list(found.also), found.text, ", ".join(found.rfc),
                           [trial.command for trial in trials], trials, list(found.related), words(found.entries),
                           found.filter, [row(*pair) for pair in examples]))
