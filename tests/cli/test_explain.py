"""`sandbox explain`."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.app import Sandbox
from sandbox.cli import main
from sandbox.datafolder import Folder
from sandbox.explain import entries


def test_one_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "tcp", "rst"]) == 0
    assert capsys.readouterr().out == (
        "RST · Reset  (tcp flag)\n"
        "  RST breaks the connection off at once, or says that there is none.\n"
        "  An RST in answer to a SYN means that nobody listens on that port: connection\n"
        "  refused.\n"
        "  Belongs to tcp.\n"
        "  Defined in RFC 9293 §3.5.2.\n")


@pytest.mark.parametrize("words", [["RST"], ["reset"], ["TCP", "Reset"], ["tcp", "flag", "RST"], ["tcp", "flag.rst"],
                                   ["flag", "rst"]])
def test_many_ways_to_ask(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *words]) == 0
    assert "RST · Reset  (tcp flag)" in capsys.readouterr().out


def test_all_of_a_protocol(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "tcp", "--all"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {entry.term} " in out for entry in entries("tcp"))


def test_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    assert "  tcp: 6 verb" in capsys.readouterr().out


@pytest.mark.parametrize(("words", "says"), [
    (["tcp", "SYNN"], "nothing is known about SYNN in tcp. Did you mean SYN?"),
    (["xyzzy"], "nothing is known about xyzzy. `sandbox explain` lists what is."),
    (["tcp", "xyzzy"], "nothing is known about xyzzy in tcp. `sandbox explain tcp --all` lists what is."),
    (["statuscode"], "Did you mean Status code"),
    (["\x1b[2J"], "nothing is known about \\x1b[2J."),
])
def test_unknown(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *words]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in captured.err


def test_an_idea_comes_before_the_words_of_the_wire(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--data", str(tmp_path), "mx"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("MX  (names)\n  The MX record of a domain")
    assert "    dig +short @127.0.0.1 -p 8053 example.com MX\n" in out
    assert "    sandbox log 'protocol:dns verb:MX'\n" in out
    assert 0 < out.index("Defined in RFC 5321 §5.1") < out.index("(dns verb)")


def test_a_protocol_is_an_idea_with_words_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--data", str(tmp_path), "dns"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("DNS  (names)")
    assert out.endswith("  `sandbox explain dns --all` lists them.\n")


def test_all_meanings_of_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--data", str(tmp_path), "encoding"]) == 0
    out = capsys.readouterr().out
    assert all(f"Encoding ({what})" in out for what in ("of characters", "of mail", "compression"))


def test_a_protocol_and_an_idea(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--data", str(tmp_path), "ftp", "passive", "mode"]) == 0
    assert capsys.readouterr().out.startswith("Passive mode  (files)")


async def test_commands_name_the_sandbox_that_runs(sandbox: Sandbox, tmp_path: Path,
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    with Folder(tmp_path / "data") as folder:
        folder.announce(sandbox.facts())
        assert main(["explain", "--data", str(folder.path), "header"]) == 0
    assert f"http://{sandbox.endpoints['http']}/" in capsys.readouterr().out
