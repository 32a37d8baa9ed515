"""What the API answers with: JSON, problems (RFC 9457), and what a request's parameters are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote

import msgspec

from sandbox.dashboard.changes import noted
from sandbox.protocols.http.messages import Headers, Request, Response

__all__ = ["Parameters", "ProblemError", "as_json", "attachment", "body_of", "octets", "problem"]

T = TypeVar("T")

BODY = 1_048_576
"""Octets a request's JSON may have, but for letters and files."""
TEXT = 4_096
"""Characters a parameter may have."""

SAFE = [("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")]
"""Of every answer of the API: nobody else's page gets at it, and nothing in it is run."""

encode = msgspec.json.Encoder().encode


class ProblemError(Exception):
    """What was wrong with a request, and what to do. more: further members of the problem."""

    def __init__(self, status: int, title: str, detail: str, hint: str = "", **more: Any) -> None:
        super().__init__(status, title, detail)
        self.status = status
        self.body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail,
                                     "hint": hint, **more}


def as_json(value: object, status: int = 200) -> Response:
    return octets(encode(value), "application/json", status)


def octets(data: bytes, media: str, status: int = 200, more: Mapping[str, str] | None = None) -> Response:
    """Octets of a media type, safe to open."""
    return Response(status, Headers([("Content-Type", media), *SAFE, *(more or {}).items()]), data)


def attachment(data: bytes | AsyncIterator[bytes], name: str, length: int = -1) -> Response:
    """Octets of anybody's making, to be kept and not shown. name: what a browser calls the file."""
    named = f"attachment; filename*=UTF-8''{quote(name, safe='')}" if name else "attachment"
    headers = [("Content-Type", "application/octet-stream"), ("Content-Disposition", named), *SAFE]
    return Response(200, Headers(headers), data, length)


def problem(error: ProblemError) -> Response:
    return octets(encode(error.body), "application/problem+json", error.status)


async def body_of(request: Request, kind: type[T], limit: int = BODY) -> T:
    """The request's JSON as a value. Raises ProblemError."""
    if request.headers.get("Content-Type").partition(";")[0].strip().lower() != "application/json":
        raise ProblemError(415, "Not JSON", "This takes JSON, and the request does not say that it is.",
                           "Send it with Content-Type: application/json.")
    data = await request.body.read(limit)
    noted(request, data)
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise ProblemError(422, "Not what is expected here", f"{error}.") from error
    except msgspec.DecodeError as error:
        raise ProblemError(400, "Not JSON", f"The body is no JSON: {error}.") from error


class Parameters:
    """The query of a request. What is said twice counts once, the last time; unknown names are refused.

    known: the names there are. Raises ProblemError.
    """

    def __init__(self, request: Request, *known: str) -> None:
        try:
            found = parse_qs(request.query, keep_blank_values=True, max_num_fields=32, errors="replace")
        except ValueError:
            raise ProblemError(400, "Too many parameters", "The query has more than 32 parameters.") from None
        self._values = {name: values[-1] for name, values in found.items()}
        for name, value in self._values.items():
            if name not in known:
                raise ProblemError(400, "Unknown parameter", f"There is no parameter {name[:60]!r} here.",
                                   f"It takes {', '.join(known)}." if known else "It takes none.")
            if len(value) > TEXT:
                raise ProblemError(400, "Parameter too long", f"{name} has more than {TEXT:,} characters.")

    def text(self, name: str, default: str = "") -> str:
        return self._values.get(name, default)

    def whole(self, name: str, default: int, *, least: int = 0, most: int = 2**53) -> int:
        """A whole number between two bounds."""
        text = self._values.get(name, "")
        if not text:
            return default
        if not (text.isascii() and text.isdecimal()) or not least <= int(text[:18]) <= most:
            raise ProblemError(400, "Not such a number", f"{name} is {text[:40]!r}.",
                               f"It is a whole number from {least:,} to {most:,}.")
        return int(text)

    def one_of(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self._values.get(name, default)
        if value not in choices:
            raise ProblemError(400, "Unknown value", f"{name} is {value[:40]!r}.",
                               f"It is one of {', '.join(choices)}.")
        return value
