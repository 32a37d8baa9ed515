"""The README keeps what it says: its table is the registry, its commands are those that are run elsewhere."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from sandbox.address import Address
from sandbox.console.summary import command
from sandbox.protocols.contract.registry import PROTOCOLS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
CI = (ROOT / ".ci" / "run").read_text()

ROLES = [role for protocol in PROTOCOLS for role in protocol.roles]


def table() -> dict[str, tuple[int, int, str]]:
    """By service: its port, its port without privileges, and the command to try."""
    rows = re.findall(r"^\| ([\w-]+) \| (\d+) \| (\d+) \| `(.*)` \|$", README, re.MULTILINE)
    return {name: (int(port), int(high), words.replace("\\|", "|")) for name, port, high, words in rows}


def test_the_table_has_every_service() -> None:
    assert {name: found[:2] for name, found in table().items()} == {role.name: (role.port, role.high)
                                                                   for role in ROLES}


def test_the_commands_to_try_are_those_that_sandbox_up_prints() -> None:
    for name, (_, high, words) in table().items():
        assert words == command(name, Address("127.0.0.1", high))


def test_it_leads_to_every_guide_and_to_what_each_protocol_keeps() -> None:
    pages = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "sandbox" / "protocols").glob("*/README.md")]
    assert [page for page in pages if f"({page.relative_to(ROOT)})" not in README] == []


def shell_blocks() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", README, re.DOTALL)


def test_the_first_two_blocks_are_one_line_each() -> None:
    start, tests = shell_blocks()[:2]
    assert start.count("\n") == tests.count("\n") == 1
    assert start.rstrip().endswith("sandbox up")
    assert tests.rstrip().endswith("pytest")


def test_continuous_integration_runs_the_readmes_line() -> None:
    (pattern,) = re.findall(r"grep -E '(.*)' README\.md", CI)
    assert re.findall(pattern, README, re.MULTILINE) == [shell_blocks()[1].rstrip()]
    assert 'SANDBOX_ALL_PROGRAMS=1 bash -euo pipefail -c "$tests"' in CI


def test_continuous_integration_installs_every_program_of_the_tests() -> None:
    marks = {mark for path in (ROOT / "tests").rglob("*.py")
             for mark in re.findall(r'mark\.program\("[^"]+", "([^"]+)"\)', path.read_text())}
    (installed,) = re.findall(r"^programs=\((.*?)\)$", CI, re.MULTILINE | re.DOTALL)
    assert marks
    assert marks <= set(installed.split())


def test_continuous_integration_is_a_script() -> None:
    subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=True)
    assert "set -euo pipefail" in CI


@pytest.mark.parametrize("page", sorted(path.relative_to(ROOT).as_posix() for path in [
    ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("sandbox/**/*.md")]))
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:|#", target):
            assert (path.parent / target.partition("#")[0]).exists(), f"{page} links to {target}"
