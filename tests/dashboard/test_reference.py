"""docs/reference/api.md has every operation as it is, and every event of the stream."""

from __future__ import annotations

import re
from pathlib import Path

from sandbox.dashboard import answers
from sandbox.dashboard.api.sides import SHOWN
from sandbox.dashboard.archive import PATIENCE
from sandbox.dashboard.live import PAGES
from sandbox.dashboard.operations import Operation
from sandbox.dashboard.service import TOKEN_FILE
from sandbox.dashboard.site import operations

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "api.md").read_text()
GUIDE = (ROOT / "docs" / "how-to" / "see-it-live.md").read_text()


def row(operation: Operation) -> str:
    """An operation's line in the table."""
    parameters = ", ".join(f"`{query.name}`" for query in operation.queries)
    return (f"| `{operation.method} {operation.path}` | {operation.text} | {parameters} |"
            + (" teacher |" if operation.changes else " |"))


def test_the_page_has_every_operation() -> None:
    rows = [line for line in PAGE.splitlines() if re.match(r"\| `[A-Z]+ ", line)]
    assert rows == [row(operation) for operation in operations()]


def test_the_page_has_every_event_of_the_stream() -> None:
    told = set(re.findall(r"^\| `([a-z]+)` \| ", PAGE, re.MULTILINE))
    source = "".join((ROOT / "sandbox" / "dashboard" / name).read_text() for name in ("live.py", "api/events.py"))
    assert told == set(re.findall(r'\bevent\("([a-z]+)"', source))


def test_the_page_has_the_limits() -> None:
    assert f"at most {answers.TEXT:,} characters" in PAGE
    assert f"{answers.BODY // 2**20} MiB" in PAGE
    assert f"{SHOWN // 1024} KiB" in PAGE
    assert f"{PATIENCE:g} seconds" in PAGE
    assert f"at most {PAGES} streams" in PAGE


def test_pages_name_the_file_of_the_token_as_it_is() -> None:
    assert all(f"`{TOKEN_FILE}`" in page for page in (PAGE, GUIDE))
