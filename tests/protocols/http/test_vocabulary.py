"""The vocabulary lists what the code can say, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

import sandbox.protocols.http as http
from sandbox.protocols.http.vocabulary import FIELDS, SITUATIONS


def test_situations_are_those_in_the_code() -> None:
    sources = "".join(path.read_text() for path in Path(http.__path__[0]).rglob("*.py"))
    assert set(re.findall(r'"situation\.([a-z0-9-]+)"', sources)) == SITUATIONS


def test_fields_are_in_lower_case() -> None:
    assert {field.lower() for field in FIELDS} == FIELDS
