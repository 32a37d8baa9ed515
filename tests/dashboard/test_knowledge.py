"""What words mean: entries, concepts, and what happened here as the example."""

from __future__ import annotations

from pathlib import Path

from tests.dashboard.test_metrics import fetch
from tests.support.dashboard import VISITOR, live_page


async def test_a_concept_has_commands_for_these_ports_and_examples_from_this_journal(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        await fetch(page, "/no-such-page")
        await fetch(page, "/")
        listed = {one["name"] for one in (await page.get("concepts"))["concepts"]}
        assert "status-code" in listed
        found = await page.get("concepts/status-code")
        assert f"http://{page.sandbox.endpoints['http']}/" in found["commands"][0]
        assert [trial["command"] for trial in found["trials"]] == found["commands"]
        assert found["trials"][0]["see"]
        assert {row["outcome"] for row in found["examples"]} == {"404"}
        assert set(found["related"]) <= listed
        assert "response code" in found["also"]
        assert {"key": "http:status.404", "title": "404: Not Found"} in found["entries"]
        seen = await page.get("concepts/status-code", source=VISITOR)
        assert seen["examples"] == []


async def test_an_exchange_leads_to_its_concepts_and_so_does_an_entry(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        await fetch(page, "/no-such-page")
        row = (await page.get("exchanges"))["exchanges"][0]
        shown = [one["name"] for one in (await page.get("concepts", exchange=row["id"]))["concepts"]]
        assert "status-code" in shown
        assert "http" in shown
        assert shown.index("status-code") < shown.index("http")
        assert "cookie" not in shown
        assert (await page.ask("GET", "concepts", source=VISITOR, exchange=row["id"])).status == 404
        assert "status-code" in [one["name"] for one in (await page.get("knowledge/http/status/404"))["concepts"]]


async def test_a_word_finds_entries_and_concepts(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        found = await page.get("explain", word="404")
        assert found["entries"][0]["rfc"].startswith("RFC ")
        found = await page.get("explain", word="response code")
        assert [one["name"] for one in found["concepts"]] == ["status-code"]
        assert (await page.get("explain", word="NXDOMIAN"))["near"][0] == "NXDOMAIN"


async def test_an_entry_is_found_by_its_key(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        entry = await page.get("knowledge/http/status/404")
        assert entry["key"] == "http:status.404"
        assert "more" in entry
