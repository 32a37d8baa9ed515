"""The usual answers of a site, in one call each."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Iterable
from typing import Any

from sandbox.protocols.http.messages import Headers, Request, Response

__all__ = ["Fields", "answer", "html", "json", "json_bytes", "problem", "redirect", "root", "text"]

Fields = Iterable[tuple[str, str]]


def answer(body: bytes, media_type: str, status: int = 200, headers: Fields = ()) -> Response:
    return Response(status, Headers([("Content-Type", media_type), *headers]), body)


def text(body: str, status: int = 200, headers: Fields = ()) -> Response:
    return answer(body.encode(), "text/plain; charset=utf-8", status, headers)


def html(body: str, status: int = 200, headers: Fields = ()) -> Response:
    return answer(body.encode(), "text/html; charset=utf-8", status, headers)


def json_bytes(value: object) -> bytes:
    """Readable JSON: indented, members in order of their names, ASCII, a line end at the end."""
    return jsonlib.dumps(value, indent=2, sort_keys=True).encode() + b"\n"


def json(value: object, status: int = 200, headers: Fields = ()) -> Response:
    return answer(json_bytes(value), "application/json", status, headers)


def problem(status: int, title: str, detail: str, headers: Fields = (), **members: Any) -> Response:
    """A machine-readable error (RFC 9457). members: what else the client may want to know."""
    about = {"type": "about:blank", "title": title, "status": status, "detail": detail, **members}
    return answer(jsonlib.dumps(about, indent=2).encode() + b"\n", "application/problem+json", status, headers)


def redirect(location: str, status: int = 302, headers: Fields = ()) -> Response:
    """Send the client elsewhere (RFC 9110 §15.4). location: an absolute URL or a path, already encoded."""
    return text(f"Go to {location}\n", status, [("Location", location), *headers])


def root(request: Request) -> str:
    """Scheme and authority of the site as the client knows it, such as http://www.example.com:8080."""
    rest = request.path + (f"?{request.query}" if request.query else "")
    return request.url.removesuffix(rest)
