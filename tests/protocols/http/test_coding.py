"""Content codings (RFC 9110 §8.4, §12.5.3)."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator

import pytest

from sandbox.config import Config, Http
from sandbox.protocols.http.coding import SMALLEST, Squeezer, choose
from sandbox.protocols.http.messages import Headers, Request, Response
from tests.support.http import ask

TEXT = b"All work and no play. " * 100


@pytest.mark.parametrize(("accepted", "coding"), [
    ([], ""), (["gzip"], "gzip"), (["deflate"], "deflate"), (["gzip", "deflate", "br"], "gzip"),
    (["deflate", "gzip"], "gzip"), (["x-gzip"], "gzip"), (["br"], ""), (["*"], "gzip"), (["identity"], ""),
    (["gzip;q=0"], ""), (["gzip;q=0.0", "*"], "deflate"), (["gzip;q=0.5", "deflate;q=0.8"], "deflate"),
    (["gzip; q=0.5", "identity"], ""), (["gzip;q=0.5", "identity;q=0.5"], "gzip"), (["*;q=0"], ""),
    (["gzip;q=high"], ""), (["gzip;q=2"], ""), (["gzip;q=1.0000"], ""), (["gzip;level=9"], "gzip"), ([";q=1"], ""),
])
def test_choosing(accepted: list[str], coding: str) -> None:
    assert choose(accepted) == coding


async def page(request: Request) -> Response:
    return Response(200, Headers([("Content-Type", "text/html; charset=utf-8"), ("ETag", '"a"')]), TEXT)


def get(*fields: bytes) -> bytes:
    return b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(field + b"\r\n" for field in fields) + b"\r\n"


async def test_gzip_and_deflate() -> None:
    zipped = await ask(get(b"Accept-Encoding: gzip"), page)
    assert zipped.headers.get("content-encoding") == "gzip"
    assert gzip.decompress(zipped.body) == TEXT
    assert int(zipped.headers.get("content-length")) == len(zipped.body) < len(TEXT)
    deflated = await ask(get(b"Accept-Encoding: deflate"), page)
    assert zlib.decompress(deflated.body) == TEXT


async def test_what_was_coded_says_so() -> None:
    zipped = await ask(get(b"Accept-Encoding: gzip"), page)
    assert zipped.headers.get("vary") == "Accept-Encoding"
    assert zipped.headers.get("etag") == 'W/"a"'
    plain = await ask(get(), page)
    assert (plain.headers.get("vary"), plain.headers.get("etag"), plain.body) == ("Accept-Encoding", '"a"', TEXT)


async def test_a_coded_page_can_be_revalidated() -> None:
    reply = await ask(get(b"Accept-Encoding: gzip", b'If-None-Match: W/"a"'), page)
    assert (reply.status, reply.headers.get("etag"), reply.body) == (304, 'W/"a"', b"")
    assert "content-type" not in reply.headers


async def test_a_range_is_of_the_page_as_it_is() -> None:
    reply = await ask(get(b"Accept-Encoding: gzip", b"Range: bytes=0-7"), page)
    assert (reply.status, reply.body) == (206, b"All work")
    assert "content-encoding" not in reply.headers


async def test_head_says_what_get_would() -> None:
    reply = await ask(get(b"Accept-Encoding: gzip").replace(b"GET", b"HEAD"), page)
    assert (reply.headers.get("content-encoding"), reply.body) == ("gzip", b"")
    assert "content-length" not in reply.headers


async def test_a_stream_is_coded_piece_by_piece() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield TEXT
        yield TEXT * 20

    async def site(request: Request) -> Response:
        return Response(200, Headers([("Content-Type", "text/plain")]), pieces())

    assert gzip.decompress((await ask(get(b"Accept-Encoding: gzip"), site)).body) == TEXT * 21


@pytest.mark.parametrize(("fields", "body"), [
    ({"Content-Type": "image/png"}, TEXT), ({"Content-Type": "text/plain"}, TEXT[:SMALLEST - 1]), ({}, TEXT),
    ({"Content-Type": "text/plain", "Content-Encoding": "br"}, TEXT), ({"Content-Type": "text/event-stream"}, TEXT),
    ({"Content-Type": "text/plain", "Cache-Control": "no-transform"}, TEXT),
])
async def test_what_is_left_as_it_is(fields: dict[str, str], body: bytes) -> None:
    async def site(request: Request) -> Response:
        return Response(200, Headers(fields.items()), body)

    assert (await ask(get(b"Accept-Encoding: gzip"), site)).body == body


async def test_compression_can_be_off() -> None:
    reply = await ask(get(b"Accept-Encoding: gzip"), page, config=Config(http=Http(compress=False)))
    assert (reply.body, "vary" in reply.headers) == (TEXT, False)


async def test_vary_keeps_what_the_site_said() -> None:
    async def site(request: Request) -> Response:
        return Response(200, Headers([("Content-Type", "text/plain"), ("Vary", "Cookie")]), TEXT)

    assert (await ask(get(), site)).headers.tokens("vary") == ["cookie", "accept-encoding"]


async def test_results_are_remembered_within_bounds() -> None:
    squeezer = Squeezer()
    first = await squeezer(TEXT, "gzip", again=True)
    assert await squeezer(TEXT, "gzip", again=True) is first
    assert await squeezer(TEXT, "gzip", again=False) is not first
    for number in range(100):
        await squeezer(b"%d" % number + bytes(200_000), "gzip", again=True)
    assert squeezer._size < Squeezer.KEPT + 300_000
