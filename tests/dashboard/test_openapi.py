"""The API's description, and that every answer is what it says."""

from __future__ import annotations

import json
import re
import smtplib
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import openapi_spec_validator
import pytest
import trio

from sandbox.dashboard.site import operations
from tests.support.dashboard import Page, Reply, live_page
from tests.support.mail import wait_for_mail

SERVICES = ("http", "dns", "smtp", "submission", "ftp")

CALLS: tuple[tuple[str, Mapping[str, object], object], ...] = (
    ("GET services", {}, None),
    ("GET me", {}, None),
    ("POST login", {}, {"token": "TOKEN"}),
    ("POST logout", {}, None),
    ("GET exchanges", {"filter": "protocol:http", "limit": 10, "before": 1000, "after": 0, "order": "oldest"}, None),
    ("GET exchanges/1", {}, None),
    ("GET journeys", {"filter": "protocol:http", "limit": 5, "kind": "page"}, None),
    ("GET journeys/JOURNEY", {}, None),
    ("GET count", {"filter": "outcome:200"}, None),
    ("GET groups", {"by": "outcome", "filter": "protocol:http"}, None),
    ("GET sessions", {"limit": 5, "filter": "protocol:http"}, None),
    ("GET sessions/1", {}, None),
    ("GET sessions/1/spans", {"stream": "syn"}, None),
    ("GET sessions/1/octets", {"stream": "server", "start": 0, "end": 100}, None),
    ("GET filter", {"text": "protocol:http outcome:4xx"}, None),
    ("GET filter/keys", {}, None),
    ("POST wait", {}, {"filter": "protocol:http", "count": 1, "since": 0, "timeout": 5}),
    ("POST wait/letters", {}, {"letter": {"to": "bob"}, "timeout": 5, "raw": True}),
    ("POST people", {}, {"login": "dora", "password": "explorer"}),
    ("DELETE people/dora", {}, None),
    ("POST names", {}, {"records": "api.shop.test A 127.0.0.1"}),
    ("DELETE names", {"name": "api.shop.test", "type": "A", "value": "127.0.0.1"}, None),
    ("POST files", {}, {"place": "homes/bob", "path": "a/b.txt", "text": "t"}),
    ("DELETE files", {"place": "homes/bob", "path": "a/b.txt"}, None),
    ("POST routes", {}, {"host": "shop.test", "path": "/pay", "status": 503, "times": 2}),
    ("GET routes", {}, None),
    ("DELETE routes/1", {}, None),
    ("POST snapshots", {}, {"name": "before"}),
    ("GET snapshots", {}, None),
    ("POST populate", {}, {"world": "[people.zoe]\npassword = 'zebra'\n"}),
    ("POST snapshots/before/restore", {}, {"parts": ["people"]}),
    ("DELETE snapshots/before", {}, None),
    ("POST reset", {}, {"parts": ["routes"]}),
    ("POST faults", {}, {"filter": "protocol:smtp verb:RCPT", "reply": "451", "times": 2}),
    ("GET faults", {}, None),
    ("GET faults/actions", {}, None),
    ("POST faults/1/go-on", {}, {"held": 0, "reply": {"code": "451", "text": "later"}}),
    ("DELETE faults/1", {}, None),
    ("DELETE faults", {}, None),
    ("POST spaces", {}, {"name": "one"}),
    ("GET spaces", {}, None),
    ("GET mail/bob/INBOX", {"space": "one"}, None),
    ("DELETE spaces/one", {}, None),
    ("GET people", {}, None),
    ("GET sites", {}, None),
    ("GET world", {}, None),
    ("GET names", {}, None),
    ("GET lookup", {"name": "www.example.com", "type": "A"}, None),
    ("GET files", {"place": "homes/alice", "path": ""}, None),
    ("GET files/content", {"place": "public", "path": "welcome.txt"}, None),
    ("GET mail", {}, None),
    ("GET mail/bob/INBOX", {"limit": 5}, None),
    ("GET mail/bob/INBOX/LETTER", {}, None),
    ("GET mail/bob/INBOX/LETTER/source", {}, None),
    ("GET mail/bob/INBOX/LETTER/html", {}, None),
    ("GET mail/bob/INBOX/LETTER/parts/1", {}, None),
    ("POST mail", {}, {"from": "alice@example.com", "to": ["bob@example.com"], "subject": "s", "text": "t"}),
    ("GET knowledge/http/status/404", {}, None),
    ("GET explain", {"word": "NXDOMAIN"}, None),
    ("GET concepts", {}, None),
    ("GET concepts", {"exchange": 1}, None),
    ("GET concepts/status-code", {}, None),
    ("POST labs/first-request/start", {}, {"learner": "Ada"}),
    ("POST labs/first-request/answers", {}, {"step": "page", "question": "sender", "answer": "client"}),
    ("POST labs/first-request/hints", {}, {"step": "page"}),
    ("GET labs", {"learner": "Ada"}, None),
    ("GET labs/first-request", {"learner": "Ada"}, None),
)
"""Each operation called for real."""

ELSEWHERE = {"GET events": "test_events"}


def pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))


def test_every_operation_is_called() -> None:
    called = [call for call, _, _ in CALLS]
    for operation in operations():
        name = f"{operation.method} {operation.path}"
        assert name in ELSEWHERE or any(pattern(name).fullmatch(call) for call in called), name


def test_every_parameter_is_used_in_a_call_or_has_a_test_of_its_own() -> None:
    used = {(call, name) for call, query, _ in CALLS for name in query}
    for operation in operations():
        name = f"{operation.method} {operation.path}"
        if name not in ELSEWHERE:
            for query in operation.queries:
                assert any(pattern(name).fullmatch(call) and given == query.name for call, given in used) \
                    or query.name in ("before", "space"), (name, query.name)


async def description(page: Page) -> dict[str, Any]:
    found = await page.get("openapi.json")
    assert isinstance(found, dict)
    return found


async def test_the_description_is_openapi(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        found = await description(page)
        openapi_spec_validator.validate(found)
        assert found["openapi"] == "3.1.0"
        assert found["servers"] == [{"url": f"http://{page.host}:{page.port}/api/v1"}]
        assert {(method.upper(), path) for path, methods in found["paths"].items() for method in methods} == {
            (operation.method, f"/{operation.path}") for operation in operations()}


async def test_every_answer_is_what_the_description_says(tmp_path: Path) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        whole = await description(page)
        uid = await something_happens(page)
        for call, query, body in CALLS:
            method, _, path = call.partition(" ")
            if isinstance(body, dict) and "token" in body:
                body = {"token": page.token}
            if "JOURNEY" in path:
                listed = (await page.get("journeys"))["journeys"]
                path = f"journeys/{next(one for one in listed if len(one['steps']) > 1)['steps'][0]['row']['id']}"
            reply = await page.ask(method, path.replace("LETTER", str(uid)), body, headers={}, source="127.0.0.1",
                                   **query)
            assert reply.status == 200, (call, reply.status, reply.body)
            fits(whole, method, path, reply)


async def test_every_problem_is_what_the_description_says(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        whole = await description(page)
        schema = {"$ref": "#/components/schemas/Problem", "components": whole["components"]}
        bad: tuple[tuple[str, str, object], ...] = (
            ("GET", "nothing-here", None), ("GET", "exchanges/0", None), ("GET", "exchanges/x", None),
            ("GET", "exchanges?limit=0", None), ("GET", "exchanges?limit=x", None), ("GET", "exchanges?what=1", None),
            ("GET", "exchanges?filter=host:", None), ("GET", "exchanges?filter=" + "a" * 5000, None),
            ("GET", "groups?by=nothing", None), ("GET", "sessions/9", None), ("DELETE", "people", None),
            ("GET", "sessions/9/octets", None), ("POST", "wait", b"{"), ("POST", "wait", {"filter": "protocol:"}),
            ("POST", "wait", {"timeout": -1}), ("POST", "wait", {"filter": "host:never.test", "timeout": 0}),
            ("GET", "knowledge/a/b/c", None), ("GET", "concepts/none", None), ("GET", "mail/a/b", None),
            ("GET", "mail/a/b/c", None), ("GET", "files?place=x", None), ("POST", "login", {"token": "wrong"}),
            ("POST", "login", {"other": 1}), ("GET", "filter?text=a:b:c(", None), ("GET", "/page/none.js", None),
            ("POST", "/", b""))
        for method, path, body in bad:
            reply = await page.ask(method, path, body)
            assert 400 <= reply.status < 500, (method, path, reply.body)
            assert reply.headers["content-type"] == "application/problem+json", (method, path)
            jsonschema.validate(reply.json, schema, cls=jsonschema.Draft202012Validator)
            assert reply.json["status"] == reply.status
            assert reply.json["detail"].endswith("."), reply.json


async def something_happens(page: Page) -> int:
    """A page is fetched, and a letter delivered, whose UID is given."""
    http, smtp = page.sandbox.endpoints["http"], page.sandbox.endpoints["smtp"]

    def work() -> None:
        with urllib.request.urlopen(f"http://{http}/", timeout=20) as response:
            response.read()
        with smtplib.SMTP(smtp.host, smtp.port, timeout=20) as client:
            client.sendmail("a@example.org", ["bob@example.com"], "Subject: hello\r\n\r\n482913 is your code\r\n")

    await trio.to_thread.run_sync(work)
    await page.ask("POST", "mail", {"from": "alice@example.com", "to": ["carol@example.com"], "text": "by a hop"})
    await wait_for_mail(page.sandbox.world.open_mail(), "carol", b"by a hop")
    await page.sandbox.journal.settle()
    return int((await page.get("mail/bob/INBOX"))["letters"][0]["uid"])


def fits(whole: dict[str, Any], method: str, path: str, reply: Reply) -> None:
    """Raises ValidationError."""
    [template] = [known for known in whole["paths"]
                  if pattern(known.removeprefix("/")).fullmatch(path) and method.lower() in whole["paths"][known]
                  and (known.count("{") == 0 or path not in {one.removeprefix("/") for one in whole["paths"]})]
    media = reply.headers["content-type"].partition(";")[0]
    content = whole["paths"][template][method.lower()]["responses"]["200"]["content"]
    assert set(content) == {media}
    if media == "application/json":
        closed = json.loads(json.dumps(whole["components"]))
        for schema in closed["schemas"].values():
            if schema.get("type") == "object" and "properties" in schema:
                schema["additionalProperties"] = False      # what is not described is not told
        jsonschema.validate(reply.json, {**content[media]["schema"], "components": closed},
                            cls=jsonschema.Draft202012Validator)


async def test_an_answer_that_is_not_as_described_would_be_found(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        whole = await description(page)
        reply = await page.ask("GET", "me")
        for wrong in ({**reply.json, "more": 1}, {**reply.json, "started": "now"}):
            with pytest.raises(jsonschema.ValidationError):
                fits(whole, "GET", "me", Reply(200, reply.headers, json.dumps(wrong).encode()))
