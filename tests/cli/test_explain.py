"""`sandbox explain`."""

from __future__ import annotations

import pytest

from sandbox.cli import main
from sandbox.explain import entries


def test_one_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "tcp", "rst"]) == 0
    assert capsys.readouterr().out == (
        "RST · Reset  (tcp flag)\n"
        "  RST breaks the connection off at once, or says that there is none.\n"
        "  An RST in answer to a SYN means that nobody listens on that port: connection\n"
        "  refused.\n"
        "  Defined in RFC 9293 §3.5.2.\n")


@pytest.mark.parametrize("words", [["RST"], ["reset"], ["TCP", "Reset"], ["tcp", "flag", "RST"], ["tcp", "flag.rst"],
                                   ["flag", "rst"]])
def test_many_ways_to_ask(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *words]) == 0
    assert "RST · Reset  (tcp flag)" in capsys.readouterr().out


def test_all_of_a_protocol(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "tcp"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {entry.term} " in out for entry in entries("tcp"))


def test_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    assert "  tcp: 6 verb" in capsys.readouterr().out


@pytest.mark.parametrize(("words", "says"), [
    (["tcp", "SYNN"], "nothing is known about SYNN in tcp. Did you mean SYN?"),
    (["xyzzy"], "nothing is known about xyzzy. `sandbox explain PROTOCOL` lists what is."),
    (["\x1b[2J"], "nothing is known about \\x1b[2J."),
])
def test_unknown(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *words]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in captured.err
