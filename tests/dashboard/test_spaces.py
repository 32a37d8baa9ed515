"""Spaces over the API: opened, looked into, closed."""

from __future__ import annotations

import smtplib
import urllib.request
from pathlib import Path

import trio

from tests.support.dashboard import VISITOR, live_page


async def test_a_space_has_a_world_ports_and_mail_of_its_own(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http", "dns", "smtp") as page:
        space = (await page.ask("POST", "spaces", {"name": "one"})).json
        assert space["name"] == "one"
        assert space["services"]["smtp"]["port"] != page.sandbox.endpoints["smtp"].port

        def send() -> None:
            where = space["services"]["smtp"]
            with smtplib.SMTP(where["host"], where["port"], timeout=20) as client:
                client.sendmail("a@example.org", ["bob@example.com"], "Subject: only here\r\n\r\nx\r\n")

        await trio.to_thread.run_sync(send)
        reply = await page.ask("POST", "wait/letters", {"space": "one", "letter": {"subject": "only here"}})
        assert reply.status == 200
        assert reply.json["letters"][0]["exchange"]["space"] == "one"
        inside = await page.get("mail/bob/INBOX", space="one")
        outside = await page.get("mail/bob/INBOX")
        assert "only here" in [letter["subject"] for letter in inside["letters"]]
        assert "only here" not in [letter["subject"] for letter in outside["letters"]]
        assert await page.get("count", filter=f"{space['filter']} protocol:smtp")

        assert (await page.ask("DELETE", "spaces/one")).status == 200
        assert [one["name"] for one in (await page.get("spaces"))["spaces"]] == ["main"]
        assert (await page.ask("GET", "mail?space=one")).status == 404


async def test_a_space_may_have_the_same_ports_at_an_address_of_its_own(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http", "dns") as page:
        main = page.sandbox.endpoints["http"]
        spaces = [(await page.ask("POST", "spaces", {"own_address": True})).json for _ in range(3)]
        places = [(space["services"]["http"]["host"], space["services"]["http"]["port"]) for space in spaces]
        assert len({host for host, _ in places} | {main.host}) == 4
        assert {port for _, port in places} == {main.port}

        def fetch(host: str, port: int) -> int:
            with urllib.request.urlopen(f"http://{host}:{port}/robots.txt", timeout=20) as response:
                status: int = response.status
                return status

        for host, port in places:
            assert await trio.to_thread.run_sync(fetch, host, port) == 200
        rows = (await page.get("exchanges", filter="path:/robots.txt"))["exchanges"]
        assert {row["space"] for row in rows} == {space["name"] for space in spaces}


async def test_what_cannot_be_opened_or_closed_is_said(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        for body, status in (({"name": "main"}, 409), ({"name": "../x"}, 409), ({"bind": ["192.0.2.1"]}, 409),
                             ({"own_address": True, "bind": ["127.0.0.3"]}, 422), ({"world": "/none.toml"}, 409)):
            reply = await page.ask("POST", "spaces", body)
            assert reply.status == status, (body, reply.body)
        assert (await page.ask("DELETE", "spaces/main")).status == 409
        assert (await page.ask("DELETE", "spaces/none")).status == 404
        for method, path in (("POST", "spaces"), ("GET", "spaces"), ("DELETE", "spaces/main")):
            assert (await page.ask(method, path, {}, source=VISITOR)).status == 403
