"""The world changed while it runs: what is said over the API is what clients of every protocol find."""

from __future__ import annotations

import base64
import ftplib
import json
import smtplib
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import trio

from tests.support.dashboard import VISITOR, Page, live_page


async def change(page: Page, method: str, path: str, /, body: object = None, **query: Any) -> Any:
    reply = await page.ask(method, path, body, **query)
    assert reply.status == 200, (path, reply.body)
    return reply.json


async def addresses(page: Page, name: str) -> list[str]:
    where = page.sandbox.endpoints["dns"]
    question = dns.message.make_query(name, "A")
    answer = await trio.to_thread.run_sync(lambda: dns.query.udp(question, where.host, timeout=10, port=where.port))
    return [str(item) for found in answer.answer for item in found]


async def test_a_person_can_log_in_at_once_and_no_more_when_removed(tmp_path: Path) -> None:
    async with live_page(tmp_path, "dns", "smtp", "submission") as page:
        def login() -> int:
            where = page.sandbox.endpoints["submission"]
            with smtplib.SMTP(where.host, where.port, timeout=20) as client:
                try:
                    return client.login("dora", "explorer")[0]
                except smtplib.SMTPAuthenticationError as error:
                    return error.smtp_code

        assert await trio.to_thread.run_sync(login) == 535
        for _ in range(2):  # what is there already is no fault
            await change(page, "POST", "people", {"login": "dora", "password": "explorer"})
        assert await trio.to_thread.run_sync(login) == 235
        await change(page, "DELETE", "people/dora")
        assert await trio.to_thread.run_sync(login) == 535
        assert (await page.ask("DELETE", "people/dora")).status == 404
        assert (await page.ask("POST", "people", {"login": "No Such", "password": "x"})).status == 422


async def test_records_are_answered_at_once(tmp_path: Path) -> None:
    async with live_page(tmp_path, "dns") as page:
        said = "api.shop.test A 127.0.0.7\nwww.example.com. 300 IN A 127.0.0.8\n"
        assert await change(page, "POST", "names", {"records": said}) == {"count": 2}
        assert await addresses(page, "api.shop.test") == ["127.0.0.7"]
        assert await addresses(page, "www.example.com") == ["127.0.0.1", "127.0.0.8"]
        await change(page, "POST", "names", {"records": "www.example.com A 127.0.0.9", "replace": True})
        assert await addresses(page, "www.example.com") == ["127.0.0.9"]
        assert await change(page, "DELETE", "names", name="api.shop.test", type="A") == {"count": 1}
        assert await addresses(page, "api.shop.test") == ["127.0.0.1"], "as every name that nobody said"
        for wrong in ("api.shop.test A", "api.shop.test A 300.1.1.1", "x.invalid A 127.0.0.1", "$INCLUDE /etc/passwd",
                      "a" * 70 + " A 127.0.0.1"):
            reply = await page.ask("POST", "names", {"records": wrong})
            assert reply.status == 422, (wrong, reply.body)


async def test_a_route_is_answered_at_once_and_only_in_its_space(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http", "dns") as page:
        await change(page, "POST", "spaces", {"name": "one"})

        def pay(space: str) -> tuple[int, bytes]:
            where = page.sandbox.spaces.get(space).endpoints["http"]
            request = urllib.request.Request(f"http://{where}/pay?id=7", headers={"Host": "shop.test"})
            try:
                with urllib.request.urlopen(request, timeout=20) as response:
                    return response.status, response.read()
            except urllib.error.HTTPError as error:
                return error.code, error.read()

        route = {"host": "shop.test", "path": "/pay", "times": 3, "answers": [
            {"status": 503}, {"json": {"paid": True}}, {"body": "paid {query.id}", "template": True}]}
        await change(page, "POST", "routes?space=one", route)
        found = [await trio.to_thread.run_sync(pay, "one") for _ in range(3)]
        assert [status for status, _ in found] == [503, 200, 200]
        assert json.loads(found[1][1]) == {"paid": True}
        assert found[2][1] == b"paid 7"
        assert b"paid" not in (await trio.to_thread.run_sync(pay, "one"))[1]
        assert b"paid" not in (await trio.to_thread.run_sync(pay, "main"))[1]
        [listed] = (await page.get("routes", space="one"))["routes"]
        assert (listed["answered"], listed["statuses"]) == (3, [503, 200, 200])
        assert (await change(page, "DELETE", f"routes/{listed['number']}?space=one")) == {"routes": []}
        for wrong in ({"path": "pay"}, {"status": 99}, {"body": "a", "json": 1}, {"base64": "!"},
                      {"fields": {"a b": "c"}}, {"fields": {"X": "a\r\nSet-Cookie: b"}}):
            reply = await page.ask("POST", "routes", wrong)
            assert reply.status == 422, (wrong, reply.body)


async def test_a_file_is_there_for_every_client(tmp_path: Path) -> None:
    async with live_page(tmp_path, "ftp") as page:
        data = bytes(range(256))
        await change(page, "POST", "files", {"place": "homes/alice", "path": "reports/2026/a.bin",
                                             "base64": base64.b64encode(data).decode()})
        await change(page, "POST", "files", {"place": "public", "path": "note.txt", "text": "for all"})

        def fetch() -> tuple[bytes, bytes]:
            where = page.sandbox.endpoints["ftp"]
            own, shared = bytearray(), bytearray()
            with ftplib.FTP(timeout=20) as client:
                client.connect(where.host, where.port)
                client.login("alice", "wonderland")
                client.retrbinary("RETR reports/2026/a.bin", own.extend)
                client.retrbinary("RETR /public/note.txt", shared.extend)
            return bytes(own), bytes(shared)

        assert await trio.to_thread.run_sync(fetch) == (data, b"for all")
        await change(page, "DELETE", "files", place="public", path="note.txt")
        assert (await page.ask("DELETE", "files", place="public", path="note.txt")).status == 409
        for wrong, status in (({"place": "homes/nobody", "path": "a"}, 404), ({"place": "public", "path": ""}, 409),
                              ({"place": "homes/alice", "path": "../../x\n"}, 422),
                              ({"place": "sites/none.test", "path": "a"}, 404)):
            assert (await page.ask("POST", "files", wrong)).status == status, wrong


async def test_visitors_change_nothing(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http", "dns", "ftp") as page:
        for method, path in (("POST", "people"), ("DELETE", "people/bob"), ("POST", "names"), ("DELETE", "names"),
                             ("POST", "routes"), ("GET", "routes"), ("DELETE", "routes/1"), ("POST", "files"),
                             ("DELETE", "files")):
            assert (await page.ask(method, path, {}, source=VISITOR)).status == 403, path


async def test_a_change_is_in_the_journal_of_its_space_as_what_it_is(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http", "dns") as page:
        await change(page, "POST", "spaces", {"name": "one"})
        await change(page, "POST", "people?space=one", {"login": "dora", "password": "explorer"})
        await page.ask("POST", "names?space=one", {"records": "wrong"})
        await page.get("people", space="one")
        rows = (await page.get("exchanges", filter="service:dashboard space:one"))["exchanges"]
        assert [(row["verb"], row["asked"], row["outcome"]) for row in rows] == [
            ("POST", "/api/v1/names?space=one", "422"), ("POST", "/api/v1/people?space=one", "200")]
        facts = rows[1]["facts"]
        assert facts["change"] == '{"login": "dora", "password": "..."}'
        assert rows[1]["explanation"]
