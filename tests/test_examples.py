"""The examples do what they say, as their reader runs them."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
SETUP = 12
"""Lines that a suite needs before its first test."""


def run(folder: str, *command: str) -> str:
    """The output of a command that has to succeed."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("SANDBOX_", "PYTEST_"))}
    environ["PATH"] = f"{Path(sys.executable).parent}:{environ['PATH']}"
    done = subprocess.run(command, cwd=EXAMPLES / folder, env=environ, capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("folder", ["flask-signup", "django-signup"])
def test_with_the_plugin(folder: str) -> None:
    said = run(folder, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:trio", "-c",
               os.devnull, "--rootdir", ".", ".")
    assert "2 passed" in said


@pytest.mark.parametrize("folder", ["flask-signup", "django-signup"])
def test_little_is_needed_before_the_first_test(folder: str) -> None:
    text = (EXAMPLES / folder / "test_shop.py").read_text()
    first = next(node for node in ast.parse(text).body
                 if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))
    lines = [line for line in text.splitlines()[:first.lineno - 1] if line.strip()]
    assert len(lines) <= SETUP, "\n".join(lines)


@pytest.mark.program("node", "nodejs")
def test_without_python() -> None:
    said = run("node-signup", "sandbox", "run", "--", "node", "--test")
    assert "# pass 1" in said or "pass 1" in said


def test_every_example_is_in_the_list() -> None:
    page = (EXAMPLES / "README.md").read_text()
    assert {f"`{path.name}/`" for path in EXAMPLES.iterdir() if path.is_dir()} <= set(page.replace("|", " ").split())


@pytest.mark.parametrize("file", ["github-actions.yml", "gitlab-ci.yml"])
def test_a_ci_file_is_yaml_whose_commands_are_ours(file: str) -> None:
    yaml = pytest.importorskip("yaml")
    text = (EXAMPLES / "ci" / file).read_text()
    assert isinstance(yaml.safe_load(text), dict)
    assert "sandbox run --data seen -- npm test" in text
    assert "'sandbox-internet[pytest]'" in text
