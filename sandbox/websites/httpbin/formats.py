"""Documents in several formats and content codings."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

from sandbox.protocols.http.messages import Request, Response
from sandbox.websites import answers, page
from sandbox.websites.httpbin.description import base, describe
from sandbox.websites.routes import Routes

TITLE = "Formats"
INDEX = (
    ("/html", "/html", "a page"),
    ("/json", "/json", "JSON"),
    ("/xml", "/xml", "XML"),
    ("/encoding/utf8", "/encoding/utf8", "many of the world's scripts, in UTF-8"),
    ("/robots.txt", "/robots.txt", "what robots are asked to leave alone"),
    ("/deny", "/deny", "which robots.txt asks them not to read"),
    ("/gzip", "/gzip", "a gzip-coded answer"),
    ("/deflate", "/deflate", "a deflate-coded answer"),
    ("/brotli", "/brotli", "a brotli-coded answer"),
    ("/forms/post", "/forms/post", "a form to fill in"),
)

HTML = page.asset("story.html")
XML = page.asset("slides.xml")
UTF8 = page.asset("utf8.html")
FORM = page.template("order.html")
SLIDES = {"slideshow": {
    "author": "Yours Truly", "date": "date of publication", "title": "Sample Slide Show", "slides": [
    {"title": "Wake up to WonderWidgets!", "type": "all"},
    {"title": "Overview", "type": "all", "items": [
        "Why <em>WonderWidgets</em> are great", "Who <em>buys</em> WonderWidgets"]}]}}
ROBOTS = "User-agent: *\nDisallow: /deny\n"
DENY = r"""
            .-""-.
           /  --  \
          |  o  o  |
           \  __  /
            '-..-'
     YOU SHOULDN'T BE HERE
"""


def html(request: Request) -> Response:
    return answers.answer(HTML, "text/html; charset=utf-8")


def json(request: Request) -> Response:
    return answers.json(SLIDES)


def xml(request: Request) -> Response:
    return answers.answer(XML, "application/xml")


def utf8(request: Request) -> Response:
    return answers.answer(UTF8, "text/html; charset=utf-8")


def robots(request: Request) -> Response:
    return answers.answer(ROBOTS.encode(), "text/plain")


def deny(request: Request) -> Response:
    return answers.answer(DENY.encode(), "text/plain")


def form(request: Request) -> Response:
    return page.page("An order", page.fill(FORM, action=base(request) + "/post"), request=request)


def coded(request: Request, coding: str, mark: str) -> Response:
    """A content coding (RFC 9110 §8.4) that is used whether or not it was asked for."""
    told = describe(request, "headers", "method", "origin") | {mark: True}
    return answers.answer(CODINGS[coding](answers.json_bytes(told)), "application/json",
                          headers=[("Content-Encoding", coding)])


def brotli(data: bytes) -> bytes:
    """A brotli stream (RFC 7932 §9) of uncompressed blocks: not small, but every decoder reads it.

    The first three octets hold, from the lowest bit: WBITS 0 (a window of 64 KiB), then of each block's header
    ISLAST 0, MNIBBLES 0 (for four), MLEN - 1 in sixteen bits, ISUNCOMPRESSED 1, and padding. The last octet is an
    empty last block.
    """
    out = bytearray()
    for start in range(0, len(data), 65_536):
        block = data[start:start + 65_536]
        bits = (len(block) - 1) << 3 | 1 << 19
        if not start:
            bits <<= 1
        out += bits.to_bytes(3, "little") + block
    return bytes(out) + b"\x03" if out else b"\x06"


CODINGS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli}


def register(routes: Routes) -> None:
    for name, handler in (("html", html), ("json", json), ("xml", xml), ("robots.txt", robots), ("deny", deny),
                          ("encoding/utf8", utf8), ("forms/post", form)):
        routes.add(f"/{name}", ("GET",), handler)
    routes.add("/gzip", ("GET",), lambda request: coded(request, "gzip", "gzipped"))
    routes.add("/deflate", ("GET",), lambda request: coded(request, "deflate", "deflated"))
    routes.add("/brotli", ("GET",), lambda request: coded(request, "br", "brotli"))
