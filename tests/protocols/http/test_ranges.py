"""Ranges (RFC 9110 §14)."""

from __future__ import annotations

from email.parser import BytesParser

import pytest

from sandbox.protocols.http.messages import Headers, Request, Response
from sandbox.protocols.http.ranges import MANY, parse_range
from tests.support.http import ask

BODY = bytes(range(48, 58))


@pytest.mark.parametrize(("value", "found"), [
    ("bytes=0-0", [(0, 1)]), ("bytes=2-4", [(2, 5)]), ("bytes=8-", [(8, 10)]), ("bytes=-3", [(7, 10)]),
    ("bytes=-99", [(0, 10)]), ("bytes=5-99", [(5, 10)]), ("Bytes=0-1", [(0, 2)]),
    ("bytes=0-1, 4-5", [(0, 2), (4, 6)]),
    ("bytes=5-6,0-1", [(5, 7), (0, 2)]),
    ("bytes=10-", []), ("bytes=-0", []), ("bytes=99-100", []), ("bytes=20-, 0-1", [(0, 2)]),
    ("bytes=4-2", None), ("bytes=a-b", None), ("bytes=", None), ("bytes", None), ("bytes=-", None),
    ("lines=0-1", None),
    ("bytes=1-2,x", None), ("bytes=0-\u00b2", None), ("bytes=0-9,0-9", None), ("bytes=" + "9" * 30 + "-", []),
    ("bytes=2-" + "9" * 5000, [(2, 10)]), ("bytes=-" + "9" * 30, [(0, 10)]), ("bytes=" + "0" * 30 + "2-3", [(2, 4)]),
    ("bytes=0-4,", [(0, 5)]), ("bytes=,0-1, ,\t4-5,,", [(0, 2), (4, 6)]), ("bytes=,", None),
    ("bytes=0-0" + "," * 1000, None),
    ("bytes=" + ",".join(["0-0"] * (MANY + 1)), None), ("bytes=+1-2", None),
])
def test_parsing(value: str, found: list[tuple[int, int]] | None) -> None:
    assert parse_range(value, 10) == found


def test_nothing_of_nothing() -> None:
    assert parse_range("bytes=0-", 0) == []
    assert parse_range("bytes=-0", 0) == []


def test_the_last_octets_of_nothing_are_the_whole() -> None:
    # Satisfiable (RFC 9110 §14.1.2), and no Content-Range could say it: so the answer is the whole, with 200.
    assert parse_range("bytes=-100", 0) is None


async def test_nothing_satisfiable_is_416() -> None:
    reply = await ask(get(b"Range: bytes=10-"), digits)
    assert (reply.status, reply.headers.get("content-range")) == (416, "bytes */10")


async def digits(request: Request) -> Response:
    return Response(200, Headers([("Content-Type", "text/plain"), ("ETag", '"a"')]), BODY)


def get(*fields: bytes) -> bytes:
    return b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(field + b"\r\n" for field in fields) + b"\r\n"


async def test_one_range() -> None:
    reply = await ask(get(b"Range: bytes=2-4"), digits)
    assert (reply.status, reply.body) == (206, b"234")
    assert reply.headers.get("content-range") == "bytes 2-4/10"
    assert reply.headers.get("content-length") == "3"
    assert reply.headers.get("etag") == '"a"'


async def test_several_ranges_are_parts() -> None:
    reply = await ask(get(b"Range: bytes=7-8,0-1"), digits)
    assert reply.status == 206
    assert "content-range" not in reply.headers
    head = f"Content-Type: {reply.headers.get('content-type')}\r\n\r\n"
    message = BytesParser().parsebytes(head.encode() + reply.body)
    parts = [(part["Content-Range"], part.get_content_type(), part.get_payload(decode=True))
             for part in message.walk() if not part.is_multipart()]
    assert parts == [("bytes 7-8/10", "text/plain", b"78"), ("bytes 0-1/10", "text/plain", b"01")]


@pytest.mark.parametrize(("fields", "status"), [
    ([b"Range: bytes=20-"], 416), ([b"Range: bytes=4-2"], 200), ([b"Range: cows=1-2"], 200),
    ([b"Range: bytes=0-1", b'If-Range: "a"'], 206), ([b"Range: bytes=0-1", b'If-Range: "b"'], 200),
    ([b"Range: bytes=0-1", b'If-None-Match: "a"'], 304), ([b"Range: bytes=0-1", b'If-Match: "b"'], 412),
])
async def test_when_ranges_count(fields: list[bytes], status: int) -> None:
    assert (await ask(get(*fields), digits)).status == status


async def test_only_get_has_ranges() -> None:
    reply = await ask(get(b"Range: bytes=0-1").replace(b"GET", b"HEAD", 1), digits)
    assert (reply.status, reply.headers.get("content-length")) == (200, "10")


async def test_other_statuses_have_none() -> None:
    async def site(request: Request) -> Response:
        return Response(201, Headers(), BODY)

    assert (await ask(get(b"Range: bytes=0-1"), site)).status == 201
