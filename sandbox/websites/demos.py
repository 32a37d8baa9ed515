"""Things to try on every home site: status codes, redirects, delays, streams, events, trailers, downloads, forms."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator

import trio

from sandbox.protocols.http.messages import Headers, HttpError, Request, Response
from sandbox.websites import answers, page
from sandbox.websites.content import Form, parse_query, read_form
from sandbox.websites.httpbin.data import seconds
from sandbox.websites.httpbin.description import number
from sandbox.websites.httpbin.status import plain_status
from sandbox.websites.routes import METHODS, Routes

__all__ = ["register"]

EVENTS = 20
"""Events of one stream; then it ends, and a browser asks for the next ones by itself."""
RETRY_MS = 1_000
EVENT_SECONDS = 1.0
MAX_EVENT = 10**9

MAX_DOWNLOAD = 10**10
"""Octets of a generated download: enough to watch for a while."""
PIECE = bytes(range(256)) * 256
"""What downloads are made of, over and over: 64 KiB in which octet n is n modulo 256."""
UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}

FORMS = page.template("forms.html")
RECEIVED = page.template("received.html")
STREAMS = page.template("streams.html")
STREAMS_SCRIPT = page.asset("streams.js").decode()
MAX_SHOWN = 2_000
"""Characters of a value that are shown again."""


def status(request: Request, code: str) -> Response:
    found = number(code, "A status code", 0, 1000)
    if not 200 <= found <= 599:
        raise HttpError(400, "A final status code lies between 200 and 599 (RFC 9110 §15).")
    response = plain_status(found, "/")
    if not response.body and found not in (204, 205, 304):
        response.headers.set("Content-Type", "text/plain; charset=utf-8")
        response.body = f"This is what {found} looks like.\n".encode()
    return response


def redirect(request: Request, code: str) -> Response:
    if code not in ("301", "302", "303", "307", "308"):
        raise HttpError(404, "The redirects are 301, 302, 303, 307 and 308 (RFC 9110 §15.4).")
    return answers.redirect("/httpbin/anything", int(code))


async def delay(request: Request, wait: str) -> Response:
    time = seconds(wait, "A delay")
    await trio.sleep(time)
    return answers.text(f"This took {time:g} seconds.\n", headers=[("Cache-Control", "no-store")])


def stream(request: Request) -> Response:
    """Ten lines, one every half second, in chunks as they come (RFC 9112 §7.1)."""
    async def lines() -> AsyncIterator[bytes]:
        for line in range(1, 11):
            if line > 1:
                await trio.sleep(0.5)
            yield f"line {line} of 10\n".encode()

    return Response(200, Headers([("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"),
                                  ("X-Content-Type-Options", "nosniff")]), lines())


def events(request: Request) -> Response:
    """Server-sent events (WHATWG HTML §9.2): one a second, numbered on from the last one the client has."""
    last = request.headers.get("last-event-id")
    first = int(last) + 1 if re.fullmatch(r"[0-9]{1,9}", last) and int(last) < MAX_EVENT else 1

    async def stream() -> AsyncIterator[bytes]:
        yield f"retry: {RETRY_MS}\n\n".encode()
        for event in range(first, first + EVENTS):
            yield f"id: {event}\nevent: tick\ndata: {{\"number\": {event}}}\n\n".encode()
            await trio.sleep(EVENT_SECONDS)

    return Response(200, Headers([("Content-Type", "text/event-stream"), ("Cache-Control", "no-store")]), stream())


def trailers(request: Request) -> Response:
    """Fields after the content (RFC 9110 §6.5): the digest is known only once all has been sent (RFC 9530)."""
    digest = hashlib.sha256()

    async def lines() -> AsyncIterator[bytes]:
        for line in (b"The header of this answer named a trailer field.\n", b"It follows after this line.\n"):
            digest.update(line)
            yield line

    def fields() -> Headers:
        return Headers([("Content-Digest", f"sha-256=:{base64.b64encode(digest.digest()).decode()}:")])

    return Response(200, Headers([("Content-Type", "text/plain; charset=utf-8"), ("Trailer", "Content-Digest"),
                                  ("Cache-Control", "no-store, no-transform")]), lines(), trailers=fields)


def download(request: Request, size: str) -> Response:
    """A file as large as its name says, made while it is sent; octet n of it is n modulo 256."""
    found = re.fullmatch(r"([0-9]{1,11})(B|KB|MB|GB|KIB|MIB|GIB|)(?:\.BIN)?", size.upper())
    length = int(found[1]) * UNITS[found[2]] if found else -1
    if not 0 <= length <= MAX_DOWNLOAD:
        raise HttpError(404, "A download is called by its size, such as /download/10MB; 10GB is the most.")

    return Response(200, Headers([
        ("Content-Type", "application/octet-stream"), ("ETag", f'"download-{length}"'),
        ("Content-Disposition", f'attachment; filename="{length}.bin"'), ("Cache-Control", "no-transform")]),
        Endless(length), length)


class Endless:
    """The octets of a download, or a part of them, so that one that broke off can go on where it was."""

    def __init__(self, length: int, start: int = 0) -> None:
        self._length = length
        self._start = start

    def part(self, start: int, stop: int) -> Endless:
        return Endless(stop, start)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        at = self._start
        while at < self._length:
            first = at % 256  # keeps octet n at n modulo 256 wherever the part begins
            piece = PIECE[first:min(len(PIECE), first + self._length - at)]
            at += len(piece)
            yield piece


def forms(request: Request) -> Response:
    return page.page("Forms", page.fill(FORMS), request=request)


def submitted_query(request: Request) -> Response:
    return received(request, Form(parse_query(request.query), []), "in the address, after the question mark")


async def submitted(request: Request) -> Response:
    """Shows what a form sent; nothing is kept."""
    form = await read_form(request)
    how = "as multipart/form-data (RFC 7578)" if "multipart" in request.headers.get("content-type").lower() \
        else "as application/x-www-form-urlencoded, like a query"
    return received(request, form, how)


def received(request: Request, form: Form, how: str) -> Response:
    fields = [(name, "text", value) for name, value in form.fields]
    files = [(part.name, f"file {part.filename!r}, {part.media_type}, {len(part.content)} octets", part.text)
             for part in form.files]
    rows = page.join(page.fill("<tr><th scope=row>$name</th><td>$kind</td><td><pre>$value</pre></td></tr>\n",
                               name=name, kind=kind, value=value[:MAX_SHOWN])
                     for name, kind, value in fields + files)
    return page.page("What arrived", page.fill(RECEIVED, how=how, rows=rows), request=request,
                     headers=[("Cache-Control", "no-store")])


def streams(request: Request) -> Response:
    return page.page("Streams", page.fill(STREAMS), request=request, script=STREAMS_SCRIPT)


def register(routes: Routes) -> None:
    routes.add("/status/{code}", METHODS, status)
    routes.add("/redirect/{code}", METHODS, redirect)
    routes.add("/delay/{wait}", ("GET",), delay)
    routes.add("/stream", ("GET",), stream)
    routes.add("/streams", ("GET",), streams)
    routes.add("/events", ("GET",), events)
    routes.add("/trailers", ("GET",), trailers)
    routes.add("/download/{size}", ("GET",), download)
    routes.add("/forms", ("GET",), forms)
    routes.add("/forms/query", ("GET",), submitted_query)
    routes.add("/forms/send", ("POST",), submitted)
