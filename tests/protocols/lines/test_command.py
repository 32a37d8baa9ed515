"""The rows of the command table."""

from __future__ import annotations

import enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.protocols.lines.command import BadArgument, Command, Reply, command


class State(enum.Flag):
    OUTSIDE = 1


@pytest.mark.parametrize(("args", "text", "values"), [
    ("", "", []), ("", "  ", []), ("a", "x ", ["x"]), ("a b", "x  y", ["x", "y"]), ("[a]", "", []),
    ("a...", " x  y ", [" x  y "]), ("a b...", "x  y z", ["x", " y z"]), ("[a...]", "", []),
])
def test_arguments(args: str, text: str, values: list[str]) -> None:
    assert row(args).parse(text, {}) == values


@pytest.mark.parametrize(("args", "text"), [("", "x"), ("a", ""), ("a", "x y"), ("a...", ""), ("a b...", "x")])
def test_wrong_arguments(args: str, text: str) -> None:
    with pytest.raises(BadArgument):
        row(args).parse(text, {})


@given(st.text(st.characters(codec="ascii")), st.sampled_from([0, 1, 2]))
def test_secrets_are_never_shown(text: str, index: int) -> None:
    words = text.split(" ", index)
    shown = row("a...", index).shown(text)
    if len(words) > index and words[index] and words[index] not in " ".join(words[:index]):
        assert words[index] not in shown or words[index] in "********" or words[index] in " ********"


def row(args: str, secret: int | None = None) -> Command:
    method = command("X", states=State.OUTSIDE, args=args, rfc="1", secret=secret)(lambda self: Reply("1"))
    entry = method.__dict__["command"]
    assert isinstance(entry, Command)
    return entry
