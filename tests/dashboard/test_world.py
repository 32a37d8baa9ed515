"""The world through the API: people, names, sites."""

from __future__ import annotations

import base64
from pathlib import Path

import dns.message
import trio

from tests.support.dashboard import OWNER, VISITOR, live_page


async def test_people_have_passwords_for_those_who_own_the_sandbox(tmp_path: Path) -> None:
    async with live_page(tmp_path, "ftp") as page:
        people = {one["login"]: one for one in (await page.get("people"))["people"]}
        assert people["alice"]["password"] == "wonderland"
        assert people["alice"]["address"] == "alice@example.com"
        assert people["teacher"]["password"] == "chalk"
        seen = (await page.get("people", source=VISITOR))["people"]
        assert {one["login"] for one in seen} == set(people)
        assert {one["password"] for one in seen} == {None}


async def test_zones_come_with_their_records(tmp_path: Path) -> None:
    async with live_page(tmp_path, "dns") as page:
        zones = {one["name"]: one for one in (await page.get("names"))["zones"]}
        records = {(one["name"], one["type"]): one for one in zones["example.com"]["records"]}
        assert records["www.example.com", "A"]["value"] == "127.0.0.1"
        assert records["example.com", "MX"]["ttl"] > 0
        assert zones["example.com"]["serial"] > 0


async def test_a_look_up_is_answered_by_the_responder_and_taken_apart(tmp_path: Path) -> None:
    async with live_page(tmp_path, "dns") as page:
        found = await page.get("lookup", name="www.example.com", type="A")
        assert found["outcome"] == "NOERROR"
        assert {(one["section"], one["type"], one["value"]) for one in found["records"]} >= {
            ("answer", "A", "127.0.0.1")}
        answer = base64.b64decode(found["server"]["octets"])
        assert dns.message.from_wire(answer).id == dns.message.from_wire(
            base64.b64decode(found["client"]["octets"])).id
        assert found["server"]["spans"][-1]["end"] == len(answer)
        assert found["explanation"]
        port = page.sandbox.endpoints["dns"].port
        assert found["again"] == f"dig @127.0.0.1 -p {port} www.example.com A"


async def test_a_look_up_of_what_is_not_there_says_so(tmp_path: Path) -> None:
    async with live_page(tmp_path, "dns") as page:
        found = await page.get("lookup", name="nobody.example.com", type="mx")
        assert (found["outcome"], found["type"], found["records"][0]["section"]) == ("NXDOMAIN", "MX", "authority")


async def test_what_cannot_be_looked_up_is_a_problem(tmp_path: Path) -> None:
    async with live_page(tmp_path, "dns") as page:
        queries: tuple[dict[str, object], ...] = (
            {"name": "a..b"}, {"name": "x" * 64 + ".test"}, {"name": "a.test", "type": "WHAT"},
            {"name": "a.test", "type": "AXFR"})
        for query in queries:
            reply = await page.ask("GET", "lookup", source=OWNER, headers={}, **query)
            assert reply.status == 400, query
            assert reply.headers["content-type"] == "application/problem+json"
            assert reply.json["hint"]


async def test_sites_say_where_they_are_to_this_machine_only(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        own = {one["host"]: one for one in (await page.get("sites"))["sites"]}
        folder = next(one for one in own.values() if one["kind"] == "folder")
        assert await trio.Path(folder["value"]).is_dir()
        other = {one["host"]: one for one in (await page.get("sites", source=VISITOR))["sites"]}
        assert other[folder["host"]]["value"] == ""
        assert other[folder["host"]]["url"].startswith("http://")
