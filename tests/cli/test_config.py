"""sandbox config"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from sandbox.cli import main
from sandbox.config import Config
from sandbox.config.describe import reference, render


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in (*Config.__struct_fields__, "config"):
        monkeypatch.delenv(f"SANDBOX_{key.upper()}", raising=False)


def test_without_options_it_prints_the_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    assert capsys.readouterr().out == render(Config())


def test_it_prints_what_file_environment_and_options_come_to(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "my.toml"
    file.write_text("[dns]\nttl = 7\n")
    monkeypatch.setenv("SANDBOX_CONFIG", str(file))
    monkeypatch.setenv("SANDBOX_ADVERTISE", "10.0.0.9")
    assert main(["config", "--bind", "::1", "--ephemeral", "--ports", "standard", "--set", "limits.idle=5",
                 "--set", "services={http=81}", "--set", "dns.unknown=nxdomain", "--data", str(tmp_path)]) == 0
    found = tomllib.loads(capsys.readouterr().out)
    assert found["dns"]["ttl"] == 7
    assert found["advertise"] == ["10.0.0.9"]
    assert (found["bind"], found["ephemeral"], found["ports"]) == (["::1"], True, "standard")
    assert (found["limits"]["idle"], found["services"]) == (5.0, {"http": 81})
    assert (found["dns"]["unknown"], found["data"]) == ("nxdomain", str(tmp_path))


@pytest.mark.parametrize(("options", "ephemeral"), [([], True), (["--data", "kept"], False),
                                                    (["--data", "kept", "--ephemeral"], True)])
def test_a_folder_that_is_named_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str],
                                        ephemeral: bool) -> None:
    file = tmp_path / "my.toml"
    file.write_text("ephemeral = true\n")
    assert main(["config", "--config", str(file), *options]) == 0
    assert tomllib.loads(capsys.readouterr().out)["ephemeral"] is ephemeral


def test_reference(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--reference"]) == 0
    assert capsys.readouterr().out == reference()


@pytest.mark.parametrize(("options", "words"), [
    (["--set", "dns.ttl"], "KEY=VALUE"),
    (["--set", "=3"], "KEY=VALUE"),
    (["--set", "dns.tll=3"], "Did you mean ttl?"),
    (["--set", "dns.ttl=3", "--set", "dns=4"], "a table"),
    (["--set", "dns=4", "--set", "dns.ttl=3"], "a table"),
    (["--set", "a b=4"], "TOML"),
    (["--bind", "nowhere"], "an IP address"),
    (["--ports", "hihg"], "Did you mean high?"),
    (["--set", "services.htpp=1"], "Did you mean http?"),
])
def test_wrong_options(options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", *options]) == 2
    assert words in capsys.readouterr().err


def test_checking_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "my.toml"
    file.write_text("world = 'world.toml'\n")
    (tmp_path / "world.toml").write_text("[people.zoe]\npassword = 'x'\n")
    assert main(["config", "--check", str(file)]) == 0
    (tmp_path / "world.toml").write_text("[people.zoe]\n")
    assert main(["config", "--check", str(file)]) == 2
    assert "people.zoe.password" in capsys.readouterr().err
    file.write_text("[services]\nhttp = 8053\n")
    assert main(["config", "--check", str(file)]) == 2
    assert f"{file}, line 2: services.http" in capsys.readouterr().err
