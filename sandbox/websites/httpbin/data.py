"""Generated data: bytes, streams, delays, links."""

from __future__ import annotations

import base64
import binascii
import json
import random
import uuid
from collections.abc import AsyncIterator

import trio

from sandbox.protocols.http.messages import Headers, HttpError, Request, Response
from sandbox.websites import answers, page
from sandbox.websites.content import FORM_LIMIT
from sandbox.websites.httpbin.description import base, describe, number, query_of, told
from sandbox.websites.routes import METHODS, Routes

TITLE = "Data, slow and fast"
INDEX = (
    ("/bytes/1024", "/bytes/{n}", "n random octets (?seed=)"),
    ("/stream/5", "/stream/{n}", "n lines of JSON, one after the other"),
    ("/stream-bytes/1024", "/stream-bytes/{n}", "n random octets, chunked (?seed=, ?chunk_size=)"),
    ("/range/1024", "/range/{n}", "n octets that can be had in ranges"),
    ("/delay/2", "/delay/{seconds}", "an answer that comes later, 10 seconds at most"),
    ("/drip?duration=2&numbytes=10", "/drip", "octets that drip (?duration=, ?numbytes=, ?delay=, ?code=)"),
    ("/links/10/0", "/links/{n}/{offset}", "a page of n links"),
    ("/base64/U2FuZGJveA==", "/base64/{value}", "the value, decoded"),
    ("/uuid", "/uuid", "a new UUID (RFC 9562)"),
)

MAX_BYTES = 102_400
MAX_DRIP = 10_485_760
MAX_LINES = 100
MAX_SECONDS = 10.0
OCTETS = "application/octet-stream"


def seconds(value: str, name: str) -> float:
    try:
        found = float(value)
        if found != found:
            raise ValueError
    except ValueError:
        raise HttpError(400, f"{name} must be a number of seconds; {value[:40]!r} is none.") from None
    return max(0.0, min(MAX_SECONDS, found))


async def noise(request: Request, n: str) -> bytes:
    """Random octets; the same ones for the same seed, and the ones that httpbin.org gives for it."""
    length = number(n, "n", 0, MAX_BYTES)
    seed = query_of(request).get("seed")
    if seed is None:
        return random.randbytes(length)
    source = random.Random(number(seed, "seed", -2**60, 2**60))
    return await trio.to_thread.run_sync(lambda: bytes(source.randint(0, 255) for _ in range(length)))


async def some_bytes(request: Request, n: str) -> Response:
    return answers.answer(await noise(request, n), OCTETS)


async def stream_bytes(request: Request, n: str) -> Response:
    size = number(query_of(request).get("chunk_size", "10240"), "chunk_size", 1, MAX_BYTES)
    return Response(200, Headers([("Content-Type", OCTETS)]), pieces(await noise(request, n), size))


async def pieces(data: bytes, size: int, pause: float = 0.0) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        if start:
            await trio.sleep(pause)
        yield data[start:start + size]


class Slow:
    """Octets that take their time, also where a part of them is asked for."""

    def __init__(self, data: bytes, size: int, pause: float) -> None:
        self._data = data
        self._size = size
        self._pause = pause

    def part(self, start: int, stop: int) -> Slow:
        return Slow(self._data[start:stop], self._size, self._pause)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return pieces(self._data, self._size, self._pause)


def stream(request: Request, n: str) -> Response:
    about = describe(request, "args", "headers", "origin", "url")
    lines = number(n, "n", 0, MAX_LINES)

    async def body() -> AsyncIterator[bytes]:
        for line in range(lines):
            yield json.dumps(about | {"id": line}).encode() + b"\n"

    return Response(200, Headers([("Content-Type", "application/json")]), body())


def ranged(request: Request, n: str) -> Response:
    """The alphabet over and over. The ranges themselves are cut where every response passes."""
    length = number(n, "n", 0, MAX_BYTES + 1)
    if not 0 < length <= MAX_BYTES:
        raise HttpError(404, f"number of bytes must be in the range (0, {MAX_BYTES}]")
    query = query_of(request)
    data = (b"abcdefghijklmnopqrstuvwxyz" * (length // 26 + 1))[:length]
    fields = [("Content-Type", OCTETS), ("ETag", f'"range{length}"'), ("Accept-Ranges", "bytes")]
    pause = seconds(query.get("duration", "0"), "duration")
    if not pause:
        return Response(200, Headers(fields), data)
    size = number(query.get("chunk_size", "10240"), "chunk_size", 1, MAX_BYTES)
    return Response(200, Headers(fields), Slow(data, size, pause * size / length), length)


async def delay(request: Request, delay: str) -> Response:
    wait = seconds(delay, "delay")
    body = await request.body.read(FORM_LIMIT)
    await trio.sleep(wait)
    return await told(request, body, "args", "data", "files", "form", "headers", "origin", "url")


async def drip(request: Request) -> Response:
    query = query_of(request)
    count = number(query.get("numbytes", "10"), "numbytes", 0, MAX_DRIP)
    code = number(query.get("code", "200"), "code", 200, 599)
    duration = seconds(query.get("duration", "2"), "duration")
    if not count:
        raise HttpError(400, "number of bytes must be positive")
    await trio.sleep(seconds(query.get("delay", "0"), "delay"))

    async def body() -> AsyncIterator[bytes]:
        # A drop at most every 10 ms: smaller ones would be all overhead and no drip.
        steps = min(count, int(duration * 100) + 1)
        done = 0
        for step in range(1, steps + 1):
            if step > 1:
                await trio.sleep(duration / (steps - 1))
            upto = count * step // steps
            yield b"*" * (upto - done)
            done = upto

    if code in (204, 205, 304):
        return Response(code)
    return Response(code, Headers([("Content-Type", OCTETS)]), body(), count)


def links(request: Request, n: str, offset: str = "") -> Response:
    count = number(n, "n", 1, 200)
    if not offset:
        return answers.redirect(f"{base(request)}/links/{count}/0")
    here = number(offset, "offset", 0, count)
    items = page.join(
        page.Markup(f"{i} ") if i == here else
        page.fill('<a href="$href">$i</a> ', href=f"{base(request)}/links/{count}/{i}", i=str(i))
        for i in range(count))
    return answers.html(page.fill("<html><head><title>Links</title></head><body>$items</body></html>", items=items))


def decode(request: Request, value: str) -> Response:
    """Base64 (RFC 4648), in either alphabet and with its padding or without."""
    try:
        data = base64.b64decode(value.replace("-", "+").replace("_", "/") + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return answers.text("Incorrect Base64 data try: SFRUUEJJTiBpcyBhd2Vzb21l", headers=SAFE)
    # Text, never a page: what a stranger put into a link must not run here.
    return answers.answer(data, "text/plain; charset=utf-8", headers=SAFE)


SAFE = (("X-Content-Type-Options", "nosniff"),)


def new_uuid(request: Request) -> Response:
    return answers.json({"uuid": str(uuid.uuid4())})


def register(routes: Routes) -> None:
    routes.add("/bytes/{n}", ("GET",), some_bytes)
    routes.add("/stream-bytes/{n}", ("GET",), stream_bytes)
    routes.add("/stream/{n}", ("GET",), stream)
    routes.add("/range/{n}", ("GET",), ranged)
    routes.add("/delay/{delay}", (*METHODS, "TRACE"), delay)
    routes.add("/drip", ("GET",), drip)
    routes.add("/links/{n}", ("GET",), links)
    routes.add("/links/{n}/{offset}", ("GET",), links)
    routes.add("/base64/{value}", ("GET",), decode)
    routes.add("/uuid", ("GET",), new_uuid)
