"""Loading the knowledge files, and finding an entry by what a person or a record calls it.

Files are read when their protocol is first asked about, and kept. A file that breaks the schema raises
`KnowledgeError` with file, entry and what was expected; `tests/test_knowledge.py` keeps that from reaching anyone.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

import msgspec

__all__ = ["Entry", "KnowledgeError", "entries", "find", "lookup", "parse", "protocols", "suggest"]


class KnowledgeError(ValueError):
    """A knowledge file that does not keep the schema."""


class Entry(NamedTuple):
    """What is known about one term. name and more are "" where the file has none."""

    protocol: str
    kind: str
    term: str
    name: str
    text: str
    more: str
    rfc: str


class _Item(msgspec.Struct, forbid_unknown_fields=True):
    """An entry as it stands in a file."""

    text: str
    rfc: str
    name: str = ""
    more: str = ""


Kinds = dict[str, dict[str, Entry]]

FAMILY_CODE = re.compile(r"([1-9])[0-9][0-9]")
FAMILY_WORD = re.compile(r"([A-Z]+)[0-9]+")


def protocols() -> tuple[str, ...]:
    """The names of all protocols that have a knowledge file, sorted."""
    return tuple(sorted(_knowledge_files()))


def entries(protocol: str) -> Iterator[Entry]:
    """Every entry of a protocol, in the order of its file; none for a protocol without knowledge."""
    for terms in _load(protocol).values():
        yield from terms.values()


def lookup(protocol: str, kind: str, term: str) -> Entry | None:
    """The entry of exactly this kind and term, or of the family the term belongs to."""
    terms = _load(protocol).get(kind, {})
    for candidate in (term, *_families(term)):
        if candidate in terms:
            return terms[candidate]
    return None


def find(protocol: str, term: str) -> list[Entry]:
    """All entries a person may mean by `term`: a term, a long name, or "kind.term", in any case.

    protocol: "" for all of them. A term that is not listed finds its family (418 gives 4xx). Empty when unknown:
    see `suggest`.
    """
    wanted = " ".join(term.split()).casefold()
    if not wanted:
        return []
    known = [entry for name in ([protocol] if protocol else protocols()) for entry in entries(name)]
    found = [entry for entry in known
             if wanted in (entry.term.casefold(), entry.name.casefold(), f"{entry.kind}.{entry.term}".casefold())]
    if found:
        return found
    families = [family for family in _families(wanted.upper()) if family != "other"]
    return [entry for entry in known if entry.term in families]


def suggest(protocol: str, term: str, count: int = 5) -> list[str]:
    """Terms that look like `term`, nearest first: "did you mean". protocol: "" for all of them."""
    words: dict[str, str] = {}
    for name in [protocol] if protocol else protocols():
        for entry in entries(name):
            words.setdefault(entry.term.casefold(), entry.term)
            if entry.name:
                words.setdefault(entry.name.casefold(), entry.term)
    near = difflib.get_close_matches(term.casefold()[:100], words, n=count, cutoff=0.6)
    return list(dict.fromkeys(words[word] for word in near))


def parse(protocol: str, text: str, source: str) -> Kinds:
    """The entries of one knowledge file by kind and term. source: its name in errors. Raises KnowledgeError."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(f"{source}: {error}") from None
    kinds: Kinds = {}
    for kind, terms in tables.items():
        if not isinstance(terms, dict):
            raise KnowledgeError(f"{source}: {kind}: expected a table of entries such as [{kind}.TERM]")
        kinds[kind] = {}
        for term, value in terms.items():
            try:
                item = msgspec.convert(value, _Item)
            except msgspec.ValidationError as error:
                raise KnowledgeError(f"{source}: [{kind}.{term}]: {error}") from None
            kinds[kind][term] = Entry(protocol, kind, term, item.name, item.text, item.more, item.rfc)
    return kinds


def _families(term: str) -> Iterator[str]:
    if match := FAMILY_CODE.fullmatch(term):
        yield f"{match[1]}xx"
    if match := FAMILY_WORD.fullmatch(term):
        yield match[1]
    yield "other"


@cache
def _knowledge_files() -> dict[str, Traversable]:
    return {folder.name: file for folder in files("sandbox.protocols").iterdir()
            if folder.is_dir() and (file := folder / "knowledge.toml").is_file()}


@cache
def _load_known(protocol: str) -> Kinds:
    file = _knowledge_files()[protocol]
    return parse(protocol, file.read_text(encoding="utf-8"), f"protocols/{protocol}/knowledge.toml")


def _load(protocol: str) -> Kinds:
    # Only names of files that exist reach the cache, so a caller's typing errors cannot grow it.
    return _load_known(protocol) if protocol in _knowledge_files() else {}
