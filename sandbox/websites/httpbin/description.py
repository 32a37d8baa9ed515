"""The shapes httpbin's answers are made of."""

from __future__ import annotations

import base64

import trio

from sandbox.protocols.http.messages import HttpError, Request, Response
from sandbox.websites import answers, content

__all__ = ["PREFIX", "base", "describe", "headers_of", "number", "query_of", "told"]

PREFIX = "/httpbin"


def base(request: Request) -> str:
    """What the paths of links start with: "" on httpbin's own host."""
    return PREFIX if request.path.startswith(PREFIX + "/") or request.path == PREFIX else ""


def number(value: str, name: str, low: int, high: int) -> int:
    """A whole number in a path or a query, held between two bounds. Raises HttpError(400) for anything else."""
    try:
        if len(value) > 18:
            raise ValueError
        return max(low, min(high, int(value)))
    except ValueError:
        raise HttpError(400, f"{name} must be a whole number; {value[:40]!r} is none.") from None


def query_of(request: Request) -> dict[str, str]:
    """The query; of fields with one name the first."""
    found: dict[str, str] = {}
    for name, value in content.parse_query(request.query):
        found.setdefault(name, value)
    return found


def headers_of(request: Request) -> dict[str, str]:
    """Field names as The-Web-Writes-Them; several lines of one name as one list (RFC 9110 §5.3)."""
    found: dict[str, str] = {}
    for name, value in request.headers:
        title = "-".join(word.capitalize() for word in name.split("-"))
        found[title] = f"{found[title]},{value}" if title in found else value
    return found


def describe(request: Request, *names: str, body: bytes = b"") -> dict[str, object]:
    """The named parts of what the client sent: args, data, files, form, headers, json, method, origin, url."""
    essence, parameters = content.media_type(request.headers.get("content-type"))
    form = form_in(essence, parameters, body) if {"form", "files", "data"} & set(names) else None
    found: dict[str, object] = {}
    for name in names:
        match name:
            case "args":
                found[name] = content.grouped(content.parse_query(request.query))
            case "data":
                found[name] = text_or_url(body, essence) if form is None else ""
            case "files":
                found[name] = content.grouped((part.name, text_or_url(part.content, part.media_type))
                                              for part in (form.files if form else ()))
            case "form":
                found[name] = content.grouped(form.fields if form else ())
            case "headers":
                found[name] = headers_of(request)
            case "json":
                found[name] = json_or_none(body)
            case "method":
                found[name] = request.method
            case "origin":
                found[name] = request.client.host
            case "url":
                found[name] = url_of(request)
            case _:
                raise KeyError(name)
    return found


def form_in(essence: str, parameters: dict[str, str], body: bytes) -> content.Form | None:
    """None for what is no form, whatever it is called: curl calls everything one, and nobody asked for its fields."""
    if essence not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return None
    try:
        return content.parse_form(essence, parameters, body)
    except HttpError:
        return None


def url_of(request: Request) -> str:
    """The address as a proxy before us was asked for it, if it says so (X-Forwarded-Proto)."""
    scheme = request.headers.get("x-forwarded-proto").strip().lower()
    return (scheme if scheme in ("http", "https") else request.scheme) + request.url[len(request.scheme):]


async def told(request: Request, body: bytes, *names: str) -> Response:
    """The named parts of what the client sent, with its content, as JSON."""
    if len(body) < content.LARGE:
        return answers.json(describe(request, *names, body=body))
    return await trio.to_thread.run_sync(lambda: answers.json(describe(request, *names, body=body)))


def text_or_url(data: bytes, media_type: str) -> str:
    """Text as it is, anything else as a data: URL (RFC 2397)."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return f"data:{media_type or 'application/octet-stream'};base64,{base64.b64encode(data).decode()}"


def json_or_none(body: bytes) -> object:
    try:
        return content.parse_json(body) if body else None
    except HttpError:
        return None
