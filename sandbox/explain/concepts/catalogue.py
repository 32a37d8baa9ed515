"""Loading the concepts, and finding one by what a person calls it."""

from __future__ import annotations

import difflib
import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec

from sandbox.explain.knowledge import KnowledgeError

__all__ = ["Concept", "Trial", "about", "concepts", "find", "get", "parse", "suggest"]

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Trial(NamedTuple):
    """Something to try. command: for a shell, with places to be filled in; see: what to look at; status: that the
    command ends with, where failing is the lesson."""

    command: str
    see: str
    status: int = 0


class Concept(NamedTuple):
    """One concept. name: as in an address, "status-code"; topic: the name of its file; the rest as in the files."""

    name: str
    topic: str
    title: str
    text: str
    also: tuple[str, ...]
    trials: tuple[Trial, ...]
    rfc: tuple[str, ...]
    related: tuple[str, ...]
    entries: tuple[str, ...]
    filter: str


class _Trial(msgspec.Struct, forbid_unknown_fields=True):
    command: str
    see: str
    status: int = 0


class _Item(msgspec.Struct, forbid_unknown_fields=True):
    """A concept as it stands in a file."""

    title: str
    text: str
    rfc: tuple[str, ...]
    related: tuple[str, ...]
    also: tuple[str, ...] = ()
    trials: tuple[_Trial, ...] = msgspec.field(default=(), name="try")
    entries: tuple[str, ...] = ()
    filter: str = ""


@cache
def concepts() -> tuple[Concept, ...]:
    """All of them, by topic in the order of the files' names, and as they stand in the file."""
    found = sorted((file.name, file) for file in files(__package__).iterdir() if file.name.endswith(".toml"))
    return tuple(concept for name, file in found for concept in parse(
        name.removesuffix(".toml"), file.read_text(encoding="utf-8"), f"explain/concepts/{name}"))


def get(name: str) -> Concept | None:
    """The concept of exactly this name, "status-code"."""
    return next((concept for concept in concepts() if concept.name == name), None)


def find(word: str) -> list[Concept]:
    """All concepts a person may mean by `word`: a name, a title or another name, in any case, with or without
    hyphens, in the plural too. Empty when unknown: see `suggest`."""
    wanted = _plain(word)
    for candidate in dict.fromkeys((wanted, wanted.removesuffix("s"), wanted.removesuffix("es"),
                                    f"{wanted.removesuffix('ies')}y" if wanted.endswith("ies") else wanted)):
        if candidate and (found := [concept for concept in concepts() if candidate in _names(concept)]):
            return found
    return []


def about(protocol: str, kind: str, term: str) -> list[Concept]:
    """The concepts that a word of the knowledge belongs to, those that name it itself first."""
    own, whole = f"{protocol}:{kind}.{term}", f"{protocol}:{kind}"
    return [*(concept for concept in concepts() if own in concept.entries),
            *(concept for concept in concepts() if whole in concept.entries and own not in concept.entries)]


def suggest(word: str, count: int = 5) -> list[str]:
    """Titles of concepts that look like `word`, nearest first."""
    titles: dict[str, str] = {}
    for concept in concepts():
        for name in _names(concept):
            titles.setdefault(name, concept.title)
    near = difflib.get_close_matches(_plain(word)[:100], titles, n=count, cutoff=0.6)
    return list(dict.fromkeys(titles[name] for name in near))


def parse(topic: str, text: str, source: str) -> tuple[Concept, ...]:
    """The concepts of one file. source: its name in errors. Raises KnowledgeError."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(f"{source}: {error}") from None
    found = []
    for name, value in tables.items():
        if not NAME.fullmatch(name):
            raise KnowledgeError(f"{source}: [{name}]: expected a name of small letters, digits and hyphens")
        try:
            item = msgspec.convert(value, _Item)
        except msgspec.ValidationError as error:
            raise KnowledgeError(f"{source}: [{name}]: {error}") from None
        trials = tuple(Trial(trial.command, trial.see, trial.status) for trial in item.trials)
        found.append(Concept(name, topic, item.title, " ".join(item.text.split()), item.also, trials, item.rfc,
                             item.related, item.entries, item.filter))
    return tuple(found)


def _plain(word: str) -> str:
    return " ".join(word.casefold().replace("-", " ").replace("_", " ").split())


def _names(concept: Concept) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(_plain, (concept.name, concept.title, *concept.also))))
