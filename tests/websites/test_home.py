"""The home pages: what they say is true for whoever reads them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sandbox.address import Address
from sandbox.protocols.http.content import NO_CONTENT
from sandbox.protocols.http.messages import Headers, Request, Response
from sandbox.websites.home import Pages
from sandbox.websites.login import Login
from sandbox.world import World

EVERYWHERE = {name: Address("0.0.0.0", port) for name, port in (
    ("http", 8080), ("https", 8443), ("dns", 8053), ("submission", 8587), ("imap", 8143), ("ftp", 8021),
    ("sftp", 8022), ("smtp", 8025))}
SHOP = """
extends = "nothing"
[[domain]]
name = "teashop.test"
[[site]]
host = "teashop.test"
redirect = "http://elsewhere.teashop.test/"
[people.teacher]
password = "secret chalk"
[people.mei]
password = "green"
"""


def request(host: str, *, scheme: str = "http", port: int = 8080, version: str = "1.1", proxied: bool = False,
            server: str = "192.168.1.5") -> Request:
    return Request("GET", "/", scheme, host, port, "/", "", Headers(), NO_CONTENT, Address("192.168.1.9", 5000),
                   Address(server, port), version, proxied)


def text_of(response: Response) -> str:
    assert isinstance(response.body, bytes)
    return html.unescape(response.body.decode())


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Pages]:
    with closing(World.load(None, tmp_path)) as world:
        yield Pages(world, EVERYWHERE)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[World]:
    file = tmp_path / "shop.toml"
    file.write_text(SHOP)
    with closing(World.load(file, tmp_path)) as world:
        yield world


@pytest.mark.parametrize(("host", "server", "shown"), [
    ("www.example.com", "192.168.1.5", "192.168.1.5"), ("10.0.0.7", "172.17.0.2", "10.0.0.7"),
    ("localhost", "127.0.0.1", "127.0.0.1"), ("localhost", "::1", "127.0.0.1"), ("[::1]", "::1", "[::1]"),
    ("www.example.com", "fd00::5", "[fd00::5]"),
])
def test_addresses_are_those_the_reader_can_use(pages: Pages, host: str, server: str, shown: str) -> None:
    for page in (pages.home, pages.proxy):
        text = text_of(page(request(host, server=server)))
        assert "0.0.0.0" not in text
        assert f"http://{shown}:8080/proxy.pac" in text
    assert f"ftp://{shown}:8021/" in text_of(pages.home(request(host, server=server)))


def test_each_reader_has_a_page_of_their_own(pages: Pages) -> None:
    for server in ("192.168.1.5", "10.0.0.1"):
        assert f"-x http://{server}:8080" in text_of(pages.home(request("www.example.com", server=server)))


@pytest.mark.parametrize(("scheme", "port", "link"), [
    ("https", 8443, "https://api.sandbox.test:8443/"), ("https", 443, "https://api.sandbox.test/"),
    ("http", 8080, "http://api.sandbox.test:8080/"), ("http", 80, "http://api.sandbox.test/"),
])
def test_other_places_are_reached_as_this_one_was(pages: Pages, scheme: str, port: int, link: str) -> None:
    for page in (pages.home, pages.unknown):
        text = text_of(page(request("www.example.com", scheme=scheme, port=port)))
        links = re.findall(r'href="(https?://[^"]+)"', text)
        assert link in links
        assert {one.partition(":")[0] for one in links} == {scheme}


@pytest.mark.parametrize(("version", "proxied", "said"), [
    ("1.1", False, "<code>GET / HTTP/1.1</code> and <code>Host: www.example.com:8080</code>"),
    ("1.0", False, "<code>GET / HTTP/1.0</code>"),
    ("1.1", True, "<code>GET http://www.example.com:8080/ HTTP/1.1</code>"),
    ("2", False, "<code>:method: GET</code>"),
])
def test_what_was_said_is_named_truly(pages: Pages, version: str, proxied: bool, said: str) -> None:
    asked = request("www.example.com", version=version, proxied=proxied)
    asked.target = asked.url if proxied else "/"
    text = text_of(pages.home(asked))
    assert said in text
    assert ("HTTP/1.1" in text.partition("Try it")[0]) is (version == "1.1")


def test_tls_is_told_of_where_there_was_one(pages: Pages) -> None:
    assert "Then TLS" in text_of(pages.home(request("www.example.com", scheme="https", port=8443)))
    assert "Then TLS" not in text_of(pages.home(request("www.example.com")))


def test_another_world_has_its_own_people_and_promises(shop: World) -> None:
    text = text_of(Pages(shop, EVERYWHERE).home(request("mail.teashop.test")))
    assert "mei:green" in text
    for word in ("alice", "wonderland", "example.com", "expired", "/protected/digest", "chalk", "/people"):
        assert word not in text.partition("Look around")[0]
    assert "chalk" not in text
    form = text_of(Login(shop).show(request("mail.teashop.test")))
    assert "such as <code>mei</code> with the password <code>green</code>" in form
    assert "alice" not in form


def test_the_built_in_world_has_an_expired_certificate(pages: Pages) -> None:
    assert "expired.badtls.example.com" in text_of(pages.home(request("www.example.com")))


def test_commands_go_on_in_the_next_line_where_a_phone_is_narrow(pages: Pages) -> None:
    style = text_of(pages.home(request("www.example.com"))).partition("<style>")[2].partition("</style>")[0]
    rules = dict(re.findall(r"^([^{}\n]*pre[^{}\n]*) \{([^}]*)\}", style, re.MULTILINE))
    assert "pre-wrap" in rules["main pre"]
    assert "overflow-wrap: anywhere" in rules["main pre"]
    assert not [name for name, rule in rules.items() if "overflow-wrap: normal" in rule]
