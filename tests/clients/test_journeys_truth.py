"""Journeys beside the truth: Chromium itself says what made it ask for what (its DevTools protocol), two browsers at
once from one address."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import trio
from playwright.sync_api import CDPSession, Page, sync_playwright

from sandbox.app import Sandbox
from sandbox.journal.asking import Asking
from sandbox.journeys import journeys

pytestmark = pytest.mark.program("chromium", "chromium")

HOST = "alice.example.com"
PAGES = {
    "index.html": '<link rel="stylesheet" href="/style.css"><img src="/one.svg"><iframe src="/frame.html"></iframe>'
                  '<script src="/run.js"></script><a id="next" href="/next.html">next</a>',
    "style.css": '@import "/more.css"; body { background: url("/ground.svg") }',
    "more.css": 'a { background: url("/link.svg") }',
    "run.js": 'fetch("/data.json"); const image = new Image(); image.src = "/late.svg"; document.body.append(image);',
    "data.json": "{}", "frame.html": '<img src="/framed.svg">', "next.html": '<img src="/two.svg">',
    **dict.fromkeys(("one.svg", "two.svg", "ground.svg", "link.svg", "late.svg", "framed.svg"),
                    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
}


class Asked(NamedTuple):
    """A request of a browser: its path, and that of what made it, "" for a person's click; document: the page that it
    is part of."""

    browser: str
    path: str
    initiator: str
    document: str


def follow(cdp: CDPSession, browser: str, truth: list[Asked]) -> None:
    """Note what the browser says of each request."""
    def sent(event: dict[str, Any]) -> None:
        initiator, url = event["initiator"], urlsplit(event["request"]["url"])
        stack = initiator.get("stack", {}).get("callFrames") or [{}]
        by = initiator.get("url") or stack[0].get("url", "")
        document = event["type"] == "Document" and event.get("documentURL") == event["request"]["url"]
        top = document and not initiator.get("url")
        if url.hostname == HOST and url.path != "/favicon.ico":  # for which nothing is named as the reason
            truth.append(Asked(browser, url.path, "" if top else urlsplit(by).path,
                               "" if top else urlsplit(event["documentURL"]).path))

    cdp.on("Network.requestWillBeSent", sent)
    cdp.send("Network.enable")


def browse(proxy: str) -> list[Asked]:
    """Two browsers look at the same pages, each in its own order."""
    truth: list[Asked] = []
    with sync_playwright() as play:
        chromium = play.chromium.launch(
            executable_path="/usr/bin/chromium", proxy={"server": proxy},
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking",
                  "--disable-features=HttpsUpgrades,HttpsFirstBalancedMode,HttpsFirstBalancedModeAutoEnable"])
        pages: list[Page] = []
        for name in ("one", "two"):
            page = chromium.new_context(user_agent=f"Truth/{name}").new_page()
            follow(page.context.new_cdp_session(page), name, truth)
            pages.append(page)
        for page in pages:
            page.goto(f"http://{HOST}/index.html", wait_until="commit")
        for page in reversed(pages):
            page.wait_for_load_state("networkidle")
            page.click("#next")
        for page in pages:
            page.wait_for_load_state("networkidle")
        chromium.close()
    return truth


async def test_ties_are_what_the_browser_says(sandbox: Sandbox) -> None:
    """What a journey calls certain is true: the initiator itself, or the document where a browser names only that."""
    www = Path(sandbox.data) / "homes" / "alice" / "www"
    for name, text in PAGES.items():
        (www / name).write_text(text)
    truth = await trio.to_thread.run_sync(browse, f"http://{sandbox.endpoints['http']}")
    pairs = await Asking(sandbox.journal).newest(count=1000)
    steps = {step.exchange.id: step for journey in journeys(pairs) for step in journey.steps}
    tied = {}
    for _, exchange in pairs:
        agent = exchange.facts.get("agent", "").removeprefix("Truth/")
        if exchange.facts.get("host") == HOST and agent in ("one", "two"):
            step = steps.get(exchange.id)
            above = steps[step.above].exchange.facts["path"] if step is not None and step.above else ""
            tied[agent, exchange.facts["path"]] = above, step is not None and step.certain
    right, wrong, missed = 0, [], []
    for asked in truth:
        above, _ = tied.get((asked.browser, asked.path), ("", False))
        if not asked.initiator:
            assert above == "", f"{asked} was a click"
        elif not above:
            missed.append(asked)
        elif above in (asked.initiator, asked.document):
            right += 1
        else:
            wrong.append((asked, above))
    print(f"{right} right, {len(wrong)} wrong, {len(missed)} missed")
    assert wrong == []
    assert missed == []
    assert right >= 2 * 10
