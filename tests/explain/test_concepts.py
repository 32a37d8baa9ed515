"""The concepts: what their files hold, and how they are found."""

from __future__ import annotations

import pytest

from sandbox.address import Address
from sandbox.explain.concepts import about, concepts, filled, find, get, parse, places, suggest
from sandbox.explain.knowledge import KnowledgeError


@pytest.mark.parametrize("word", ["status-code", "Status Code", "STATUS CODES", "response code", "status"])
def test_a_concept_is_found_by_any_of_its_names(word: str) -> None:
    assert [concept.name for concept in find(word)] == ["status-code"]
    assert get("status-code") == find(word)[0]


def test_what_is_none() -> None:
    assert find("xyzzy") == find("") == find("s") == []
    assert get("Status code") is None
    assert suggest("statuscode") == ["Status code"]


def test_a_word_of_the_wire_leads_to_its_concepts() -> None:
    assert "status-code" in [concept.name for concept in about("http", "status", "404")]
    assert about("http", "nothing", "404") == []


def test_places_are_those_of_the_sandbox_that_runs() -> None:
    where = places({"dns": Address("::1", 53)}, {"login": "zoe"})
    command = "dig @{dns.host} -p {dns.port}; curl -w '%{http_code}' {http} {login}@{domain} {nobody}"
    assert filled(command, where) == (
        "dig @::1 -p 53; curl -w '%{http_code}' 127.0.0.1:8080 zoe@example.com {nobody}")
    assert places()["https"] == "127.0.0.1:8443"


@pytest.mark.parametrize(("text", "says"), [
    ("[Status]\ntitle = 'x'", "[Status]: expected a name of small letters"),
    ("[a]\ntitle = 'x'", "web.toml: [a]: Object missing required field `text`"),
    ("[a]\ntitle = 'x'\ntext = 'x'\nrfc = []\nrelated = []\nfoo = 1", "unknown field `foo`"),
    ("a = 1", "[a]: Expected `object`"),
    ("[a", "web.toml: "),
])
def test_a_file_that_breaks_the_schema(text: str, says: str) -> None:
    with pytest.raises(KnowledgeError) as caught:
        parse("web", text, "web.toml")
    assert says in str(caught.value)


def test_they_are_kept() -> None:
    assert concepts() is concepts()
