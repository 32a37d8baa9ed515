"""Preconditions (RFC 9110 §13)."""

from __future__ import annotations

import pytest

from sandbox.protocols.http.conditional import evaluate, list_tags, range_applies
from sandbox.protocols.http.messages import Headers, Request, Response
from tests.support.http import ask

OLD, NOW, NEW = ("Sun, 06 Nov 1994 08:49:36 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT")


@pytest.mark.parametrize(("method", "fields", "verdict"), [
    ("GET", {}, 0),
    ("GET", {"If-None-Match": '"a"'}, 304), ("HEAD", {"If-None-Match": '"a"'}, 304),
    ("PUT", {"If-None-Match": '"a"'}, 412), ("GET", {"If-None-Match": '"b"'}, 0),
    ("GET", {"If-None-Match": 'W/"a"'}, 304), ("GET", {"If-None-Match": '"b", W/"c,d", "a"'}, 304),
    ("GET", {"If-None-Match": "*"}, 304), ("PUT", {"If-None-Match": "*"}, 412),
    ("GET", {"If-None-Match": "a"}, 0),
    ("GET", {"If-Match": '"a"'}, 0), ("GET", {"If-Match": '"b"'}, 412), ("GET", {"If-Match": 'W/"a"'}, 412),
    ("GET", {"If-Match": "*"}, 0), ("PUT", {"If-Match": '"b", "a"'}, 0), ("PUT", {"If-Match": ""}, 412),
    ("GET", {"If-Modified-Since": OLD}, 0), ("GET", {"If-Modified-Since": NOW}, 304),
    ("GET", {"If-Modified-Since": NEW}, 304), ("PUT", {"If-Modified-Since": NEW}, 0),
    ("GET", {"If-Modified-Since": "yesterday"}, 0),
    ("GET", {"If-Unmodified-Since": OLD}, 412), ("GET", {"If-Unmodified-Since": NOW}, 0),
    ("PUT", {"If-Unmodified-Since": OLD}, 412), ("GET", {"If-Unmodified-Since": "never"}, 0),
    # precedence (§13.2.2)
    ("GET", {"If-None-Match": '"b"', "If-Modified-Since": NEW}, 0),
    ("GET", {"If-Match": '"a"', "If-Unmodified-Since": OLD}, 0),
    ("GET", {"If-Match": '"a"', "If-None-Match": '"a"'}, 304),
    ("GET", {"If-Match": '"b"', "If-None-Match": '"a"'}, 412),
])
def test_preconditions(method: str, fields: dict[str, str], verdict: int) -> None:
    assert evaluate(method, Headers(fields.items()), '"a"', NOW) == verdict


def test_a_weak_tag_never_matches_strongly() -> None:
    assert evaluate("PUT", Headers([("If-Match", 'W/"a"')]), 'W/"a"') == 412
    assert evaluate("GET", Headers([("If-None-Match", '"a"')]), 'W/"a"') == 304


def test_where_there_is_nothing_yet() -> None:
    assert evaluate("PUT", Headers([("If-Match", "*")]), exists=False) == 412
    assert evaluate("PUT", Headers([("If-None-Match", "*")]), exists=False) == 0


@pytest.mark.parametrize(("condition", "applies"), [
    ('"a"', True), ('"b"', False), ('W/"a"', False), (NOW, True), (OLD, False), (NEW, False), ("nonsense", False),
    ("", False),
])
def test_if_range(condition: str, applies: bool) -> None:
    assert range_applies(Headers([("If-Range", condition)]), '"a"', NOW) is applies


def test_without_if_range_a_range_counts() -> None:
    assert range_applies(Headers(), '"a"', NOW)


@pytest.mark.parametrize(("text", "tags"), [
    ('"a"', ['"a"']), ('W/"a" , "b"', ['W/"a"', '"b"']), ('"a,b",,"c"', ['"a,b"', '"c"']), ('"a", b, "c"', ['"a"']),
    ('"a', []), ("", []), ('W/', []),
])
def test_lists_of_tags(text: str, tags: list[str]) -> None:
    assert list_tags(text) == tags


@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_304_repeats_the_vary_of_its_200(coding: str) -> None:
    async def site(request: Request) -> Response:
        return Response(200, Headers([("Content-Type", "text/plain"), ("ETag", '"a"')]), b"page " * 1000)

    start = b"GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: " + coding.encode() + b"\r\n"
    whole = await ask(start + b"\r\n", site)
    same = await ask(start + b'If-None-Match: "a"\r\n\r\n', site)
    assert (whole.status, same.status) == (200, 304)
    assert same.headers.get("vary") == whole.headers.get("vary") == "Accept-Encoding"
