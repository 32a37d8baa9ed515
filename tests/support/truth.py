"""Two browsers that look at the same pages, and what Chromium itself says of what made it ask for what.

    python -m tests.support.truth PROXY HOST        a line of JSON for each request
"""

from __future__ import annotations

import json
import sys
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from playwright.sync_api import CDPSession, Page, sync_playwright

__all__ = ["Asked"]


class Asked(NamedTuple):
    """A request of a browser: its path, and that of what made it, "" for a person's click; document: the page that it
    is part of."""

    browser: str
    path: str
    initiator: str
    document: str


def follow(cdp: CDPSession, browser: str, host: str, truth: list[Asked]) -> None:
    """Note what the browser says of each request."""
    def sent(event: dict[str, Any]) -> None:
        initiator, url = event["initiator"], urlsplit(event["request"]["url"])
        stack = initiator.get("stack", {}).get("callFrames") or [{}]
        by = initiator.get("url") or stack[0].get("url", "")
        document = event["type"] == "Document" and event.get("documentURL") == event["request"]["url"]
        top = document and not initiator.get("url")
        if url.hostname == host and url.path != "/favicon.ico":  # for which nothing is named as the reason
            truth.append(Asked(browser, url.path, "" if top else urlsplit(by).path,
                               "" if top else urlsplit(event["documentURL"]).path))

    cdp.on("Network.requestWillBeSent", sent)
    cdp.send("Network.enable")


def browse(proxy: str, host: str) -> list[Asked]:
    """Two browsers look at the same pages, each in its own order."""
    truth: list[Asked] = []
    with sync_playwright() as play:
        chromium = play.chromium.launch(
            executable_path="/usr/bin/chromium", proxy={"server": proxy},
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking",
                  "--disable-features=HttpsUpgrades,HttpsFirstBalancedMode,HttpsFirstBalancedModeAutoEnable"])
        pages: list[Page] = []
        for name in ("one", "two"):
            page = chromium.new_context(user_agent=f"Truth/{name}", ignore_https_errors=True).new_page()
            follow(page.context.new_cdp_session(page), name, host, truth)
            pages.append(page)
        for page in pages:
            page.goto(f"https://{host}/index.html", wait_until="commit")
        for page in reversed(pages):
            page.wait_for_load_state("networkidle")
            page.click("#next")
        for page in pages:
            page.wait_for_load_state("networkidle")
        chromium.close()
    return truth


if __name__ == "__main__":
    for one in browse(*sys.argv[1:]):
        print(json.dumps(one))
