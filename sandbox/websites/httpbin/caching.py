"""Caching: validators and freshness (RFC 9111). Conditions are judged where every response passes."""

from __future__ import annotations

import re
import time

from sandbox.protocols.http.dates import http_date
from sandbox.protocols.http.messages import Headers, HttpError, Request, Response
from sandbox.websites import answers
from sandbox.websites.content import grouped, parse_query
from sandbox.websites.httpbin.description import describe, number
from sandbox.websites.routes import Routes

TITLE = "Caching and header fields"
INDEX = (
    ("/cache", "/cache", "304 when you ask with If-None-Match or If-Modified-Since"),
    ("/cache/60", "/cache/{seconds}", "fresh for so long (Cache-Control)"),
    ("/etag/abc", "/etag/{etag}", "with this entity tag; obeys If-Match and If-None-Match"),
    ("/response-headers?X-Colour=blue", "/response-headers?name=value", "with the fields you name"),
)

STARTED = http_date(time.time())
STATE = (("Last-Modified", STARTED), ("ETag", '"sandbox"'), ("Vary", "Accept-Encoding"))
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE = re.compile(r"[\t -~\x80-\xff]*")
FRAMING = frozenset({"connection", "content-encoding", "content-length", "keep-alive", "trailer", "transfer-encoding",
                     "upgrade"})
"""Fields that say how the message itself is sent; a wrong one would break it."""


def described(request: Request, *fields: tuple[str, str]) -> Response:
    return answers.json(describe(request, "args", "headers", "origin", "url"), headers=fields)


def cache(request: Request) -> Response:
    if "if-modified-since" in request.headers or "if-none-match" in request.headers:
        return Response(304, Headers(STATE))
    return described(request, *STATE)


def fresh(request: Request, seconds: str) -> Response:
    return described(request, ("Cache-Control", f"public, max-age={number(seconds, 'seconds', 0, 2**31)}"))


def etag(request: Request, etag: str) -> Response:
    tag = etag.strip('"')
    if re.fullmatch(r"[!#-~]+", tag) is None:
        raise HttpError(400, "An entity tag has no blanks, quotes or characters outside ASCII (RFC 9110 §8.8.3).")
    return described(request, ("ETag", f'"{tag}"'))


def response_headers(request: Request) -> Response:
    pairs = []
    for name, value in parse_query(request.query):
        latin = value.encode("utf-8").decode("latin-1")
        if NAME.fullmatch(name) is None or VALUE.fullmatch(latin) is None:
            raise HttpError(400, f"{name[:40]!r} cannot be a field name, or its value a field value (RFC 9110 §5).")
        if name.lower() not in FRAMING:
            pairs.append((name, value, latin.strip()))
    told: dict[str, object] = {"Content-Type": "application/json"}
    told |= grouped((name, value) for name, value, _ in pairs)
    response = answers.json(told)
    for name, _, latin in pairs:
        if name.lower() == "content-type":
            response.headers.remove(name)
        response.headers.add(name, latin)
    if response.headers.get("content-type").partition(";")[0].strip() != "application/json":
        # The values come from a link: as a page they could bring a script along.
        response.headers.set("Content-Security-Policy", "sandbox")
    return response


def register(routes: Routes) -> None:
    routes.add("/cache", ("GET",), cache)
    routes.add("/cache/{seconds}", ("GET",), fresh)
    routes.add("/etag/{etag}", ("GET",), etag)
    routes.add("/response-headers", ("GET", "POST"), response_headers)
