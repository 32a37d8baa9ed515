"""The command line's frame: quick, plain about errors, one import for one command."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import sandbox
from sandbox.cli import COMMANDS, main

ROOT = Path(__file__).parent.parent.parent


def run(*args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "sandbox", *args], cwd=ROOT, env=os.environ | environ,
                          capture_output=True, text=True, timeout=30, check=False)


def test_version() -> None:
    assert run("--version").stdout == f"sandbox {sandbox.__version__}\n"


@pytest.mark.parametrize("args", [("--version",), ("--help",), ()])
def test_the_quick_ones_import_nothing_heavy(args: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-X", "importtime", "-m", "sandbox", *args], cwd=ROOT, timeout=30,
                          capture_output=True, text=True, check=False)
    lines = (line for line in done.stderr.splitlines() if line.startswith("import time"))
    imported = {line.rpartition("|")[2].strip() for line in lines}
    assert "sandbox.cli" in imported
    heavy = {"trio", "h11", "dns", "sqlite3", "asyncio", "msgspec", "sandbox.world"}
    heavy |= {f"sandbox.cli.{name}" for name in COMMANDS}
    assert imported & heavy == set()


def test_help_names_every_command() -> None:
    text = run("--help").stdout
    for name, summary in COMMANDS.items():
        assert name in text
        assert summary in " ".join(text.split())


@pytest.mark.parametrize("name", [name for name in COMMANDS if (ROOT / "sandbox" / "cli" / f"{name}.py").exists()])
def test_a_commands_help_is_its_files_first_line(name: str) -> None:
    tree = ast.parse((ROOT / "sandbox" / "cli" / f"{name}.py").read_text())
    assert (ast.get_docstring(tree) or "").split("\n")[0] == COMMANDS[name]
    assert {"add", "run"} <= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_a_misspelt_command() -> None:
    done = run("confg")
    assert done.returncode == 2
    assert done.stderr == "sandbox: there is no command 'confg'. Did you mean config?\n"


def test_no_command_shows_the_usage() -> None:
    done = run()
    assert done.returncode == 2
    assert "usage: sandbox" in done.stderr


def test_a_users_error_is_a_message_and_no_traceback(tmp_path: Path) -> None:
    done = run("config", "--config", str(tmp_path / "missing.toml"))
    assert done.returncode == 2
    assert "no such file" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupt_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("sandbox.cli.config.run", interrupted)
    assert main(["config"]) == 128 + signal.SIGINT
    assert capsys.readouterr() == ("", "")


def test_a_closed_pipe_is_quiet() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run([sys.executable, "-m", "sandbox", "config"], cwd=ROOT, stdout=write, timeout=30,
                              stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


@pytest.mark.parametrize(("line", "says"), [
    ("up --prots high", "no option '--prots'. Did you mean --ports?"),
    ("log --expain", "no option '--expain'. Did you mean --explain?"),
    ("log --prots=x", "no option '--prots'. Did you mean"),
    ("mail list --acount bob", "no option '--acount'. Did you mean --account?"),
    ("--verion", "no option '--verion'. Did you mean --version?"),
    ("ready now", "'now' is one word too many. `sandbox ready --help`"),
    ("log --\x1b[2J", "no option '--\\x1b[2J'."),
])
def test_a_misspelt_option_gets_a_suggestion(line: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split(" ")) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(("line", "says"), [("mail lst", "Did you mean list?"),
                                            ("log --protocol htp", "Did you mean http?")])
def test_a_misspelt_choice_gets_a_suggestion(line: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(line.split(" "))
    assert says in capsys.readouterr().err


AS_NOBODY = """
import os, sys
from importlib import import_module
from sandbox.cli import COMMANDS, main
import sandbox.journal.reader, sandbox.world.mail.reader, sandbox.console.lines, encodings.idna
from sandbox.explain.concepts import find
find("port")
for name in COMMANDS:
    import_module(f"sandbox.cli.{name.replace(chr(45), chr(95))}")
if os.geteuid() == 0:
    os.chmod(sys.argv[-1], 0o700)  # root's own, and root may do everything: be somebody else
    os.seteuid(65534)
else:
    os.chmod(sys.argv[-1], 0)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("command", ["log", "mail list", "up --quiet", "world", "ca", "ready", "explain port"])
def test_a_folder_that_is_not_ours_is_a_sentence(command: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "journal.sqlite3").write_bytes(b"")
    done = subprocess.run([sys.executable, "-c", AS_NOBODY, *command.split(), "--data", str(folder)],
                          capture_output=True, text=True, timeout=60, check=False)
    folder.chmod(0o700)
    assert "Traceback" not in done.stderr
    assert done.returncode in {"ready": (1,), "explain port": (0,)}.get(command, (2,)), done.stdout
    assert command in ("ready", "explain port") or "--data" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_a_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-m", "sandbox", "config"], stdout=full, stderr=subprocess.PIPE,
                              text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr == "sandbox: there is no room left for what is written. Free some space.\n"
