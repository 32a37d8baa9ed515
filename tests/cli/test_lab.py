"""`sandbox lab` on a running sandbox: a lab from the terminal alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.dashboard import Page, live_page
from tests.support.programs import Finished, run

LAB = "first-request"


async def lab(page: Page, *words: str, status: int = 0) -> Finished:
    return await run(sys.executable, "-m", "sandbox", "lab", *words, "--url", f"http://{page.host}:{page.port}/",
                     status=status)


@pytest.mark.program("curl", "curl")
async def test_a_lab_from_the_terminal_alone(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        home = f"http://{page.sandbox.endpoints['http']}/"
        assert "not begun" in (await lab(page, "list")).text
        assert "Say yours" in (await lab(page, "start", LAB, status=2)).errors
        assert f"curl {home}" in (await lab(page, "start", LAB, "--learner", "Ada")).text
        assert "Kept." in (await lab(page, "answer", LAB, "page.sender", "client")).text
        assert "Is the sandbox running?" in (await lab(page, "hint", LAB)).text
        assert "Only a page that was found" in (await lab(page, "hint", LAB)).text
        await run("curl", "-s", home)
        await page.sandbox.journal.settle()
        checked = (await lab(page, "check", LAB, status=1)).text
        assert "1 of 3 steps (Ada)" in checked
        assert "[x] Ask for a page" in checked
        assert "Exchanges that count: 1." in checked
        assert "something else" in (await lab(page, "answer", LAB, "read.status", "404")).text
        assert "Right." in (await lab(page, "answer", LAB, "read.status", "200")).text
        assert "The client speaks first" in (await lab(page, "show", LAB)).text
        assert "no question 'nothing'" in (await lab(page, "answer", LAB, "read.nothing", "x", status=2)).errors
        assert "There is no lab 'nothing'" in (await lab(page, "show", "nothing", status=2)).errors
