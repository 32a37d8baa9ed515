from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.websites import home
from sandbox.websites.probes import PROBES
from sandbox.websites.routes import METHODS, Routes
from tests.support.turns import bystander
from tests.support.websites import Client, websites

WORLD = """
[[site]]
host = "old.example.com"
redirect = "http://www.example.com/"

[[site]]
host = "moved.example.com"
redirect = "http://www.example.com/here"

[[site]]
host = "pages.example.com"
"""


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Client]:
    with websites(tmp_path, '[[site]]\nhost = "localhost"\nredirect = "http://www.example.com/mine"\n') as opened:
        yield opened


async def test_a_world_may_have_a_site_for_localhost(local: Client) -> None:
    assert (await local.get("localhost:8080/")).headers.get("location") == "http://www.example.com/mine"
    assert (await local.get("127.0.0.1:8080/")).status == 200


@pytest.mark.parametrize(("method", "says"), [("BREW", b"BREW"), ("PROPFIND", b"PROPFIND"), ("get", b"capital")])
@pytest.mark.parametrize("host", ["www.example.com", "nobody.example", "httpbin.example.com", "alice.example.com"])
async def test_built_in_sites_and_folders_know_the_usual_methods(client: Client, host: str, method: str,
                                                                 says: bytes) -> None:
    reply = await client.ask(method, f"{host}/")
    assert reply.status == 501
    assert says in reply.body


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with websites(tmp_path, WORLD) as opened:
        yield opened


@pytest.mark.parametrize("host", [
    "example.com", "www.example.com", "www.example.org", "example.net", "sandbox.test", "www.sandbox.test:8080",
    "WWW.Example.Com", "www.example.com.", "localhost:8080", "127.0.0.1:8080", "[::1]:8080",
    "www.example.com.localhost:8080", "mail.example.com",
])
async def test_each_host_of_the_world_has_a_home_page(client: Client, host: str) -> None:
    reply = await client.get(host)
    assert (reply.status, reply.headers.get("content-type")) == (200, "text/html; charset=utf-8")
    text = reply.body.decode()
    address = "::1" if host.startswith("[") else "127.0.0.1"
    assert f"dig @{address} -p 8053 www.example.com" in html.unescape(text)
    assert "wonderland" in text
    assert f"nc {address} 8007" in text
    assert "chalk" not in text, "the teacher's password is nobody's to read"
    assert "RFC 865" not in text, "a service that does not run is not offered"
    assert (await client.get(host, If_None_Match=reply.headers.get("etag"))).status == 304


async def test_the_home_page_needs_nothing_else(client: Client) -> None:
    reply = await client.get("www.example.com")
    text = reply.body.decode()
    assert re.findall(r'(?:src|srcset|action)="(?!data:|/)', text) == []
    assert "<script" not in text
    assert re.findall(r"url\(|@import", text) == []
    assert "default-src 'none'" in reply.headers.get("content-security-policy")
    assert len(reply.body) < 20_000


async def test_every_link_of_the_home_page_leads_somewhere(client: Client) -> None:
    text = (await client.get("www.example.com")).body.decode()
    links = {html.unescape(link) for link in re.findall(r'href="([^"]+)"', text) if not link.startswith("data:")}
    assert {"/login", "/protected/basic", "/httpbin/", "http://example.org/", "http://api.sandbox.test/"} <= links
    slow = {"/stream", "/events", "/delay/3", "/download/100MB", "/download/1GB"}
    for link in sorted(links - slow):
        reply = await client.get(link if link.startswith("http") else f"www.example.com{link}")
        meant = int(link.rpartition("/")[2]) if re.match(r"/(status|redirect)/", link) else None
        if "//moved." in link or "//old." in link:
            meant = 301
        elif link.startswith("/protected/") and link != "/protected/":
            meant = 401
        assert reply.status == (meant or 200), link


async def test_links_suit_the_way_a_visitor_came(client: Client) -> None:
    by_name = (await client.get("www.example.com")).body.decode()
    by_address = (await client.get("127.0.0.1:8080")).body.decode()
    assert 'href="http://httpbin.sandbox.test/"' in by_name
    assert 'href="http://httpbin.sandbox.test.localhost:8080/"' in by_address


@pytest.mark.parametrize("host", ["bank.com", "nosuch.example.com", "x.y.z.test:8080"])
async def test_a_name_nobody_has_says_where_the_visitor_is(client: Client, host: str) -> None:
    reply = await client.get(f"{host}/account?iban=1")
    assert reply.status == 404
    assert f"You asked for <span translate=\"no\">{host.partition(':')[0]}</span>" in (
        reply.body.decode().replace("<wbr>", ""))
    assert "nothing left your machine" in reply.body.decode()
    assert (await client.post(f"{host}/login", b"password=secret")).status == 404


@pytest.mark.parametrize(("method", "path", "status"), [
    ("HEAD", "/", 200), ("OPTIONS", "/", 204), ("POST", "/", 405), ("GET", "/nope", 404), ("DELETE", "/login", 405),
    ("OPTIONS", "/login", 204), ("GET", "/logout", 405), ("GET", "/login/", 404), ("GET", "/redirect/300", 404),
    ("GET", "/favicon.ico", 200), ("GET", "/robots.txt", 200), ("PUT", "/proxy.pac", 404),
])
async def test_methods_and_paths(client: Client, method: str, path: str, status: int) -> None:
    reply = await client.ask(method, f"www.example.com{path}", Content_Length="0")
    assert reply.status == status
    if status == 405 or method == "OPTIONS":
        assert "OPTIONS" in reply.headers.get("allow")


@pytest.mark.parametrize(("host", "path"), PROBES)
async def test_probes_see_the_answer_they_wait_for(client: Client, host: str, path: str) -> None:
    reply = await client.get(host + path)
    body, _ = PROBES[host, path]
    assert (reply.status, reply.body) == (200 if body else 204, body)
    assert client.facts["probe"] == host


@pytest.mark.parametrize(("url", "body"), [
    ("www.msftconnecttest.com/connecttest.txt", b"Microsoft Connect Test"),
    ("www.msftncsi.com/ncsi.txt", b"Microsoft NCSI"),
    ("detectportal.firefox.com/success.txt?ipv4", b"success\n"),
    ("captive.apple.com/hotspot-detect.html",
     b"<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"),
    ("connectivitycheck.gstatic.com/generate_204", b""),
    ("nmcheck.gnome.org/check_network_status.txt", b"NetworkManager is online\n"),
])
async def test_the_best_known_probes_octet_for_octet(client: Client, url: str, body: bytes) -> None:
    assert (await client.get(url)).body == body


@pytest.mark.parametrize(("host", "proxy"), [
    ("127.0.0.1:8080", "127.0.0.1:8080"), ("localhost:18080", "localhost:18080"), ("[::1]:8080", "[::1]:8080"),
    ("wpad.example.com", "wpad.example.com:80"), ("wpad", "wpad:80"), ("bank.com:9", "bank.com:9"),
    ("pages.example.com:8080", "pages.example.com:8080"),
])
@pytest.mark.parametrize("path", ["/proxy.pac", "/wpad.dat"])
async def test_proxy_set_up_is_under_every_host(client: Client, host: str, proxy: str, path: str) -> None:
    reply = await client.get(host + path)
    assert reply.headers.get("content-type") == "application/x-ns-proxy-autoconfig"
    assert f'return "PROXY {proxy}";' in reply.body.decode()


@pytest.mark.parametrize("host", ["proxy.sandbox.test", "wpad.example.com"])
async def test_a_page_says_how_to_set_up_a_browser(client: Client, host: str) -> None:
    reply = await client.get(host)
    assert reply.status == 200
    assert b"http://127.0.0.1:8080/proxy.pac" in reply.body
    assert b"chromium" in reply.body


async def test_a_redirect_takes_the_path_along_unless_it_has_one(client: Client) -> None:
    whole = await client.get("old.example.com/a%20b?c=d")
    assert (whole.status, whole.headers.get("location")) == (301, "http://www.example.com/a%20b?c=d")
    assert (await client.post("old.example.com/", b"x=1")).status == 308
    assert (await client.get("moved.example.com/a")).headers.get("location") == "http://www.example.com/here"


async def test_a_folder_is_served_as_it_is_now(client: Client, tmp_path: Path) -> None:
    folder = tmp_path / "sites" / "pages.example.com"
    assert (await client.get("pages.example.com/hello.txt")).status == 404
    (folder / "hello.txt").write_text("Hello")
    assert (await client.get("pages.example.com/hello.txt")).body == b"Hello"


@pytest.mark.parametrize("host", ["www.example.com", "pages.example.com", "bank.com", "httpbin.example.com",
                                  "api.example.com", "localhost"])
async def test_httpbin_is_under_every_host(client: Client, host: str) -> None:
    assert b'"origin"' in (await client.get(f"{host}/httpbin/ip")).body


@pytest.mark.parametrize("host", ["httpbin.org", "www.httpbin.org", "HTTPBin.org.", "httpbin.org.localhost:8080"])
async def test_the_name_that_test_suites_know_is_httpbin(client: Client, host: str) -> None:
    assert b'"origin"' in (await client.get(f"{host}/ip")).body


async def test_a_world_may_have_a_httpbin_of_its_own(tmp_path: Path) -> None:
    world = '[[domain]]\nname = "httpbin.org"\n[[site]]\nhost = "httpbin.org"\nredirect = "http://www.example.com/"\n'
    with websites(tmp_path, world) as client:
        assert (await client.get("httpbin.org/ip")).headers.get("location") == "http://www.example.com/ip"


@pytest.mark.parametrize("url", ["www.example.com/forms/send", "httpbin.org/post", "httpbin.org/delay/0",
                                 "httpbin.org/redirect-to?url=/"])
async def test_a_large_form_holds_up_nobody(client: Client, url: str) -> None:
    async with bystander() as others:
        await client.post(url, b"a=" + b"%41" * 300_000)
    assert others.turns > 100, "others had their turn while the form was taken apart"


async def test_what_a_visitor_sends_never_becomes_markup(client: Client) -> None:
    evil = "%3Cscript%3Ealert(1)%3C/script%3E%22%27"
    for reply in (await client.get(f"www.example.com/login?next=/{evil}"),
                  await client.get(f"www.example.com/forms/query?{evil}={evil}"),
                  await client.post("www.example.com/login", f"name={evil}&password={evil}".encode()),
                  await client.post("www.example.com/forms/send", f"{evil}={evil}".encode()),
                  await client.get(f"www.example.com/{evil}", Accept="text/html"),
                  await client.get(f"bank.com/{evil}", Accept="text/html")):
        assert b"<script>alert" not in reply.body
        assert reply.headers.get("content-type").startswith("text/html")


def test_a_route_is_registered_once() -> None:
    routes = Routes()
    routes.add("/a/{x}", METHODS, home.robots)
    with pytest.raises(ValueError, match="registered twice"):
        routes.add("/a/{x}", ("GET",), home.robots)


@pytest.mark.parametrize("url", ["www.example.com/nope", "files.sandbox.test/nope", "www.example.com/delay/x"])
async def test_what_goes_wrong_looks_like_the_other_pages(client: Client, url: str) -> None:
    reply = await client.get(url, Accept="text/html")
    text = reply.body.decode()
    assert reply.status in (400, 404)
    assert f"<h1>{reply.status} " in text
    assert "prefers-color-scheme: dark" in text
    assert "style-src 'sha256-" in reply.headers.get("content-security-policy")
    assert (await client.get(url)).headers.get("content-type") == "text/plain; charset=utf-8"
