from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from tests.support.websites import Client, websites

SITE = "http://www.example.com"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with websites(tmp_path) as opened:
        yield opened


async def test_events_go_on_where_the_client_was(client: Client, autojump_clock: object) -> None:
    first = (await client.get(f"{SITE}/events")).body.decode()
    assert first.startswith("retry: 1000\n\nid: 1\nevent: tick\ndata: {\"number\": 1}\n\n")
    assert "id: 20\n" in first
    again = await client.get(f"{SITE}/events", Last_Event_ID="20")
    assert again.headers.get("content-type") == "text/event-stream"
    assert again.body.decode().startswith("retry: 1000\n\nid: 21\n")
    for nonsense in ("x", "-1", "9" * 30, ""):
        assert b"\n\nid: 1\n" in (await client.get(f"{SITE}/events", Last_Event_ID=nonsense)).body


async def test_streams_and_delays_take_their_time(client: Client, autojump_clock: object) -> None:
    start = trio.current_time()
    stream = await client.get(f"{SITE}/stream")
    assert stream.body.splitlines()[-1] == b"line 10 of 10"
    assert trio.current_time() - start == pytest.approx(4.5)
    assert (await client.get(f"{SITE}/delay/3")).body == b"This took 3 seconds.\n"
    assert trio.current_time() - start == pytest.approx(7.5)


async def test_a_trailer_says_what_the_content_was(client: Client) -> None:
    reply = await client.get(f"{SITE}/trailers")
    digest = base64.b64encode(hashlib.sha256(reply.body).digest()).decode()
    assert reply.headers.get("trailer") == "Content-Digest"
    assert reply.trailers.get("content-digest") == f"sha-256=:{digest}:"


@pytest.mark.parametrize(("name", "length"), [("0", 0), ("1000", 1000), ("1KB", 1000), ("3kib", 3072), ("1MB", 10**6),
                                              ("70000.bin", 70_000), ("5B", 5)])
async def test_downloads_are_as_large_as_they_are_called(client: Client, name: str, length: int) -> None:
    reply = await client.get(f"{SITE}/download/{name}")
    assert (reply.status, reply.headers.get("content-length")) == (200, str(length))
    assert reply.body == (bytes(range(256)) * (length // 256 + 1))[:length]


async def test_a_download_goes_on_where_it_broke_off(client: Client) -> None:
    whole = await client.get(f"{SITE}/download/200000")
    part = await client.get(f"{SITE}/download/200000", Range="bytes=70001-", If_Range=whole.headers.get("etag"))
    assert (part.status, part.body) == (206, whole.body[70_001:])


@pytest.mark.parametrize("name", ["x", "-1", "11GB", "99999999999GB", "1TB", "1.5MB"])
async def test_other_downloads_there_are_none(client: Client, name: str) -> None:
    assert (await client.get(f"{SITE}/download/{name}")).status == 404


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_redirects(client: Client, code: int) -> None:
    for method in ("GET", "POST"):
        reply = await client.ask(method, f"{SITE}/redirect/{code}", Content_Length="0")
        assert (reply.status, reply.headers.get("location")) == (code, "/httpbin/anything")


async def test_status_codes_have_something_to_say(client: Client) -> None:
    assert (await client.get(f"{SITE}/status/503")).body == b"This is what 503 looks like.\n"
    assert (await client.get(f"{SITE}/status/204")).body == b""
    for bad in ("99", "199", "600", "x"):
        assert (await client.get(f"{SITE}/status/{bad}")).status == 400


async def test_forms_show_what_arrived(client: Client) -> None:
    assert b"sand" in (await client.get(f"{SITE}/forms/query?q=sand")).body
    assert b"Alice" in (await client.post(f"{SITE}/forms/send", b"name=Alice")).body
    parts = (b'--x\r\nContent-Disposition: form-data; name="f"; filename="t.txt"\r\nContent-Type: text/x\r\n\r\nhello'
             b"\r\n--x--\r\n")
    page = (await client.post(f"{SITE}/forms/send", parts, "multipart/form-data; boundary=x")).body
    assert b"t.txt" in page
    assert b"5 octets" in page
    refused = await client.post(f"{SITE}/forms/send", b"{}", "application/json")
    assert (refused.status, "multipart/form-data" in refused.headers.get("accept-post")) == (415, True)
    assert (await client.post(f"{SITE}/login", b"name=" + b"a" * 9_000)).status == 413


async def test_the_streams_page_may_run_its_one_script(client: Client) -> None:
    reply = await client.get(f"{SITE}/streams")
    script = reply.body.partition(b"<script>")[2].partition(b"</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in reply.headers.get("content-security-policy")
