from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.websites import Client, websites

API = "http://api.example.com"
JSON = "application/json"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with websites(tmp_path) as opened:
        yield opened


async def test_the_life_of_a_resource(client: Client) -> None:
    made = await client.post(f"{API}/people", b'{"name": "Ada"}', JSON)
    assert (made.status, made.headers.get("location")) == (201, f"{API}/people/1")
    assert json.loads(made.body) == {"id": "1", "name": "Ada"}
    put = await client.ask("PUT", f"{API}/people/1", b'{"name": "Bea"}', Content_Type=JSON)
    assert (put.status, put.headers.get("location")) == (200, "")
    patched = await client.ask("PATCH", f"{API}/people/1", b'{"born": 1815, "name": null}',
                               Content_Type="application/merge-patch+json")
    assert json.loads(patched.body) == {"id": "1", "born": 1815}
    got = await client.get(f"{API}/people/1")
    assert (got.body, got.headers.get("etag")) == (patched.body, patched.headers.get("etag"))
    gone = await client.ask("DELETE", f"{API}/people/1")
    assert (gone.status, gone.body) == (204, b"")
    for method in ("GET", "DELETE"):
        assert (await client.ask(method, f"{API}/people/1")).status == 404


async def test_put_creates_where_it_says(client: Client) -> None:
    made = await client.ask("PUT", f"{API}/people/ada", b"{}", Content_Type=JSON)
    assert (made.status, made.headers.get("location")) == (201, f"{API}/people/ada")


async def test_a_collection_comes_in_pages(client: Client) -> None:
    for _ in range(5):
        await client.post(f"{API}/notes", b"{}", JSON)
    page = await client.get(f"{API}/notes?page=2&per_page=2")
    assert [item["id"] for item in json.loads(page.body)] == ["3", "4"]
    assert page.headers.get("x-total-count") == "5"
    for relation, number in (("first", 1), ("prev", 1), ("next", 3), ("last", 3)):
        assert f'<{API}/notes?page={number}&per_page=2>; rel="{relation}"' in page.headers.get("link")
    assert json.loads((await client.get(f"{API}/nothing")).body) == []
    listed = json.loads((await client.get(f"{API}/")).body)
    assert listed["collections"] == [{"name": "notes", "count": 5, "url": f"{API}/notes"}]


async def test_conditions_guard_changes(client: Client) -> None:
    made = await client.post(f"{API}/people", b"{}", JSON)
    old = made.headers.get("etag")
    changed = await client.ask("PUT", f"{API}/people/1", b'{"x": 1}', Content_Type=JSON, If_Match=old)
    assert changed.status == 200
    for method, fields in (("PUT", {"If_Match": old}), ("PATCH", {"If_Match": f"W/{changed.headers.get('etag')}"}),
                           ("DELETE", {"If_Match": old}), ("PUT", {"If_None_Match": "*"})):
        refused = await client.ask(method, f"{API}/people/1", b"{}", Content_Type=JSON, **fields)
        assert (method, refused.status, refused.headers.get("etag")) == (method, 412, changed.headers.get("etag"))
    assert (await client.get(f"{API}/people/1", If_None_Match=changed.headers.get("etag"))).status == 304
    assert (await client.ask("PUT", f"{API}/people/9", b"{}", Content_Type=JSON, If_Match="*")).status == 412


@pytest.mark.parametrize(("method", "path", "body", "media_type", "status"), [
    ("POST", "/people", b"{", JSON, 400),
    ("POST", "/people", b"[]", JSON, 422),
    ("POST", "/people", b'{"id": 7}', JSON, 422),
    ("PUT", "/people/1", b'{"id": "2"}', JSON, 422),
    ("PUT", "/people/a%20b", b"{}", JSON, 422),
    ("POST", "/people", b"a=1", "application/x-www-form-urlencoded", 415),
    ("POST", "/people", b"{}", "text/plain", 415),
    ("PATCH", "/people/1", b"{}", JSON, 404),
    ("POST", "/people", b'{"x": "' + b"a" * 70_000 + b'"}', JSON, 422),
    ("POST", "/people", b'{"x": "' + b"a" * 200_000 + b'"}', JSON, 413),
    ("POST", "/People", b"{}", JSON, 404),
    ("GET", "/people?page=0", b"", "", 400),
    ("GET", "/people?per_page=101", b"", "", 400),
    ("GET", "/people?colour=red", b"", "", 400),
    ("GET", "/people/1/2/3", b"", "", 404),
    ("PUT", "/people", b"{}", JSON, 405),
])
async def test_what_is_wrong_is_a_problem(client: Client, method: str, path: str, body: bytes, media_type: str,
                                          status: int) -> None:
    reply = await client.ask(method, API + path, body, **({"Content_Type": media_type} if media_type else {}))
    assert (reply.status, reply.headers.get("content-type")) == (status, "application/problem+json")
    about = json.loads(reply.body)
    assert about["status"] == status
    assert len(about["detail"]) > 20


async def test_a_taken_id_is_a_conflict(client: Client) -> None:
    await client.post(f"{API}/people", b'{"id": "ada"}', JSON)
    assert (await client.post(f"{API}/people", b'{"id": "ada"}', JSON)).status == 409


async def test_other_methods_are_told_which_there_are(client: Client) -> None:
    refused = await client.ask("PUT", f"{API}/people", b"{}", Content_Type=JSON)
    assert refused.headers.get("allow") == "GET, HEAD, POST, OPTIONS"
    options = await client.ask("OPTIONS", f"{API}/people/1")
    assert (options.status, options.headers.get("allow")) == (204, "GET, HEAD, PUT, PATCH, DELETE, OPTIONS")


@pytest.mark.parametrize(("origin", "allowed"), [
    ("http://www.example.com", True), ("http://localhost:3000", True), ("http://127.0.0.1:3000", True),
    ("http://[::1]:80", True), ("https://evil.test", False), ("null", False), ("http://[", False),
])
async def test_only_pages_of_this_machine_may_call(client: Client, origin: str, allowed: bool) -> None:
    reply = await client.get(f"{API}/people", Origin=origin)
    assert reply.headers.get("access-control-allow-origin") == (origin if allowed else "")


async def test_it_is_under_every_home_site_too(client: Client) -> None:
    made = await client.post("http://localhost:8080/api/people", b"{}", JSON)
    assert made.headers.get("location") == "http://localhost:8080/api/people/1"
    assert (await client.get(f"{API}/people/1")).status == 200
