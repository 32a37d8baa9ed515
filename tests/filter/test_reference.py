"""docs/reference/filter.md has every key as it is, and every example on it is a filter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox.filter import KEYS, parse
from sandbox.filter.grammar import DEPTH, LENGTH, TERMS
from sandbox.filter.keys import ALIASES, OWN
from sandbox.journal.traits import TRAITS
from tests.support.records import exchange, session

PAGE = (Path(__file__).parent.parent.parent / "docs" / "reference" / "filter.md").read_text()
SNIPPETS = [text for text in re.findall(r"`([^`\n]+)`", PAGE)
            if re.match(r"-?\(?[a-z-]+:", text) and not text.endswith(":")]


def test_the_page_has_every_key() -> None:
    rows = re.findall(r"^\| `([a-z]+):` \| `(.+)` \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(key.name, key.example, key.meaning) for key in OWN]
    assert all(f"`{alias}:`" in PAGE for alias in ALIASES)


def test_the_page_has_every_word_of_is() -> None:
    rows = re.findall(r"^\| `is:([a-z]+)` \| ([^,:|]+)", PAGE, re.MULTILINE)
    assert [(word, clause.strip()) for word, clause in rows] == [(name, trait.meaning)
                                                                for name, trait in TRAITS.items()]


def test_the_page_has_the_limits() -> None:
    assert f"at most {LENGTH:,} characters, {TERMS} terms, and {DEPTH} brackets" in PAGE


def test_there_are_examples() -> None:
    assert len(SNIPPETS) > 40


@pytest.mark.parametrize("text", [*dict.fromkeys(SNIPPETS), *re.findall(r"^```\n(.+)\n```$", PAGE, re.MULTILINE)])
def test_each_example_on_the_page_is_a_filter(text: str) -> None:
    found = parse(text)
    found.matches(session(), exchange())
    assert parse(str(found)).words() == found.words()


@pytest.mark.parametrize("key", KEYS.values(), ids=list(KEYS))
def test_each_key_explains_itself(key: object) -> None:
    assert isinstance(key, tuple)
    name, meaning, example, *_ = key
    assert meaning.endswith(".")
    assert example.startswith(f"{name}:")
    assert parse(example).words().startswith("Exchanges ")
