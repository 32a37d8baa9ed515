"""The tutorial tells the truth: its commands are run, in order, and print what it shows.

Numbers may differ (times, ports, lengths), and "..." stands for any lines.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.app import Sandbox
from tests.support.programs import run

ROOT = Path(__file__).parent.parent
TUTORIAL = ROOT / "docs" / "tutorials" / "first-steps.md"


def steps() -> Iterator[tuple[str, list[str]]]:
    """Each command with the lines it is said to print."""
    for block in re.findall(r"```console\n(.*?)```", TUTORIAL.read_text(), re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *printed = part.rstrip("\n").split("\n")
            yield command, printed


def plain(line: str) -> str:
    """Without what differs between two runs."""
    return re.sub(r"\s+", " ", re.sub(r"\d+(\.\d+)?( ms)?", "0", line)).strip()


def shows(printed: list[str], output: str) -> bool:
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(plain(line)) + r"\n" for line in printed)
    return re.fullmatch(pattern + (r"(?:.*\n)*" if printed[-1] == "..." else r"\n*"),
                        "".join(plain(line) + "\n" for line in output.split("\n"))) is not None


@pytest.mark.program("dig", "bind9-dnsutils")
@pytest.mark.program("curl", "curl")
@pytest.mark.program("nc", "netcat-openbsd")
async def test_every_command_does_what_it_says(sandbox: Sandbox, tmp_path: Path,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    # `sandbox` as it is after an installation, on the data folder of the running one.
    command_line = tmp_path / "bin" / "sandbox"
    command_line.parent.mkdir()
    command_line.write_text(f'#!/bin/sh\ncd "{ROOT}" && exec "{sys.executable}" -m sandbox "$@"\n')
    command_line.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command_line.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SANDBOX_DATA", str(sandbox.data))
    done = 0
    for command, printed in steps():
        for name, port in (("http", 8080), ("dns", 8053), ("https", 8443)):
            command = command.replace(str(port), str(sandbox.endpoints[name].port))
        if "sandbox log" in command:
            await sandbox.journal.settle()
        said = await run("sh", "-c", command)
        assert shows(printed, said.text), f"$ {command}\n{said.text}"
        done += 1
    assert done >= 10
