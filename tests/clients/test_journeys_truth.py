"""Journeys beside the truth: Chromium itself says what made it ask for what (its DevTools protocol), two browsers at
once from one address."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from sandbox.app import Sandbox
from sandbox.journal.asking import Asking
from sandbox.journeys import journeys
from tests.support.programs import run
from tests.support.truth import Asked

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


async def test_ties_are_what_the_browser_says(sandbox: Sandbox) -> None:
    """What a journey calls certain is true: the initiator itself, or the document where a browser names only that."""
    www = Path(sandbox.data) / "homes" / "alice" / "www"
    for name, text in PAGES.items():
        (www / name).write_text(text)
    said = await run(sys.executable, "-m", "tests.support.truth", f"http://{sandbox.endpoints['http']}", HOST)
    truth = [Asked(*json.loads(line)) for line in said.text.splitlines()]
    pairs = await Asking(sandbox.journal).newest(count=1000)
    steps = {step.exchange.id: step for journey in journeys(pairs) for step in journey.steps}
    tied = {}
    for _, exchange in pairs:
        agent = exchange.facts.get("agent", "").removeprefix("Truth/")
        if exchange.facts.get("host") == HOST and agent in ("one", "two"):
            step = steps.get(exchange.id)
            above = steps[step.above].exchange.facts.get("path", "") if step is not None and step.above else ""
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
