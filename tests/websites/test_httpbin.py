from __future__ import annotations

import base64
import gzip
import json
import random
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from sandbox.websites.httpbin import THEMES
from sandbox.websites.httpbin.formats import brotli
from sandbox.websites.httpbin.status import weighted
from tests.support.websites import Client, websites

BIN = "http://httpbin.example.com"
SLOW = {"/delay/2", "/drip?duration=2&numbytes=10"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with websites(tmp_path) as opened:
        yield opened


async def json_of(client: Client, path: str, **fields: str) -> Any:
    reply = await client.get(BIN + path, **fields)
    assert (reply.status, reply.headers.get("content-type")) == (200, "application/json"), path
    return json.loads(reply.body)


@pytest.mark.parametrize("base", [BIN, "http://www.example.com/httpbin"])
async def test_what_the_index_lists_is_there(client: Client, base: str) -> None:
    expected = {"/hidden-basic-auth/user/passwd": {404}, "/bearer": {401}, "/status/404": {404},
                "/status/200:0.5,503:0.5": {200, 503}}
    for example in (example for theme in THEMES for example, _, _ in theme.INDEX if example not in SLOW):
        first = example.split("/")[1].partition("?")[0]
        leads_on = "redirect" in first or "cookies/" in example
        usual = {401} if first.endswith("-auth") else {302, 307} if leads_on else {200}
        assert (await client.get(base + example)).status in expected.get(example, usual), example


async def test_get_has_httpbins_shape(client: Client) -> None:
    found = await json_of(client, "/get?a=1&a=2&b=", X_Thing="yes")
    assert set(found) == {"args", "headers", "origin", "url"}
    assert found["args"] == {"a": ["1", "2"], "b": ""}
    assert (found["headers"]["X-Thing"], found["headers"]["Host"]) == ("yes", "httpbin.example.com")
    assert (found["origin"], found["url"]) == ("127.0.0.1", f"{BIN}/get?a=1&a=2&b=")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_what_is_sent_comes_back(client: Client, method: str) -> None:
    async def send(body: bytes, media_type: str) -> dict[str, Any]:
        reply = await client.ask(method, f"{BIN}/{method.lower()}?q=1", body, Content_Type=media_type)
        found: dict[str, Any] = json.loads(reply.body)
        assert set(found) == {"args", "data", "files", "form", "headers", "json", "origin", "url"}
        return found

    form = await send(b"a=1&b=2&b=3", "application/x-www-form-urlencoded")
    assert (form["form"], form["data"], form["json"]) == ({"a": "1", "b": ["2", "3"]}, "", None)
    document = await send(b'{"x": [1]}', "application/json")
    assert (document["json"], document["data"], document["form"]) == ({"x": [1]}, '{"x": [1]}', {})
    binary = await send(b"\xff\x00", "image/png")
    assert binary["data"] == "data:image/png;base64,/wA="
    parts = (b'--x\r\nContent-Disposition: form-data; name="f"; filename="t.txt"\r\n\r\nhello\r\n'
             b'--x\r\nContent-Disposition: form-data; name="k"\r\n\r\nv\r\n--x--\r\n')
    multipart = await send(parts, "multipart/form-data; boundary=x")
    assert (multipart["files"], multipart["form"], multipart["data"]) == ({"f": "hello"}, {"k": "v"}, "")


async def test_anything_takes_everything(client: Client) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        reply = await client.ask(method, f"{BIN}/anything/deep/er?x=y", b"hello")
        found = json.loads(reply.body)
        assert (found["method"], found["data"], found["args"]) == (method, "hello", {"x": "y"})


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("code", [200, 201, 204, 301, 401, 404, 407, 416, 418, 426, 500, 503, 599])
async def test_any_status(client: Client, method: str, code: int) -> None:
    reply = await client.ask(method, f"{BIN}/status/{code}", Content_Length="0")
    assert reply.status == code
    wanted = {301: "location", 401: "www-authenticate", 407: "proxy-authenticate", 426: "upgrade"}
    assert wanted.get(code, "date") in reply.headers


@pytest.mark.parametrize("codes", ["x", "99", "100", "600", "200:x", "200:-1", "200:0", "", "200,", "200:nan",
                                   "200:inf"])
async def test_what_is_no_status_is_a_400(client: Client, codes: str) -> None:
    assert (await client.get(f"{BIN}/status/{codes}")).status == (404 if not codes else 400)


def test_weights_count() -> None:
    found = Counter(weighted("200:3,500:1,404:0") for _ in range(2_000))
    assert set(found) == {200, 500}
    assert 1.5 < found[200] / found[500] < 6


async def test_redirects_end_at_get(client: Client) -> None:
    for kind in ("redirect", "relative-redirect", "absolute-redirect"):
        url = f"http://www.example.com/httpbin/{kind}/3"
        for _ in range(3):
            reply = await client.get(url)
            assert reply.status == 302
            location = reply.headers.get("location")
            assert location.startswith("http") == (kind == "absolute-redirect")
            url = location if location.startswith("http") else f"http://www.example.com{location}"
        assert url == "http://www.example.com/httpbin/get"
    assert (await client.get(f"{BIN}/redirect/2?absolute=true")).headers.get("location").startswith("http://")


@pytest.mark.parametrize(("query", "status", "location"), [
    ("url=/get", 302, "/get"), ("url=http://x.test/&status_code=307", 307, "http://x.test/"),
    ("url=/get&status_code=200", 302, "/get"), ("x=1", 400, ""), ("url=%0d%0aX:%20y", 400, ""),
    ("url=a%20b", 400, ""),
    ("url=/get&status_code=x", 400, "")])
async def test_redirect_to(client: Client, query: str, status: int, location: str) -> None:
    reply = await client.get(f"{BIN}/redirect-to?{query}")
    assert (reply.status, reply.headers.get("location")) == (status, location)
    posted = await client.post(f"{BIN}/redirect-to", query.encode())
    assert (posted.status, posted.headers.get("location")) == (status, location)


async def test_cookies(client: Client) -> None:
    assert await json_of(client, "/cookies", Cookie='a=1; b="two"; a=3') == {"cookies": {"a": "1", "b": "two"}}
    put = await client.get(f"{BIN}/cookies/set?a=1&b=2")
    assert (put.status, put.headers.get("location")) == (302, "/cookies")
    assert put.headers.get_all("set-cookie") == ["a=1; Path=/", "b=2; Path=/"]
    assert (await client.get(f"{BIN}/cookies/set/a/1")).headers.get("set-cookie") == "a=1; Path=/"
    assert "Max-Age=0" in (await client.get(f"{BIN}/cookies/delete?a")).headers.get("set-cookie")
    for bad in ("/cookies/set?a%20b=1", "/cookies/set?a=1%0d%0aX:%202", "/cookies/set?a=1;%20Domain=x"):
        assert (await client.get(BIN + bad)).status == 400


async def test_passwords(client: Client) -> None:
    right = "Basic " + base64.b64encode(b"user:pass word").decode()
    for path, refused in (("basic-auth", 401), ("hidden-basic-auth", 404)):
        assert (await client.get(f"{BIN}/{path}/user/pass%20word")).status == refused
        assert await json_of(client, f"/{path}/user/pass%20word", Authorization=right) == {
            "authenticated": True, "user": "user"}
        assert (await client.get(f"{BIN}/{path}/user/other", Authorization=right)).status == refused
    assert await json_of(client, "/bearer", Authorization="Bearer abc") == {"authenticated": True, "token": "abc"}
    assert (await client.get(f"{BIN}/bearer", Authorization="Bearer a b")).headers.get("www-authenticate") == "Bearer"
    either = (await client.get(f"{BIN}/digest-auth/neither/user/pass")).headers.get("www-authenticate")
    assert 'qop="auth,auth-int"' in either
    for algorithm in ("MD5", "SHA-256", "SHA-512", "SHA-512-256"):
        challenge = await client.get(f"{BIN}/digest-auth/auth/user/pass/{algorithm}/3")
        assert f"algorithm={algorithm}," in challenge.headers.get("www-authenticate")


async def test_codings_are_what_they_say(client: Client) -> None:
    for path, name, decode in (("/gzip", "gzipped", gzip.decompress), ("/deflate", "deflated", zlib.decompress)):
        reply = await client.get(BIN + path)
        assert json.loads(decode(reply.body))[name] is True
        assert reply.headers.get("content-encoding") == path[1:]
    assert (await client.get(f"{BIN}/brotli")).headers.get("content-encoding") == "br"


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 200_000])
def test_brotli_frames_every_block(size: int) -> None:
    """RFC 7932 §9.2, read back by hand."""
    data, coded = bytes(size), brotli(bytes(size))
    bits, at, out = 1, 0, b""
    while coded[at:] not in (b"\x03", b"\x06"):
        head = int.from_bytes(coded[at:at + 3], "little") >> bits
        bits = 0
        assert head & 0b111 == 0
        assert head >> 19 == 1
        length = (head >> 3 & 0xFFFF) + 1
        out += coded[at + 3:at + 3 + length]
        at += 3 + length
    assert out == data


async def test_data(client: Client) -> None:
    assert len((await client.get(f"{BIN}/bytes/100")).body) == 100
    seeded = [(await client.get(f"{BIN}/bytes/50?seed=7")).body for _ in range(2)]
    assert seeded[0] == seeded[1] == (await client.get(f"{BIN}/stream-bytes/50?seed=7&chunk_size=3")).body
    told = random.Random(7)
    assert seeded[0] == bytes(told.randint(0, 255) for _ in range(50)), "as httpbin.org makes them"
    assert len((await client.get(f"{BIN}/bytes/99999999")).body) == 102_400
    lines = (await client.get(f"{BIN}/stream/3?x=1")).body.splitlines()
    assert [(json.loads(line)["id"], json.loads(line)["args"]) for line in lines] == [
        (number, {"x": "1"}) for number in range(3)]
    assert (await client.get(f"{BIN}/base64/SGVsbG8")).body == b"Hello"
    assert (await client.get(f"{BIN}/base64/%F0%9F")).body.startswith(b"Incorrect")
    assert len({(await json_of(client, "/uuid"))["uuid"] for _ in range(2)}) == 2
    for bad in ("/bytes/x", "/stream/1.5", "/delay/x", "/delay/nan", "/drip?numbytes=0", "/links/a/b", "/redirect/0"):
        assert (await client.get(BIN + bad)).status == 400, bad


async def test_ranges(client: Client) -> None:
    whole = await client.get(f"{BIN}/range/30")
    assert (whole.body, whole.headers.get("etag")) == (b"abcdefghijklmnopqrstuvwxyzabcd", '"range30"')
    part = await client.get(f"{BIN}/range/30", Range="bytes=2-4")
    assert (part.status, part.body, part.headers.get("content-range")) == (206, b"cde", "bytes 2-4/30")
    assert (await client.get(f"{BIN}/range/30", Range="bytes=30-")).status == 416
    assert (await client.get(f"{BIN}/range/0")).status == 404


async def test_a_range_takes_its_time_too(client: Client, autojump_clock: object) -> None:
    began = trio.current_time()
    part = await client.get(f"{BIN}/range/100?duration=10&chunk_size=10", Range="bytes=20-49")
    assert (part.status, len(part.body), part.headers.get("content-range")) == (206, 30, "bytes 20-49/100")
    assert trio.current_time() - began == pytest.approx(2)


async def test_a_proxy_before_it_says_how_it_was_asked(client: Client) -> None:
    assert (await json_of(client, "/get", X_Forwarded_Proto="https"))["url"] == "https" + BIN[4:] + "/get"
    assert (await json_of(client, "/get", X_Forwarded_Proto="gopher"))["url"] == f"{BIN}/get"


@pytest.mark.parametrize("path", ["/post", "/anything"])
async def test_noise_called_a_form_comes_back_as_data(client: Client, path: str) -> None:
    """curl --data-binary calls everything a form; nobody asked for its fields."""
    for body, media_type in ((b"&=" * 1_000_000, "application/x-www-form-urlencoded"),
                             (b"no parts at all", "multipart/form-data; boundary=x")):
        reply = await client.post(BIN + path, body, media_type)
        assert reply.status == 200
        assert (json.loads(reply.body)["form"], json.loads(reply.body)["data"]) == ({}, body.decode())


async def test_time_passes(client: Client, autojump_clock: object) -> None:
    import trio
    start = trio.current_time()
    assert (await client.get(f"{BIN}/delay/99")).status == 200
    assert trio.current_time() - start == pytest.approx(10)
    reply = await client.get(f"{BIN}/drip?duration=3&delay=2&numbytes=1000&code=503")
    assert (reply.status, reply.body, reply.headers.get("content-length")) == (503, b"*" * 1000, "1000")
    assert trio.current_time() - start == pytest.approx(15)


async def test_links_lead_to_all_but_the_page_itself(client: Client) -> None:
    assert (await client.get(f"{BIN}/links/3")).headers.get("location") == "/links/3/0"
    page = (await client.get("http://www.example.com/httpbin/links/3/1")).body.decode()
    assert re.findall(r'href="([^"]+)"', page) == ["/httpbin/links/3/0", "/httpbin/links/3/2"]


@pytest.mark.parametrize(("accept", "media_type"), [
    ("", "image/png"), ("*/*", "image/png"), ("image/*", "image/png"), ("image/webp,*/*", "image/webp"),
    ("image/svg+xml", "image/svg+xml"), ("image/jpeg", "image/jpeg"), ("text/html", "application/json")])
async def test_pictures(client: Client, accept: str, media_type: str) -> None:
    starts = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8\xff", "image/webp": b"RIFF", "image/svg+xml": b"<svg",
              "application/json": b"{"}
    reply = await client.get(f"{BIN}/image", Accept=accept)
    assert (reply.status, reply.headers.get("content-type")) == (406 if "json" in media_type else 200, media_type)
    assert reply.body.startswith(starts[media_type])


async def test_caching(client: Client) -> None:
    first = await client.get(f"{BIN}/cache")
    assert (await client.get(f"{BIN}/cache", If_None_Match='"whatever"')).status == 304
    assert (await client.get(f"{BIN}/cache", If_Modified_Since=first.headers.get("last-modified"))).status == 304
    assert (await client.get(f"{BIN}/cache/60")).headers.get("cache-control") == "public, max-age=60"
    for fields, status in (({}, 200), ({"If_None_Match": '"abc"'}, 304), ({"If_None_Match": "*"}, 304),
                           ({"If_None_Match": '"x", "abc"'}, 304), ({"If_Match": '"abc"'}, 200),
                           ({"If_Match": '"x"'}, 412)):
        assert (await client.get(f"{BIN}/etag/abc", **fields)).status == status, fields


async def test_response_headers(client: Client) -> None:
    reply = await client.get(f"{BIN}/response-headers?X-A=1&X-A=2&Content-Length=1&Transfer-Encoding=chunked")
    assert json.loads(reply.body)["X-A"] == ["1", "2"]
    assert reply.headers.get_all("x-a") == ["1", "2"]
    page = await client.get(f"{BIN}/response-headers?Content-Type=text/html&X=%3Cscript%3E")
    assert page.headers.get("content-security-policy") == "sandbox"
    for bad in ("a%20b=1", "a=1%0d%0aX:%202", "=1"):
        assert (await client.get(f"{BIN}/response-headers?{bad}")).status == 400


async def test_scripts_may_read_the_answers(client: Client) -> None:
    reply = await client.get(f"{BIN}/get", Origin="http://x.test")
    assert reply.headers.get("access-control-allow-origin") == "http://x.test"
    assert (await client.get(f"{BIN}/get")).headers.get("access-control-allow-origin") == "*"
    for path, fields, status in (("/", {}, 200), ("/nothing", {}, 404), ("/bytes/x", {}, 400), ("/put", {}, 405),
                                 ("/basic-auth/a/b", {}, 401), ("/range/30", {"Range": "bytes=30-"}, 416),
                                 ("/etag/a", {"If_Match": '"b"'}, 412), ("/etag/a", {"If_None_Match": '"a"'}, 304)):
        reply = await client.get(BIN + path, Origin="http://x.test", **fields)
        assert (path, reply.status, reply.headers.get("access-control-allow-origin")) == (path, status, "http://x.test")


async def test_a_script_may_ask_first_what_it_may(client: Client) -> None:
    reply = await client.ask("OPTIONS", f"{BIN}/put", Origin="http://x.test", Access_Control_Request_Headers="X-A")
    assert (reply.status, reply.headers.get("access-control-allow-methods")) == (204, "PUT, OPTIONS")
    assert reply.headers.get("access-control-allow-headers") == "X-A"


async def test_large_content_comes_back_too(client: Client) -> None:
    text = b"x" * 1_000_000
    assert json.loads((await client.post(f"{BIN}/post", text, "text/plain")).body)["data"] == text.decode()
    assert (await client.post(f"{BIN}/post", bytes(17_000_000), "text/plain")).status == 413


async def test_the_wrong_method_and_the_wrong_path(client: Client) -> None:
    wrong = await client.post(f"{BIN}/get", b"x=1")
    assert (wrong.status, wrong.headers.get("allow")) == (405, "GET, HEAD, OPTIONS")
    assert (await client.get(f"{BIN}/nothing")).status == 404
    assert (await client.get("http://www.example.com/httpbin")).status == 200
