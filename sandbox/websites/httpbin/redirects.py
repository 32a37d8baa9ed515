"""Redirects (RFC 9110 §15.4)."""

from __future__ import annotations

import re

from sandbox.protocols.http.messages import HttpError, Request, Response
from sandbox.websites import answers
from sandbox.websites.content import any_form
from sandbox.websites.httpbin.description import base, number, query_of
from sandbox.websites.routes import METHODS, Routes

TITLE = "Redirects"
INDEX = (
    ("/redirect/3", "/redirect/{n}", "n redirects, one after the other"),
    ("/relative-redirect/3", "/relative-redirect/{n}", "with a path in Location"),
    ("/absolute-redirect/3", "/absolute-redirect/{n}", "with a whole URL in Location"),
    ("/redirect-to?url=/httpbin/get&status_code=307", "/redirect-to?url=…&status_code=…", "wherever you say"),
)
MAX_REDIRECTS = 100


def onward(request: Request, n: str, kind: str, absolute: bool) -> Response:
    left = number(n, "n", 0, MAX_REDIRECTS)
    if left < 1:
        raise HttpError(400, "n must be at least 1.")
    target = f"{base(request)}/get" if left == 1 else f"{base(request)}/{kind}/{left - 1}"
    if absolute:
        target = answers.root(request) + target
    return answers.redirect(target)


def redirect(request: Request, n: str) -> Response:
    absolute = query_of(request).get("absolute", "false").lower() == "true"
    return onward(request, n, "absolute-redirect" if absolute else "relative-redirect", absolute)


def relative(request: Request, n: str) -> Response:
    return onward(request, n, "relative-redirect", False)


def absolute(request: Request, n: str) -> Response:
    return onward(request, n, "absolute-redirect", True)


async def redirect_to(request: Request) -> Response:
    given = query_of(request)
    if request.method in ("POST", "PUT", "PATCH"):
        given = dict((await any_form(request)).fields) | given
    url = given.get("url", "")
    if not url:
        raise HttpError(400, "Say where to: /redirect-to?url=/get")
    if re.fullmatch(r"[!-~]+", url) is None:
        raise HttpError(400, "A URL is ASCII without blanks; percent-encode what is not (RFC 3986 §2.1).")
    status = number(given.get("status_code", "302"), "status_code", 0, 999)
    return answers.redirect(url, status if 300 <= status < 400 else 302)


def register(routes: Routes) -> None:
    routes.add("/redirect/{n}", ("GET",), redirect)
    routes.add("/relative-redirect/{n}", ("GET",), relative)
    routes.add("/absolute-redirect/{n}", ("GET",), absolute)
    routes.add("/redirect-to", (*METHODS, "TRACE"), redirect_to)
