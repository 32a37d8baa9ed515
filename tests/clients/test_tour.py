"""The home page's own suggestions: what it offers to try really works, as it stands there."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.app import Sandbox
from sandbox.websites.tour import Try, things
from tests.support.programs import run

TALKS = ("chromium", "sandbox", "nc ", "sftp")
"""What waits for a person, or is tested elsewhere."""

FAILS = {"See what a client says that does not trust it.": 60}
"""Exit statuses other than 0 that are the point."""


def offered(sandbox: Sandbox) -> list[Try]:
    return [one for one in things(sandbox.endpoints, sandbox.world, "sandbox.test")
            if not one.command.startswith(TALKS) and "/events" not in one.command]


@pytest.mark.program("curl", "curl")
@pytest.mark.program("dig", "bind9-dnsutils")
@pytest.mark.program("openssl", "openssl")
@pytest.mark.program("nc", "netcat-openbsd")
async def test_every_suggestion_works(sandbox: Sandbox, tmp_path: Path) -> None:
    tries = offered(sandbox)
    assert {one.group for one in tries} >= {"Web pages", "Web pages, encrypted", "Names", "Mail", "Files"}
    for one in tries:
        said = (await run("bash", "-c", one.command, cwd=tmp_path, status=FAILS.get(one.text, 0))).text
        if one.group == "Mail" and "imap" in one.command:
            assert "Subject:" in said
        if one.group == "Files":
            assert "<h1>Mine</h1>" in said
