"""Answers by the routes that were set up while the world runs (`sandbox.world.routes`)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import trio

from sandbox.protocols.http.messages import Headers, Request, Response
from sandbox.world.routes import Met

__all__ = ["Asked", "scripted"]

WORD = re.compile(r"\{(method|host|path|body|(?:part|query|form|field|json)\.([\w.-]{1,100}))\}", re.ASCII)
"""What a template may say. Other braces are themselves, so a template can be JSON."""
BODY = 1_048_576
"""Octets of a request's body that a template or a function is given."""
FIELDS = 1_000
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Asked:
    """A request, as a route's function is given it. parts: what the path's segments in braces stand for; query,
    form: the last value of each name; fields: the header, names in small letters."""

    method: str
    host: str
    path: str
    parts: Mapping[str, str]
    query: Mapping[str, str]
    fields: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def form(self) -> Mapping[str, str]:
        """Of a urlencoded body."""
        return last_values(self.text)

    @property
    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        return json.loads(self.body)


async def scripted(met: Met, request: Request) -> Response:
    """The answer of a route."""
    request.facts["route"] = str(met.route.number)
    answer = met.answer
    fields, status, body = list(answer.fields), answer.status, answer.body
    if answer.template or answer.function is not None:
        asked = Asked(request.method, request.host, request.path, met.parts, last_values(request.query),
                      {name.lower(): value for name, value in request.headers}, await request.body.read(BODY))
        if answer.function is not None:
            status, more, body = answer_of(await trio.to_thread.run_sync(answer.function, asked))
            fields += more
        else:
            body = filled(body.decode("utf-8", "replace"), asked).encode()
    headers = Headers(fields)
    if body and "Content-Type" not in headers:
        headers.add("Content-Type", TEXT)
    return Response(status, headers, body)


def filled(template: str, asked: Asked) -> str:
    """A template with what was asked in it; a word that stands for nothing is left out."""
    def value(found: re.Match[str]) -> str:
        kind, _, name = found[1].partition(".")
        match kind:
            case "part":
                return asked.parts.get(name, "")
            case "query":
                return asked.query.get(name, "")
            case "form":
                return asked.form.get(name, "")
            case "field":
                return asked.fields.get(name.lower(), "")
            case "json":
                return member(asked, name)
            case "body":
                return asked.text
            case _:
                return str(getattr(asked, kind))
    return WORD.sub(value, template)


def member(asked: Asked, name: str) -> str:
    """A member of a JSON body, found by names with dots between; "" without one."""
    try:
        found = asked.json
        for step in name.split("."):
            found = found[step] if isinstance(found, dict) else found[int(step)]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return found if isinstance(found, str) else json.dumps(found)


def answer_of(given: object) -> tuple[int, list[tuple[str, str]], bytes]:
    """What a function gave: a body, or (status, body), or (status, body, header fields); a body is text, octets, or
    what JSON can say."""
    status, fields = 200, {}
    if isinstance(given, tuple):
        status, given, *rest = given
        fields = dict(rest[0]) if rest else {}
    if given is None:
        return status, list(fields.items()), b""
    if isinstance(given, str | bytes):
        return status, list(fields.items()), given.encode() if isinstance(given, str) else given
    return status, [*fields.items(), ("Content-Type", "application/json")], json.dumps(given).encode()


def last_values(text: str) -> dict[str, str]:
    try:
        found = parse_qs(text, keep_blank_values=True, max_num_fields=FIELDS, errors="replace")
    except ValueError:
        return {}
    return {name: values[-1] for name, values in found.items()}
