"""Who sees what: the owner on this machine, a teacher with the token, a visitor from elsewhere."""

from __future__ import annotations

import smtplib
import socket
from pathlib import Path
from typing import Any

import pytest
import trio

from sandbox.dashboard.access import loopback, plain
from sandbox.dashboard.site import operations
from tests.dashboard.test_events import fetch
from tests.dashboard.test_files import upload
from tests.dashboard.test_openapi import CALLS
from tests.support.dashboard import OWNER, VISITOR, Page, Reply, live_page

SERVICES = ("http", "dns", "smtp", "submission", "ftp")
SECRET = "owners-only-4711"
"""Occurs in all that the owner does."""


async def owner_does(page: Page) -> int:
    """Something in every corner, whose marks no visitor may find. Gives the letter's UID."""
    await fetch(page, f"/{SECRET}")
    await upload(page, "alice", "wonderland", f"/{SECRET}.txt", SECRET.encode())
    smtp = page.sandbox.endpoints["smtp"]

    def send() -> None:
        with smtplib.SMTP(smtp.host, smtp.port, timeout=20) as client:
            client.sendmail(f"{SECRET}@example.org", ["bob@example.com"], f"Subject: {SECRET}\r\n\r\n{SECRET}\r\n")

    await trio.to_thread.run_sync(send)
    await page.sandbox.journal.settle()
    return int((await page.get("mail/bob/INBOX"))["letters"][0]["uid"])


async def asked(page: Page, call: str, query: dict[str, object], body: object, uid: int, source: str,
                headers: dict[str, str]) -> Reply:
    method, _, path = call.partition(" ")
    if isinstance(body, dict) and "filter" in body:
        body = {**body, "timeout": 0.2}
    return await page.ask(method, path.replace("LETTER", str(uid)), body, source=source, headers=headers, **query)


async def test_no_answer_to_a_visitor_has_anything_of_somebody_else(tmp_path: Path) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        uid = await owner_does(page)
        found = set()
        sessions = (await page.get("count"))["count"]
        for call, query, body in CALLS:
            if call.startswith("POST log"):
                continue
            own: dict[str, object] = {name: "" if name == "filter" else value for name, value in query.items()}
            if call in ("GET files", "GET files/content"):
                own |= {"place": "homes/alice", "path": "" if call == "GET files" else f"{SECRET}.txt"}
            reply = await asked(page, call, own, body, uid, VISITOR, {})
            assert SECRET.encode() not in reply.body, call
            assert b"wonderland" not in reply.body, call
            assert b"chalk" not in reply.body, call
            owners = await asked(page, call, own, body, uid, OWNER, {})
            if SECRET.encode() in owners.body:
                found.add(call.partition("?")[0])
        # That the marks are found where they may be shows that the look for them is one.
        assert found >= {"GET exchanges", "GET files", "GET files/content", "GET mail/bob/INBOX",
                         "GET mail/bob/INBOX/LETTER", "GET mail/bob/INBOX/LETTER/source"}
        assert sessions > 0
        assert (await page.get("count", source=VISITOR))["count"] == 0


async def test_every_exchange_and_session_of_others_is_not_there_for_a_visitor(tmp_path: Path) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        await owner_does(page)
        await fetch(page, "/mine", source=VISITOR)
        await page.sandbox.journal.settle()
        rows = (await page.get("exchanges", limit=1000))["exchanges"]
        mine = {row["id"] for row in rows if row["client"]["host"] == VISITOR}
        assert len(mine) == 1
        for row in rows:
            wanted = 200 if row["id"] in mine else 404
            for path in (f"exchanges/{row['id']}", f"sessions/{row['session']}", f"sessions/{row['session']}/octets"):
                assert (await page.ask("GET", path, source=VISITOR)).status == wanted, path
        listed = (await page.get("exchanges", source=VISITOR))["exchanges"]
        assert {row["id"] for row in listed} == mine
        groups = (await page.get("groups", source=VISITOR, by="client"))["groups"]
        assert groups == [{"value": VISITOR, "count": 1}]
        assert len((await page.get("sessions", source=VISITOR))["sessions"]) == 1


async def test_a_visitor_changes_nothing(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        changing = [operation for operation in operations() if operation.changes]
        assert changing
        for operation in changing:
            reply = await page.ask(operation.method, operation.path, {}, source=VISITOR)
            assert reply.status == 403, operation.path
            assert "token" in reply.json["hint"]
        own = {"labs/{name}/start", "labs/{name}/answers", "labs/{name}/hints"}  # see tests/labs/test_learners.py
        harmless = {"wait", "wait/letters", "login", "logout", *own}
        assert {operation.path for operation in operations() if operation.method != "GET"} == {
            *harmless, *(operation.path for operation in changing)}


async def test_what_a_wait_nearly_saw_is_of_the_visitor_alone(tmp_path: Path) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        await owner_does(page)
        await fetch(page, "/mine", source=VISITOR)
        reply = await page.ask("POST", "wait", {"filter": "protocol:http outcome:500", "timeout": 0.1},
                               source=VISITOR)
        assert reply.status == 408
        assert [near["exchange"]["facts"]["path"] for near in reply.json["near_misses"]] == ["/mine"]
        assert reply.json["near_misses"][0]["failed"] == ["outcome:500"]


# -- the token ----------------------------------------------------------------------------------------------------


async def test_the_token_becomes_a_cookie_that_shows_all(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        assert (await page.get("me"))["role"] == "owner"
        assert (await page.get("me", source=VISITOR))["role"] == "visitor"
        wrong = await page.ask("POST", "login", {"token": "x" * 32}, source=VISITOR)
        assert wrong.status == 403
        assert "set-cookie" not in wrong.headers
        right = await page.ask("POST", "login", {"token": page.token}, source=VISITOR)
        assert (right.status, right.json["role"]) == (200, "teacher")
        cookie = right.headers["set-cookie"]
        assert {part.strip() for part in cookie.split(";")[1:]} == {"Path=/", "HttpOnly", "SameSite=Strict"}
        headers = {"Cookie": cookie.split(";")[0]}
        assert (await page.get("me", source=VISITOR, headers=headers))["role"] == "teacher"
        people = (await page.get("people", source=VISITOR, headers=headers))["people"]
        assert "chalk" in {one["password"] for one in people}
        gone = await page.ask("POST", "logout", source=VISITOR, headers=headers)
        assert "Max-Age=0" in gone.headers["set-cookie"]


@pytest.mark.parametrize("headers", [
    {"Cookie": "sandbox_token=wrong"}, {"Cookie": "sandbox_token="}, {"Cookie": "\"; ;=,"},
    {"Authorization": "Bearer wrong"}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer"},
    {"Authorization": "Bearer \xff"}, {"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"},
])
async def test_nothing_but_the_token_makes_a_teacher(tmp_path: Path, headers: dict[str, str]) -> None:
    async with live_page(tmp_path, "http") as page:
        assert (await page.get("me", source=VISITOR, headers=headers))["role"] == "visitor"


async def test_a_program_gives_the_token_in_a_header(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        headers = {"Authorization": f"Bearer {page.token}"}
        assert (await page.get("me", source=VISITOR, headers=headers))["role"] == "teacher"


# -- what browsers can be made to send ----------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.test", "evil.test:80", "127.0.0.1.evil.test", "localhost.evil.test", "0x7f.1",
                                  "www.example.com"])
async def test_a_name_that_somebody_points_here_is_refused(tmp_path: Path, host: str) -> None:
    async with live_page(tmp_path, "http") as page:
        for path in ("people", "/", "/metrics", "openapi.json"):
            reply = await page.ask("GET", path, headers={"Host": host})
            assert reply.status == 421, (path, reply.body)
            assert reply.headers["content-type"] == "application/problem+json"


async def test_the_machines_own_name_is_one_of_it(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        name = socket.gethostname().lower()
        for host in (name, f"{name.partition('.')[0]}.local", f"{name.upper()}:8000"):
            assert (await page.ask("GET", "me", headers={"Host": host})).status == 200, host


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8000", "sandbox.localhost", "192.168.1.10:8000"])
async def test_addresses_and_localhost_are_names_of_it(tmp_path: Path, host: str) -> None:
    async with live_page(tmp_path, "http") as page:
        assert (await page.ask("GET", "me", headers={"Host": host})).status == 200


@pytest.mark.parametrize("headers", [
    {"Origin": "http://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://127.0.0.1:1"}, {"Origin": "https://127.0.0.1"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
])
async def test_what_a_page_of_another_origin_makes_a_browser_send_is_refused(tmp_path: Path, headers: dict[str, str],
                                                                             ) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        letter = {"from": "alice@example.com", "to": ["bob@example.com"], "subject": "forged"}
        reply = await page.ask("POST", "mail", letter, headers=headers)
        assert reply.status == 403, reply.body
        if "Sec-Fetch-Mode" not in headers:
            assert (await page.ask("GET", "people", headers=headers)).status == 403
        form = {**headers, "Content-Type": "text/plain"}
        assert (await page.ask("POST", "mail", b"{}", headers=form)).status == 403
        await page.sandbox.journal.settle()
        assert (await page.get("count", filter="protocol:smtp"))["count"] == 0


async def test_a_link_from_elsewhere_may_lead_to_the_page(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        assert (await page.ask("GET", "/", headers=headers)).status == 200


async def test_its_own_page_may_ask(tmp_path: Path) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        headers = {"Origin": f"http://{page.host}:{page.port}", "Sec-Fetch-Site": "same-origin"}
        letter = {"from": "alice@example.com", "to": ["bob@example.com"], "subject": "ours"}
        assert (await page.ask("POST", "mail", letter, headers=headers)).status == 200


async def test_a_form_of_a_browser_without_fetch_metadata_is_no_json(tmp_path: Path) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            reply = await page.ask("POST", "mail", b'{"from": "a@b", "to": ["c@d"]}', headers={"Content-Type": kind})
            assert reply.status == 415


async def test_no_answer_may_be_read_by_other_pages_framed_or_run(tmp_path: Path) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        uid = await owner_does(page)
        paths = [call.partition(" ")[2].replace("LETTER", str(uid)) for call, _, _ in CALLS if call.startswith("GET")]
        for path in (*paths, "openapi.json", "/", "/metrics", "/nowhere.js", "nowhere"):
            reply = await page.ask("GET", path, headers={"Origin": f"http://{page.host}:{page.port}"})
            assert not [name for name in reply.headers if name.startswith("access-control-")], path
            policy = reply.headers["content-security-policy"]
            assert "default-src 'none'" in policy, path
            assert "'unsafe-inline'" not in policy or path.endswith("/html"), path
            assert "'unsafe-eval'" not in policy
            assert "frame-ancestors 'none'" in policy or path.endswith("/html"), path
            assert reply.headers["x-content-type-options"] == "nosniff", path
            assert reply.headers["referrer-policy"] == "no-referrer", path


# -- bounds -------------------------------------------------------------------------------------------------------


async def test_bodies_are_bounded(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        large: Any = {"token": "x" * 2_000_000}
        for path in ("login", "wait", "mail"):
            reply = await page.ask("POST", path, large)
            assert (reply.status, reply.headers["content-type"]) == (413, "application/problem+json"), path


async def test_parameters_are_bounded(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        for path in ("explain?word=" + "x" * 5000, "filter?text=" + "%28" * 2000,
                     "me?" + "&".join(f"a{number}=1" for number in range(100))):
            reply = await page.ask("GET", path)
            assert (reply.status, reply.headers["content-type"]) == (400, "application/problem+json"), path[:40]


@pytest.mark.parametrize(("host", "own"), [
    ("127.0.0.1", True), ("127.53.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("192.168.1.10", False),
    ("::ffff:192.168.1.10", False), ("fe80::1%eth0", False), ("0.0.0.0", False), ("2001:db8::1", False),
])
def test_only_loopback_is_this_machine(host: str, own: bool) -> None:
    assert loopback(plain(host)) is own
