"""What a good head means."""

from __future__ import annotations

import pytest

from sandbox.protocols.http.heads import Head, HeadCache, parse_head


def head(line: bytes, *fields: bytes) -> Head:
    return parse_head(b"\r\n".join([line, *fields]) + b"\r\n\r\n")


@pytest.mark.parametrize(("line", "field", "form", "scheme", "host", "port", "path", "query", "asked"), [
    (b"GET /a%20b?c=d?e HTTP/1.1", b"Host: WWW.Example.com.", "origin", "", "www.example.com", 0, "/a%20b", "c=d?e",
     "www.example.com/a%20b?c=d?e"),
    (b"GET / HTTP/1.1", b"Host: [::1]:8080", "origin", "", "::1", 8080, "/", "", "[::1]/"),
    (b"GET / HTTP/1.1", b"Host: x:", "origin", "", "x", 0, "/", "", "x/"),
    (b"GET / HTTP/1.1", b"Host:", "origin", "", "", 0, "/", "", "/"),
    (b"GET HTTP://Example.ORG:81?q HTTP/1.1", b"Host: other", "absolute", "http", "example.org", 81, "/", "q",
     "example.org/?q"),
    (b"GET https://x/y HTTP/1.1", b"Host: x", "absolute", "https", "x", 0, "/y", "", "x/y"),
    (b"OPTIONS * HTTP/1.1", b"Host: x", "asterisk", "", "x", 0, "*", "", "*"),
    (b"CONNECT www.example.com:443 HTTP/1.1", b"Host: x", "authority", "", "www.example.com", 443, "", "",
     "www.example.com:443"),
])
def test_targets(line: bytes, field: bytes, form: str, scheme: str, host: str, port: int, path: str, query: str,
                 asked: str) -> None:
    seen = head(line, field)
    assert (seen.form, seen.scheme, seen.host, seen.port, seen.path, seen.query, seen.asked) == (
        form, scheme, host, port, path, query, asked)


@pytest.mark.parametrize(("line", "fields", "host"), [
    (b"GET http://www.example.org:81/a HTTP/1.1", [b"Host: other"], "www.example.org:81"),
    (b"GET http://[::1]/ HTTP/1.1", [b"Host: other"], "[::1]"),
    (b"GET http://www.example.org?q HTTP/1.0", [], "www.example.org"),
    (b"GET http://www.example.org/ HTTP/1.1", [b"Host: WWW.example.org"], "WWW.example.org"),
    (b"GET / HTTP/1.1", [b"Host: other"], "other"),
])
def test_a_host_field_beside_the_absolute_form_is_not_believed(line: bytes, fields: list[bytes], host: str) -> None:
    """By the sites behind neither (RFC 9112 §3.2.2): an application's HTTP_HOST, a program's Host."""
    assert head(line, *fields).headers.get_all("host") == [host]


def test_http_1_0_needs_no_host() -> None:
    assert head(b"GET / HTTP/1.0").host == ""


def test_a_higher_minor_version_is_read_as_1_1() -> None:
    assert head(b"GET / HTTP/1.9", b"Host: x").persistent


@pytest.mark.parametrize(("version", "connection", "persistent"), [
    (b"1.1", b"", True), (b"1.1", b"close", False), (b"1.1", b"Close", False), (b"1.1", b"a, close", False),
    (b"1.1", b"keep-alive", True), (b"1.0", b"", False), (b"1.0", b"keep-alive", True),
    (b"1.0", b"Keep-Alive", True), (b"1.0", b"keep-alive, close", False),
])
def test_persistence(version: bytes, connection: bytes, persistent: bool) -> None:
    assert head(b"GET / HTTP/" + version, b"Host: x", b"Connection: " + connection).persistent is persistent


@pytest.mark.parametrize(("fields", "length"), [
    ([], 0), ([b"Content-Length: 0"], 0), ([b"Content-Length: 007"], 7), ([b"Transfer-Encoding: chunked"], -1),
    ([b"transfer-encoding:\tCHUNKED "], -1),
])
def test_body_lengths(fields: list[bytes], length: int) -> None:
    assert head(b"POST / HTTP/1.1", b"Host: x", *fields).length == length


def test_fields_keep_order_case_and_octets() -> None:
    seen = head(b"GET / HTTP/1.1", b"Host: x", b"X-A: \xe9 1", b"x-a:2 ").headers
    assert list(seen) == [("Host", "x"), ("X-A", "\xe9 1"), ("x-a", "2")]


def test_an_expectation_in_http_1_0_is_ignored() -> None:
    assert head(b"POST / HTTP/1.0", b"Content-Length: 3", b"Expect: 100-continue").expect == ""


RAW = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def test_the_cache_gives_back_the_same_head() -> None:
    cache = HeadCache()
    first = parse_head(RAW)
    cache.keep(RAW, first)
    assert cache.get(RAW) is first


@pytest.mark.parametrize("raw", [
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n", b"DELETE / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * HeadCache.SIZE + b"\r\n\r\n",
])
def test_the_cache_takes_only_short_bodyless_heads(raw: bytes) -> None:
    cache = HeadCache()
    cache.keep(raw, parse_head(raw))
    assert cache.get(raw) is None


def test_the_cache_is_bounded() -> None:
    cache = HeadCache()
    raws = [b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(HeadCache.COUNT + 10)]
    one = parse_head(RAW)
    for raw in raws:
        cache.keep(raw, one)
    assert sum(cache.get(raw) is not None for raw in raws) == 10
