"""Reading TOML: where a fault is, what is said about it, and that nothing but a TomlError comes out."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.toml import TomlError, dotted, find_line, literal, nearest, parse, read_text

TEXT = '''\
top = 1
list = [
    1,
]
dotted.key = 2
"quoted.key" = 3

[table]
inner = 4
records = """
inner = "only text, no key"
"""
after = 5

[[item]]
name = "first"

[[item]]
name = "second"
[item.sub]
deep = 6

[ spaced . out ]
key=7
'''


@pytest.mark.parametrize(("path", "line"), [
    (("top",), 1),
    (("list", 0), 2),
    (("dotted", "key"), 5),
    (("quoted.key",), 6),
    (("table",), 8),
    (("table", "inner"), 9),
    (("table", "after"), 13),
    (("table", "missing"), 8),
    (("item", 0, "name"), 16),
    (("item", 1, "name"), 19),
    (("item", 1, "sub", "deep"), 21),
    (("spaced", "out", "key"), 24),
    (("nowhere",), 0),
])
def test_line_of_a_key(path: tuple[str | int, ...], line: int) -> None:
    tomllib.loads(TEXT)
    assert find_line(TEXT, path) == line


def test_dotted_paths_count_from_one_and_quote_odd_keys() -> None:
    assert dotted(("domain", 1, "hosts", 0)) == "domain[2].hosts[1]"
    assert dotted(("people", "a.b")) == 'people."a.b"'


@pytest.mark.parametrize(("text", "line", "words"), [
    ("a = \n", 1, "column"),
    ("a = 1\nb = [\n", 3, ""),
    ("a = 1\na = 2\n", 2, "overwrite"),
    ("a = 2020-99-99\n", 1, ""),
    ("a = " + "9" * 5000, 0, ""),
    ("a = " + "[" * 50_000, 0, "nested"),
    ("a = \x00", 1, ""),
])
def test_bad_toml_is_one_error(text: str, line: int, words: str) -> None:
    with pytest.raises(TomlError) as caught:
        parse(text, "some.toml", TomlError)
    assert caught.value.line == line
    assert words in caught.value.found
    assert str(caught.value).startswith("some.toml")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TomlError, match="no such file"):
        read_text(tmp_path / "missing.toml", TomlError)
    with pytest.raises(TomlError, match="a folder"):
        read_text(tmp_path, TomlError)
    with pytest.raises(TomlError, match="cannot be read"):
        read_text(Path("nul\0byte"), TomlError)
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"a = 1\nname = 'caf\xe9'\n")
    with pytest.raises(TomlError, match="UTF-8") as caught:
        read_text(latin, TomlError)
    assert caught.value.line == 2


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "notepad.toml"
    file.write_bytes(b"\xef\xbb\xbfa = 1\n")
    assert parse(read_text(file, TomlError), "notepad.toml", TomlError) == {"a": 1}


VALUES = st.recursive(
    st.booleans() | st.integers(-2**63, 2**63 - 1) | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3), max_leaves=8)


@given(VALUES)
@settings(max_examples=100)
def test_literals_are_read_back(value: object) -> None:
    assert tomllib.loads(f"x = {literal(value)}") == {"x": value}


@given(st.text(max_size=60), st.lists(st.text(max_size=5) | st.integers(0, 3), max_size=4))
@settings(max_examples=100)
def test_any_text_can_be_searched(text: str, path: list[str | int]) -> None:
    assert 0 <= find_line(text, tuple(path)) <= text.count("\n") + 1


def test_nearest_says_nothing_when_nothing_is_near() -> None:
    assert nearest("limts", ["limits", "dns"]) == "Did you mean limits?"
    assert nearest("zebra", ["limits", "dns"]) == ""
