"""The architecture's description names what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "architecture.md").read_text()
ROOMS = TEXT.partition("## The rooms")[2].partition("```")[2].partition("```")[0]
OF_EVERY_PROTOCOL = {"grammar.py", "session.py", "service.py", "vocabulary.py"}
IN_A_DATA_FOLDER = {"bodies/", "spaces/NAME"}
NAMED = set(re.findall(r"`((?:[a-z0-9_]+/)+[a-zA-Z0-9_.]*|[a-z0-9_]+\.py)`", TEXT))
OF_A_LEARNER = {"models.py"}
PATHS = sorted(NAMED - OF_EVERY_PROTOCOL - IN_A_DATA_FOLDER - OF_A_LEARNER)


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_is_named_is_there(path: str) -> None:
    assert any((place / path).exists() for place in (ROOT / "sandbox", ROOT / "sandbox" / "protocols", ROOT))


def test_every_room_is_in_the_list() -> None:
    there = {entry.name for entry in (ROOT / "sandbox").iterdir()
             if entry.suffix == ".py" or (entry.is_dir() and any(entry.glob("*.py")))}
    named = {word.rstrip("/") for line in ROOMS.splitlines() for word in re.findall(r"[a-z]+(?:\.py|/)", line[:60])}
    assert there - {"__init__.py", "__main__.py"} <= named


def test_a_type_of_the_table_is_where_it_says() -> None:
    rows = re.findall(r"^\| (`[A-Z][^|]*`) \| (.*?) \|", TEXT.partition("## The types")[2], re.MULTILINE)
    where = ""
    for names, place in rows:
        where = place.strip("`") if place != "the same" else where
        path = ROOT / "sandbox" / where
        code = "".join(file.read_text() for file in ([path] if path.is_file() else path.glob("*.py")))
        for name in re.findall(r"`(\w+)`", names):
            assert f"class {name}" in code, f"{name} is not in {where}"
