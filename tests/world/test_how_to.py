"""The how-to page agrees with what world files can say, and its examples work."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import msgspec.inspect
import pytest

from sandbox.world.files.layout import Files
from sandbox.world.load import load_beginning
from sandbox.world.schema import DomainTable, MailTable, PersonTable, SiteTable, WorldFile
from sandbox.world.sites import BUILTINS

PAGE = (Path(__file__).parent.parent.parent / "docs" / "how-to" / "write-a-world.md").read_text()
SECTIONS = {part.split("\n")[0]: part for part in PAGE.split("\n## ")[1:]}


@pytest.mark.parametrize(("title", "table"), [
    ("Domains: `[[domain]]`", DomainTable),
    ("People: `[people.LOGIN]`", PersonTable),
    ("Websites: `[[site]]`", SiteTable),
    ("Letters: `[[mail]]`", MailTable),
])
def test_each_table_lists_its_keys(title: str, table: type[msgspec.Struct]) -> None:
    listed = re.findall(r"^\| `(\w+)` \|", SECTIONS[title], re.MULTILINE)
    assert sorted(listed) == sorted(table.__struct_encode_fields__)


def test_every_table_has_a_section() -> None:
    for name in WorldFile.__struct_fields__:
        assert f"{name}" in PAGE


def test_every_builtin_is_named() -> None:
    for name in BUILTINS:
        assert f"`{name}`" in SECTIONS["Websites: `[[site]]`"]


@pytest.mark.parametrize("example", re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
def test_examples_load(example: str, tmp_path: Path) -> None:
    file = tmp_path / "example.toml"
    people = "" if "[people.mei]" in example else '[people.mei]\npassword = "oolong"\n'
    file.write_text(example + people)
    assert load_beginning(file, Files(tmp_path)).domains
