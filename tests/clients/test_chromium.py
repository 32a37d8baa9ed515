"""Chromium, a real browser, opens a page under a real name through the sandbox's proxy.pac."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.app import Sandbox
from sandbox.explain import sentence
from tests.support.network import watching
from tests.support.programs import Finished, run

pytestmark = pytest.mark.program("chromium", "chromium")


async def chromium(sandbox: Sandbox, folder: Path, *words: str) -> Finished:
    """Headless, with a profile of its own; all it does on the network is in folder/net.json."""
    return await run(
        "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-quic", f"--user-data-dir={folder / 'profile'}",
        f"--log-net-log={folder / 'net.json'}", "--disable-features=HttpsUpgrades",
        # The browser itself must need no name server: only the proxy's address is ever used.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        f"--proxy-pac-url=http://{sandbox.endpoints['http']}/proxy.pac", *words, seconds=60)


def connected(folder: Path) -> set[str]:
    """Every address the browser tried to connect to or sent a datagram to."""
    log = json.loads((folder / "net.json").read_text())
    kinds = {number: name for name, number in log["constants"]["logEventTypes"].items()}
    assert {"TCP_CONNECT_ATTEMPT", "UDP_BYTES_SENT"} <= set(kinds.values())
    found = set()
    for event in log["events"]:
        kind, params = kinds[event["type"]], event.get("params", {})
        if kind in ("TCP_CONNECT_ATTEMPT", "UDP_BYTES_SENT") and "address" in params:
            found.add(params["address"])
    return found


async def test_a_page_under_a_real_name(sandbox: Sandbox, tmp_path: Path) -> None:
    with watching(sandbox.journal) as watcher:
        said = await chromium(sandbox, tmp_path, "--dump-dom", "http://www.example.com/")
        await sandbox.journal.settle()
        exchanges = {exchange.asked: (session, exchange) for session, exchange in watcher.exchanges
                     if exchange.verb == "GET"}
    assert "<title>www.example.com in the Sandbox</title>" in said.text
    session, page = exchanges["www.example.com/"]
    assert page.outcome == "200"
    assert sentence(session, page)
    assert f"{sandbox.endpoints['http'].host}/proxy.pac" in exchanges
    assert connected(tmp_path) == {str(sandbox.endpoints["http"])}


async def test_a_name_of_the_wide_world_stays_here(sandbox: Sandbox, tmp_path: Path) -> None:
    said = await chromium(sandbox, tmp_path, "--dump-dom", "http://www.tea-lovers.org/deep/page?q=tea")
    assert "www.tea-lovers.org" in said.text
    assert "Sandbox" in said.text
    assert connected(tmp_path) == {str(sandbox.endpoints["http"])}


async def test_the_page_looks_like_one(sandbox: Sandbox, tmp_path: Path) -> None:
    """A picture of it at a phone's width has colours: style and drawing arrived and were allowed."""
    picture = tmp_path / "page.png"
    await chromium(sandbox, tmp_path, "--window-size=412,900", f"--screenshot={picture}", "http://www.example.com/")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000
