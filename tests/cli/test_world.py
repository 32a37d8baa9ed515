"""sandbox world"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sandbox.cli import main
from sandbox.world import World
from sandbox.world.sites import SiteSpec


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


@pytest.mark.parametrize(("text", "found"), [
    ("import no_such_module_anywhere\n", "No module named 'no_such_module_anywhere' (app.py, line 1)"),
    ("import broken\n", "NameError: name 'nothing' is not defined (broken.py, line 2)"),
    ("def app(:\n", "SyntaxError"),
    ("other = 1\n", "AttributeError"),
    ("app = 1\n", "int, which cannot be called"),
    ("raise SystemExit\n", "SystemExit"),
])
def test_checking_imports_the_applications(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str,
                                           found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", sys.path.copy())
    file = tmp_path / "my.toml"
    file.write_text('[[domain]]\nname = "a.test"\n[[site]]\nhost = "A.test"\nwsgi = "app.py:app"\n')
    (tmp_path / "broken.py").write_text("\nnothing\n")
    (tmp_path / "app.py").write_text("def app(environ, start_response): ...\n")
    assert main(["world", "--check", str(file)]) == 0
    capsys.readouterr()
    (tmp_path / "app.py").write_text(text)
    assert main(["world", "--check", str(file)]) == 2
    said = capsys.readouterr().err
    assert f"{file}, line 5" in said
    assert found in said


def test_an_application_that_never_ends_loading_is_told() -> None:
    from sandbox.websites.check import first_trouble

    trouble = first_trouble([SiteSpec("a.test", "wsgi", "tests.support.endless:app")], seconds=0.05)
    assert trouble is not None
    assert "__main__" in trouble[2]


def test_what_is_in_a_world_is_shown_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = tmp_path / "world.toml"
    world.write_text('[people.zoe]\nname = "Zo\\u001b[2Je"\npassword = "x"\n')
    assert main(["world", "--ephemeral", "--world", str(world)]) == 0
    assert "\x1b" not in capsys.readouterr().out
