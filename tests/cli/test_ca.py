"""`sandbox ca` prints what a client needs, and errors that say what to do."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from sandbox.cli import ca, main
from sandbox.pki.authority import Authority
from sandbox.pki.trust import guides


def run(*words: str) -> int:
    return main(["ca", *words])


def test_prints_path_fingerprint_and_every_client(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--data", str(tmp_path)) == 0
    printed = capsys.readouterr().out
    authority = Authority.open(tmp_path / "ca")
    for expected in (str(tmp_path / "ca" / "ca.pem"), authority.fingerprint, authority.spki_hash, authority.name):
        assert expected in printed
    for client in ("Firefox", "Chromium", "Thunderbird", "curl", "Python", "Node", "Java", "Debian", "macOS",
                   "Windows"):
        assert f"\n{client}" in printed


def test_one_client(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--data", str(tmp_path), "--for", "curl") == 0
    printed = capsys.readouterr().out
    assert f"--cacert {tmp_path}/ca/ca.pem" in printed
    assert "Firefox" not in printed


def test_the_path_alone_for_scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--data", str(tmp_path), "--path") == 0
    assert capsys.readouterr().out == f"{tmp_path}/ca/ca.pem\n"


def test_an_unknown_client_is_told_the_known_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--data", str(tmp_path), "--for", "lynx") == 2
    assert "firefox, chromium" in capsys.readouterr().err


def test_a_damaged_authority_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ca").mkdir()
    (tmp_path / "ca" / "ca.pem").write_text("rubbish")
    assert run("--data", str(tmp_path)) == 2
    assert "Remove the folder" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert run("--data", str(tmp_path / "file")) == 2
    assert "--data" in capsys.readouterr().err


def test_the_help_lists_every_client() -> None:
    parser = argparse.ArgumentParser()
    ca.add(parser)
    assert ", ".join(guide.key for guide in guides("f", "n", "s")) in " ".join(parser.format_help().split())
