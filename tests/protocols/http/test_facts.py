"""What a request's head says about itself, the same in both versions."""

from __future__ import annotations

import pytest

from sandbox.protocols.contract.facts import LONGEST
from sandbox.protocols.http.facts import facts_of
from sandbox.protocols.http.heads import HeadCache, parse_head
from sandbox.protocols.http.http2.fields import read_fields
from sandbox.protocols.http.messages import Headers


@pytest.mark.parametrize(("fields", "expected"), [
    ([], {}),
    ([("User-Agent", "curl/8"), ("Referer", "http://a/")], {"agent": "curl/8", "referer": "http://a/"}),
    ([("Sec-Fetch-Site", "none"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")],
     {"fetch": "document navigate none"}),
    ([("sec-fetch-mode", "cors")], {"fetch": "cors"}),
    ([("Authorization", "Basic YTpi")], {"secret": "password"}),
    ([("Proxy-Authorization", "basic YTpi")], {"secret": "password"}),
    ([("Authorization", "Bearer x")], {"secret": "token"}), ([("Authorization", "Digest x")], {}),
    ([("User-Agent", "x" * 5000)], {"agent": "x" * (LONGEST - 1) + "…"}),
    ([("User-Agent", "")], {}),
    ([("Cookie", "a=1; b=2"), ("cookie", "c=3")], {"cookies": "3"}), ([("Cookie", "; ;")], {}),
])
def test_fields_become_facts(fields: list[tuple[str, str]], expected: dict[str, str]) -> None:
    assert facts_of("h", "/p", "", Headers(fields)) == {"host": "h", "path": "/p"} | expected


def test_both_versions_say_the_same() -> None:
    raw = b"GET /p?q=1 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: x\r\n\r\n"
    asked = read_fields([(b":method", b"GET"), (b":path", b"/p?q=1"), (b":authority", b"www.example.com"),
                         (b"user-agent", b"x")], 8192)
    assert parse_head(raw).facts == asked.facts == {"host": "www.example.com", "path": "/p", "query": "q=1",
                                                    "agent": "x"}


def test_a_head_that_is_known_has_its_facts_already() -> None:
    raw = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    heads = HeadCache()
    heads.keep(raw, parse_head(raw))
    known = heads.get(raw)
    assert known is not None
    assert known.facts == {"host": "h", "path": "/"}
