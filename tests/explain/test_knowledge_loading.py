"""Reading knowledge files, and finding what a person means."""

from __future__ import annotations

import pytest

from sandbox.explain import KnowledgeError, entries, find, lookup, suggest
from sandbox.explain.knowledge import parse


@pytest.mark.parametrize(("text", "complaint"), [
    ("[verb.GET]\ntext = 'x.'\n", r"f.toml: \[verb.GET\]: Object missing required field `rfc`"),
    ("[verb.GET]\ntext = 1\nrfc = 'RFC 1'\n", r"f.toml: \[verb.GET\]: Expected `str`, got `int` - at `\$.text`"),
    ("[verb.GET]\ntext = 'x.'\nrfc = 'RFC 1'\ntxet = ''\n", r"\[verb.GET\]: Object contains unknown field `txet`"),
    ("[verb]\nGET = 'x'\n", r"\[verb.GET\]: Expected `object`, got `str`"),
    ("verb = 'x'\n", r"f.toml: verb: expected a table of entries such as \[verb.TERM\]"),
    ("[verb.GET\n", r"f.toml: .*line 1"),
    ("[a.b]\ntext='x.'\nrfc='RFC 1'\n[a.b]\n", r"f.toml: .*line 4"),
])
def test_a_bad_file_says_what_is_wrong_and_where(text: str, complaint: str) -> None:
    with pytest.raises(KnowledgeError, match=complaint):
        parse("x", text, "f.toml")


def test_families_stand_for_what_is_not_listed() -> None:
    kinds = parse("x", "\n".join(f"[{name}]\ntext = 'x.'\nrfc = 'RFC 1'" for name in (
        "status.404", "status.4xx", "type.TYPE", "type.other")), "f.toml")
    assert set(kinds) == {"status", "type"}
    assert kinds["status"]["404"].protocol == "x"


@pytest.mark.parametrize("term", ["rst", "RST", "Reset", " reset ", "flag.rst"])
def test_find_in_any_case_by_term_name_and_kind(term: str) -> None:
    assert [entry.term for entry in find("tcp", term)] == ["RST"]
    assert "RST" in [entry.term for entry in find("", term)]


def test_find_knows_every_entry_there_is() -> None:
    for entry in entries("tcp"):
        assert entry in find("tcp", entry.term)


@pytest.mark.parametrize("term", ["", " ", "xyzzy", "other", "x" * 100_000])
def test_find_nothing(term: str) -> None:
    assert find("tcp", term) == []
    assert find("no-such-protocol", term) == []


def test_did_you_mean() -> None:
    assert suggest("tcp", "chargn")[0] == "chargen"
    assert suggest("tcp", "congestion windw")[0] == "cwnd"
    assert suggest("tcp", "xyzzy") == []


def test_lookup_is_exact() -> None:
    assert lookup("tcp", "verb", "echo") is not None
    assert lookup("tcp", "verb", "ECHO") is None
    assert lookup("no-such-protocol", "verb", "echo") is None
