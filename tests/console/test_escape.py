"""Nothing a client sends reaches the terminal as anything but visible characters."""

from __future__ import annotations

import unicodedata
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.console.escape import cells, escape, shorten

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
"""Lone surrogates too: that is how bytes that are no UTF-8 come along."""

DANGEROUS = [*range(0x20), *range(0x7F, 0xA0), 0xAD, 0x61C, *range(0x200B, 0x2010), *range(0x2028, 0x202F),
             *range(0x2060, 0x2070), 0xFEFF, 0x3164, 0xE0001, 0xFFF9, 0xD800, 0x10FFFF, 0x0378]


@pytest.mark.parametrize(("text", "shown"), [
    ("/index.html", "/index.html"),
    ("", ""),
    ("Größe 日本語 ñ", "Größe 日本語 ñ"),
    ("हिन्दी", "हिन्दी"),
    ("\x1b[2J\x1b]0;owned\x07", "\\x1b[2J\\x1b]0;owned\\x07"),
    ("a\r\nb\tc", "a\\r\\nb\\tc"),
    ("\\x1b", "\\\\x1b"),
    ("(\\Seen \\Deleted)", "(\\Seen \\Deleted)"),
    ("\\\n", "\\\\\\n"),
    ("\\\\Seen", "\\\\\\Seen"),
    ("C:\\", "C:\\\\"),
    ("\x9b31m", "\\x9b31m"),
    ("user\u202emoc.exe", "user\\u202emoc.exe"),
    ("zero\u200bwidth", "zero\\u200bwidth"),
    ("e\u0301\u0301\u0301\u0301", "e\u0301\u0301\\u0301\\u0301"),
    ("\u0301", "\\u0301"),
    ("\udcff", "\\udcff"),
    ("\U000e0041", "\\U000e0041"),
    ("no\u00a0break", "no\\xa0break"),
])
def test_escape(text: str, shown: str) -> None:
    assert escape(text) == shown


@pytest.mark.parametrize("code", DANGEROUS, ids=hex)
def test_every_dangerous_character_is_escaped(code: int) -> None:
    assert chr(code) not in escape(f"a{chr(code)}b")
    assert escape(f"a{chr(code)}b").isprintable()


@given(ANY_TEXT)
def test_what_is_shown_is_one_line_of_visible_characters(text: str) -> None:
    shown = escape(text)
    assert shown.isprintable()
    assert not any(unicodedata.bidirectional(character) in
                   ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI") for character in shown)
    shown.encode("utf-8")


@given(ANY_TEXT, ANY_TEXT)
def test_different_texts_look_different(one: str, other: str) -> None:
    assert (escape(one) == escape(other)) == (one == other)


def test_backslashes_hide_nothing() -> None:
    texts = ["".join(text) for size in range(6) for text in product("\\n\n\x01x01", repeat=size)]
    assert len({escape(text) for text in texts}) == len(set(texts))


@given(ANY_TEXT, st.integers(0, 40))
def test_shorten_keeps_to_its_width(text: str, width: int) -> None:
    short = shorten(escape(text), width)
    assert cells(short) <= width
    if cells(escape(text)) <= width and len(escape(text)) <= width:
        assert short == escape(text)


def test_wide_characters_count_twice() -> None:
    assert cells("日本") == 4
    assert cells("e\u0301") == 1
    assert shorten("日本語日本語", 6) == "日本…"
