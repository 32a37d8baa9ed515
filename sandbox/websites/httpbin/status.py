"""Any status code, or one of several by chance."""

from __future__ import annotations

import random

from sandbox.protocols.http.messages import Headers, HttpError, Request, Response
from sandbox.websites import answers
from sandbox.websites.httpbin.description import base
from sandbox.websites.routes import METHODS, Routes

__all__ = ["INDEX", "TITLE", "plain_status", "register"]

TITLE = "Status codes"
INDEX = (
    ("/status/404", "/status/{code}", "any status from 200 to 599"),
    ("/status/200:0.5,503:0.5", "/status/200:0.5,503:0.5", "one of several by chance, with their weights"),
)

MAX_CHOICES = 50

TEAPOT = r"""
        I'm a teapot (RFC 2324)

              _._
           .-'   '-.
       ___/_________\   __
      /  _           \_/ /
      \ ( )             /
       \_/             |
         \            /
          '.________.'
"""


def weighted(codes: str) -> int:
    """One of the codes, each as likely as its weight says. Raises HttpError(400)."""
    values, weights = [], []
    for choice in codes.split(",", MAX_CHOICES):
        code, _, weight = choice.partition(":")
        try:
            values.append(int(code))
            weights.append(float(weight or 1))
        except ValueError:
            raise HttpError(400, "Invalid status code: write 404, or 200:0.9,500:0.1 for chances.") from None
        if not 200 <= values[-1] <= 599:
            raise HttpError(400, "Invalid status code: a final one lies between 200 and 599 (RFC 9110 §15).")
        if not 0 <= weights[-1] <= 1e9:
            raise HttpError(400, "Invalid weight: write a number that is not negative.")
    if not sum(weights):
        raise HttpError(400, "Invalid weights: one must be more than nothing.")
    return random.choices(values, weights)[0]


def plain_status(code: int, redirect_to: str) -> Response:
    """An answer with this status and the fields that the status wants beside it."""
    match code:
        case 301 | 302 | 303 | 305 | 307 | 308:
            return Response(code, Headers([("Location", redirect_to)]))
        case 401:
            return Response(code, Headers([("WWW-Authenticate", 'Basic realm="Fake Realm"')]))
        case 405:
            return Response(code, Headers([("Allow", "GET, HEAD, OPTIONS")]))
        case 406:
            return answers.json({"message": "Client did not request a supported media type.",
                                 "accept": ["image/webp", "image/svg+xml", "image/jpeg", "image/png", "image/*"]},
                                406)
        case 407:
            return Response(code, Headers([("Proxy-Authenticate", 'Basic realm="Fake Realm"')]))
        case 416:
            return Response(code, Headers([("Content-Range", "bytes */0")]))
        case 418:
            return answers.text(TEAPOT, 418, [("X-More-Info", "https://www.rfc-editor.org/rfc/rfc2324")])
        case 426:
            return Response(code, Headers([("Upgrade", "HTTP/2.0"), ("Connection", "Upgrade")]))
        case 204 | 205 | 304:
            return Response(code)
    return Response(code, Headers([("Content-Type", "text/html; charset=utf-8")]))


def status(request: Request, codes: str) -> Response:
    return plain_status(weighted(codes), f"{base(request)}/redirect/1")


def register(routes: Routes) -> None:
    routes.add("/status/{codes}", (*METHODS, "TRACE"), status)
