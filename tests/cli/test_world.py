"""sandbox world"""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.cli import main
from sandbox.world import World


def test_it_lists_domains_people_and_sites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["world", "--ephemeral"]) == 0
    out = capsys.readouterr().out
    for word in ("example.com", "alice", "wonderland", "httpbin.*"):
        assert word in out


def test_it_shows_what_changed_while_the_sandbox_ran(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = World.load(None, tmp_path)
    world.accounts.add("dora", "vans")
    world.close()
    assert main(["world", "--data", str(tmp_path)]) == 0
    assert "dora" in capsys.readouterr().out


def test_looking_makes_no_folder(tmp_path: Path) -> None:
    assert main(["world", "--data", str(tmp_path / "none")]) == 0
    assert not (tmp_path / "none").exists()


def test_checking_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "my.toml"
    file.write_text('extends = "nothing"\n[[domain]]\nname = "a.test"\n[people.zoe]\npassword = "x"\n')
    assert main(["world", "--check", str(file)]) == 0
    assert capsys.readouterr().out == f"{file} is right: 1 domain, 1 person, 0 sites, 0 letters.\n"
    file.write_text('[[domain]]\nname = "a.test"\nrecords = """\nwww A nowhere\n"""\n')
    assert main(["world", "--check", str(file)]) == 2
    assert f"{file}, line 4" in capsys.readouterr().err
