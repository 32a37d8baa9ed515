"""The page's faults: a rule is added and counted, a step waits, something else is said, all is taken away again."""

from __future__ import annotations

import subprocess
import threading

import pytest
from playwright.sync_api import Page, expect

from tests.support.live import Up

pytestmark = pytest.mark.program("chromium", "chromium")


def curl(sandbox: Up, status: list[int]) -> None:
    done = subprocess.run(["curl", "--silent", "--fail", "--max-time", "20", "--noproxy", "*",
                           f"http://127.0.0.1:{sandbox.ports['http']}/"], check=False, capture_output=True)
    status.append(done.returncode)


def test_slow_motion_and_rules(own: Up, page: Page) -> None:
    page.goto(f"{own.url}/faults")
    page.get_by_label("What it strikes").fill("protocol:http verb:POST")
    page.get_by_label("and what happens").fill("reply=503 'text=Not today'")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("tbody").first).to_contain_text("reply=503 text=Not today")
    page.get_by_label("for", exact=True).fill("service:http")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    status: list[int] = []
    client = threading.Thread(target=curl, args=(own, status))
    client.start()
    expect(page.get_by_label("What waits")).to_contain_text("A client has connected")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_label("What waits")).to_contain_text("The question has arrived")
    page.get_by_label("Say instead").fill("404 Not here")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_label("What waits")).to_contain_text("about to leave")
    page.get_by_role("button", name="Go on").click()
    client.join(20)
    assert status == [22]
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Remove rule 1").click()
    expect(page.locator("#main")).to_contain_text("There are no rules")
