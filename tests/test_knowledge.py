"""Every protocol explains all it can ask and answer, and nothing else.

What a protocol can ask and answer it says itself, derived from its own tables: `vocabulary()` in
`protocols/NAME/vocabulary.py` gives each kind's terms; one of a family, or the family's name, stands for all of it. A
kind that no table lists completely, such as header fields, is listed there by hand.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from sandbox.explain import Entry, entries, lookup, protocols
from sandbox.explain.sentences import LONGEST_TERM
from sandbox.protocols.contract.registry import PROTOCOLS

NAMES = protocols()
FOLDERS = Path(__file__).parent.parent / "sandbox" / "protocols"
LONGEST_TEXT = 140
RFC = re.compile(r"RFC [1-9][0-9]{0,4}( (§[0-9A-Z]+(\.[0-9]+)*|Appendix [A-Z]))?")
ELSEWHERE = re.compile(r"(draft-[a-z0-9-]+|IANA|WHATWG|W3C|CVE|OpenSSH PROTOCOL)\b.*")
"""For the few things that no RFC defines: who does."""


def vocabulary(protocol: str) -> dict[str, frozenset[str]]:
    module = importlib.import_module(f"sandbox.protocols.{protocol}.vocabulary")
    return {kind: frozenset(terms) for kind, terms in module.vocabulary().items()}


def test_every_protocol_has_knowledge() -> None:
    assert {protocol.name for protocol in PROTOCOLS} <= set(NAMES)


@pytest.mark.parametrize("protocol", NAMES)
def test_every_term_is_explained_and_none_is_unused(protocol: str) -> None:
    found = {f"{kind}.{term}": lookup(protocol, kind, term)
             for kind, terms in vocabulary(protocol).items() for term in terms}
    assert sorted(term for term, entry in found.items() if entry is None) == [], "these have no entry"
    unused = set(entries(protocol)) - set(found.values())
    assert sorted(f"{entry.kind}.{entry.term}" for entry in unused) == [], "these entries explain what cannot happen"


@pytest.mark.parametrize("protocol", NAMES)
def test_every_entry_reads_well(protocol: str) -> None:
    problems = [f"{entry.kind}.{entry.term}: {problem}" for entry in entries(protocol) for problem in faults(entry)]
    assert problems == []


@pytest.mark.parametrize("protocol", NAMES)
def test_no_two_entries_say_the_same(protocol: str) -> None:
    texts = [entry.text.casefold() for entry in entries(protocol)]
    assert sorted(text for text in set(texts) if texts.count(text) > 1) == []


def faults(entry: Entry) -> list[str]:
    found = []
    for name, text in (("text", entry.text), ("more", entry.more), ("name", entry.name)):
        if text != " ".join(text.split()) or not text.isprintable():
            found.append(f"{name}: single spaces and visible characters only")
        if name != "name" and text and not re.search(r"[.!?][\")]?$", text):
            found.append(f"{name}: ends without a full stop")
    if not 1 <= len(re.findall(r"[.!?](?= [A-Z]|$)", entry.text)) <= 2:
        found.append("text: one sentence, or two")
    if len(entry.term) >= LONGEST_TERM:
        found.append(f"term: {len(entry.term)} characters; it would not be found")
    if len(entry.text) > LONGEST_TEXT:
        found.append(f"text: {len(entry.text)} characters, more than {LONGEST_TEXT}")
    if not (all(map(RFC.fullmatch, entry.rfc.split(", "))) or ELSEWHERE.fullmatch(entry.rfc)):
        found.append(f"rfc: {entry.rfc!r} is not like 'RFC 9110 §15.5.5'")
    return found


@pytest.mark.parametrize(("field", "value", "problem"), [
    ("text", "No full stop", "ends without"), ("text", "One. Two. Three.", "one sentence"),
    ("text", "Too  many spaces.", "single spaces"), ("text", "x" * 150 + ".", "151 characters"),
    ("rfc", "rfc9110", "is not like"), ("rfc", "", "is not like"), ("more", "No full stop", "ends without"),
])
def test_faults_are_seen(field: str, value: str, problem: str) -> None:
    good = Entry("http", "verb", "GET", "", "GET asks for a copy.", "", "RFC 9110 §9.3.1")
    assert faults(good) == []
    assert any(problem in fault for fault in faults(good._replace(**{field: value})))


@pytest.mark.parametrize("readme", sorted(FOLDERS.glob("*/README.md")), ids=lambda path: path.parent.name)
def test_every_test_named_in_a_readme_exists(readme: Path) -> None:
    root = FOLDERS.parent.parent
    named = re.findall(r"`(tests/[\w/.-]+\.py)(?:::(\w+))?`", readme.read_text(encoding="utf-8"))
    assert named, "a README names the tests that show what it says"
    assert [f"{file}::{name}" for file, name in named if not has_test(root / file, name)] == []


def has_test(file: Path, name: str) -> bool:
    if not file.is_file():
        return False
    return not name or bool(re.search(rf"^\s*(async )?def {name}\(", file.read_text(encoding="utf-8"), re.MULTILINE))
