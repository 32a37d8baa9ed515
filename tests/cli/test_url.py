"""Commands that ask a sandbox elsewhere print what they print of one here."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import trio

from sandbox.cli import main
from tests.dashboard.test_access import SERVICES, owner_does
from tests.dashboard.test_events import fetch
from tests.support.dashboard import Page, live_page


async def said(*arguments: str) -> tuple[int, str]:
    """The status of a command, and what it prints."""
    def work() -> tuple[int, str]:
        done = subprocess.run([sys.executable, "-m", "sandbox", *arguments], capture_output=True, text=True,
                              timeout=60, env={**os.environ, "COLUMNS": "100"})
        return done.returncode, done.stdout + done.stderr

    return await trio.to_thread.run_sync(work)


def url(page: Page) -> str:
    return f"http://{page.host}:{page.port}/#token={page.token}"


@pytest.mark.parametrize("words", [
    ["log"], ["log", "--json"], ["log", "--json", "--limit", "2"], ["log", "--count"], ["log", "--no-explain"],
    ["log", "protocol:smtp", "or", "verb:STOR"], ["log", "--protocol", "ftp"], ["log", "--since", "1h", "--json"],
    ["log", "--client", "127.0.0.1", "--limit", "3"], ["mail", "list"], ["mail", "list", "--json"],
    ["mail", "list", "--account", "bob"], ["mail", "show", "1"], ["mail", "show", "1", "--json"],
    ["mail", "show", "1", "--source"], ["mail", "show", "99999"], ["mail", "list", "--account", "nobody-here"],
    ["world"], ["log", "host:"],
], ids=" ".join)
async def test_a_command_prints_the_same_of_a_sandbox_elsewhere(tmp_path: Path, words: list[str]) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        await owner_does(page)
        await fetch(page, "/nowhere")
        await page.sandbox.journal.settle()
        here = await said(*words, "--data", str(tmp_path))
        there = await said(*words, "--url", url(page))
        assert there == here
        assert here[1]


async def test_a_letter_is_sent_by_a_sandbox_elsewhere(tmp_path: Path) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        status, text = await said("mail", "send", "--url", url(page), "--from", "alice@example.com", "--to",
                                  "bob@example.com", "--subject", "Hello", "over the API")
        assert (status, text.split(":")[0]) == (0, "submission took it")
        status, text = await said("mail", "send", "--url", url(page), "--from", "alice@example.com", "--to", "no one",
                                  "x")
        assert status != 0
        assert "did not take it" in text


async def test_what_happens_elsewhere_is_followed(tmp_path: Path) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        await fetch(page, "/before")
        await page.sandbox.journal.settle()
        command = [sys.executable, "-m", "sandbox", "log", "--follow", "--json", "--url", url(page)]
        process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        try:
            seen = b""
            with trio.fail_after(30):
                while b'"/before"' not in seen:
                    seen += await process.stdout.receive_some()
                await fetch(page, "/after")
                while b'"/after"' not in seen:
                    seen += await process.stdout.receive_some()
            assert seen.count(b'"path":"/before"') == seen.count(b'"path":"/after"') == 1
        finally:
            process.terminate()
            await process.wait()
            await process.stdout.aclose()


@pytest.mark.parametrize(("words", "expected"), [
    (["log", "--url", "ftp://x"], "is not the address of a live page"),
    (["log", "--url", "http://127.0.0.1:1/"], "Nobody answers at http://127.0.0.1:1"),
    (["mail", "list", "--url", "http://127.0.0.1:1/"], "Nobody answers"),
    (["world", "--url", "http://127.0.0.1:1/"], "Nobody answers"),
    (["log", "--raw", "1", "--url", "http://127.0.0.1:1/"], "live page"),
])
def test_what_is_no_sandbox_is_said(words: list[str], expected: str) -> None:
    errors = io.StringIO()
    run: Callable[[list[str]], int] = main
    with redirect_stdout(io.StringIO()), redirect_stderr(errors):
        assert run(words) != 0
    assert expected in errors.getvalue()
