"""What the terminal wants."""

from __future__ import annotations

import io

import pytest

from sandbox.console.terminal import look


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "color", "environment", "expected"), [
    (Terminal(), "auto", {}, True),
    (Terminal(), "auto", {"NO_COLOR": "1"}, False),
    (Terminal(), "auto", {"NO_COLOR": ""}, True),  # no-color.org: only when not empty
    (Terminal(), "auto", {"TERM": "dumb"}, False),
    (Terminal(), "always", {"NO_COLOR": "1"}, True),
    (Terminal(), "never", {}, False),
    (io.StringIO(), "auto", {}, False),
    (io.StringIO(), "always", {}, True),
])
def test_colours(stream: io.StringIO, color: str, environment: dict[str, str], expected: bool) -> None:
    assert look(stream, color, environment).color is expected


def test_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "97")
    assert look(Terminal(), "auto", {}).width == 97
    assert look(io.StringIO(), "auto", {}).width == 0
