"""Every built-in page leads to how it was fetched, while there is a live page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.address import Address
from sandbox.protocols.http.content import NO_CONTENT
from sandbox.protocols.http.messages import Headers, Request
from sandbox.websites.reader import seen_at
from tests.support.websites import websites

PAGES = ["http://www.example.com/", "http://www.example.com/forms", "http://www.example.com/login",
         "http://www.example.com/protected/", "http://nowhere.test/", "http://badtls.example.com/",
         "http://httpbin.example.com/", "http://www.example.com/streams"]
LINK = b'href="http://127.0.0.1:8000/just/'


@pytest.mark.parametrize("url", PAGES)
async def test_a_page_leads_to_what_just_happened(url: str, tmp_path: Path) -> None:
    with websites(tmp_path, live_page=lambda: Address("127.0.0.1", 8000)) as client:
        reply = await client.get(url)
    assert LINK + url.removeprefix("http://").encode().rstrip(b"/") in reply.body


@pytest.mark.parametrize("url", PAGES)
async def test_without_a_live_page_nothing_leads_there(url: str, tmp_path: Path) -> None:
    with websites(tmp_path) as client:
        assert b"/just/" not in (await client.get(url)).body


def request(host: str, server: str, *, proxied: bool = False) -> Request:
    return Request("GET", "/a%20b", "http", host, 8080, "/a%20b", "", Headers(), NO_CONTENT,
                   Address("10.0.0.9", 5000), Address(server, 8080), "1.1", proxied,
                   live_page=Address("0.0.0.0", 8000))


@pytest.mark.parametrize(("host", "server", "proxied", "expected"), [
    ("www.example.com", "127.0.0.1", False, "http://127.0.0.1:8000/just/www.example.com/a%20b"),
    ("www.example.com", "10.0.0.1", False, "http://10.0.0.1:8000/just/www.example.com/a%20b"),
    ("10.0.0.1", "10.0.0.1", False, "http://10.0.0.1:8000/just/10.0.0.1/a%20b"),
    ("10.9.9.9", "10.0.0.1", True, "http://10.0.0.1:8000/just/10.9.9.9/a%20b"),
])
def test_it_is_called_as_the_reader_reaches_it(host: str, server: str, proxied: bool, expected: str) -> None:
    assert seen_at(request(host, server, proxied=proxied)) == expected


def test_a_client_that_names_no_host_gets_no_link() -> None:
    assert seen_at(request("", "127.0.0.1")) == ""
    assert seen_at(replace(request("www.example.com", "127.0.0.1"), live_page=None)) == ""
