"""docs/reference/cli.md has every command with every option, and no other."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from sandbox.cli import COMMANDS, build_parser

PAGE = (Path(__file__).parent.parent.parent / "docs" / "reference" / "cli.md").read_text()


def section(command: str) -> str:
    found = re.search(rf"^## sandbox {command}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"there is no section for {command}"
    return found[1]


def options(command: str) -> set[str]:
    """Each option as the page writes it: "--data DIR", "--follow", "-f"."""
    (commands,) = (action for action in build_parser(command)._actions
                   if isinstance(action, argparse._SubParsersAction))
    return written(commands.choices[command])


def written(parser: argparse.ArgumentParser) -> set[str]:
    """Those of a parser, and of the actions it has."""
    found = set()
    for action in parser._actions:
        names = [name for name in action.option_strings if name not in ("-h", "--help")]
        found |= {f"{name} {action.metavar}" if action.metavar else name for name in names}
        if isinstance(action, argparse._SubParsersAction):
            found |= {name for choice in action.choices.values() for name in written(choice)}
    return found


def test_every_command_is_there() -> None:
    assert re.findall(r"^## sandbox ([a-z-]+)$", PAGE, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_there(command: str) -> None:
    rows = re.findall(r"^\| (`.*?`) \|", section(command), re.MULTILINE)
    assert {name.replace("\\|", "|") for row in rows for name in re.findall(r"`(.*?)`", row)} == options(command)


@pytest.mark.parametrize(("command", "summary"), COMMANDS.items())
def test_a_section_begins_with_the_commands_help(command: str, summary: str) -> None:
    assert " ".join(section(command).split()).startswith(summary.rstrip("."))
