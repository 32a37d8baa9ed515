"""Routes: answers of the world's web servers that are set up while it runs."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from sandbox.dashboard.answers import ProblemError, as_json, body_of
from sandbox.dashboard.operations import Call, Operations
from sandbox.protocols.http.messages import Response
from sandbox.protocols.http.scanner import TOKEN
from sandbox.world.routes import Route, RouteAnswer, RouteError

__all__ = ["OPERATIONS"]

OPERATIONS = Operations(spaced=True)
BODIES = 16_777_216
"""Octets of one request that sets up a route."""


class NewAnswer(msgspec.Struct, forbid_unknown_fields=True):
    """body: as text, or json: as a value, or base64; template: whether words such as {query.name} in it stand for
    what was asked; media: its type."""

    status: int = 200
    fields: dict[str, str] = {}
    body: str = ""
    json: Any = msgspec.UNSET
    base64: str = ""
    template: bool = False
    media: str = ""


class NewRoute(NewAnswer):
    """method: by default any; host: a name, *.NAME, or * for all; path: with {names} for any one segment and * at its
    end for all that is left; answers: several, in turn, the last one again and again; times: how often it answers,
    by default always."""

    method: str = ""
    host: str = "*"
    path: str = "/*"
    answers: list[NewAnswer] = []
    times: int = 0


class RouteRow(msgspec.Struct):
    """answered: how often it did; statuses: of its answers."""

    number: int
    method: str
    host: str
    path: str
    times: int
    answered: int
    statuses: list[int]


class RouteRows(msgspec.Struct):
    routes: list[RouteRow]


@OPERATIONS.add("GET", "routes", "The routes that were set up, in the order they are looked at.", RouteRows,
                changes=True)
async def routes(call: Call) -> Response:
    return as_json(RouteRows([row(route) for route in call.world.routes]))


@OPERATIONS.add("POST", "routes", "Set up what a web server answers.", RouteRow, takes=NewRoute, changes=True)
async def added(call: Call) -> Response:
    asked = await body_of(call.request, NewRoute, BODIES)
    try:
        route = Route(asked.method, asked.host, asked.path,
                      tuple(map(answer, asked.answers or [asked])), asked.times)
        return as_json(row(call.world.routes.add(route)))
    except RouteError as error:
        raise ProblemError(422, "Not a route", f"{str(error)[:1].upper()}{str(error)[1:]}.") from None


@OPERATIONS.add("DELETE", "routes/{number}", "Take a route away.", RouteRows, changes=True)
async def removed(call: Call, number: str) -> Response:
    try:
        call.world.routes.remove(int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else 0)
    except KeyError:
        raise ProblemError(404, "No such route", f"There is no route {number[:40]!r}.",
                           "routes lists those there are.") from None
    return await routes(call)


def answer(asked: NewAnswer) -> RouteAnswer:
    """Raises ProblemError for a body or a field that cannot be."""
    value = b"" if asked.json is msgspec.UNSET else msgspec.json.encode(asked.json)
    given = [each for each in (asked.body, value, asked.base64) if each]
    if len(given) > 1:
        raise ProblemError(422, "Two bodies", "More than one of body, json and base64 is given.", "Give one.")
    try:
        body = base64.b64decode(asked.base64, validate=True) or value or asked.body.encode()
    except binascii.Error:
        raise ProblemError(422, "Not base64", "base64 is no base64 (RFC 4648 §4).") from None
    fields = dict(asked.fields)
    for name, text in fields.items():
        if not name or name.encode().translate(None, TOKEN) or not (text.isprintable() and text.isascii()):
            raise ProblemError(422, "Not a field", f"{name[:60]!r} cannot be a header field with that value.",
                               "A name is a token, a value one line (RFC 9110 §5).")
    media = asked.media or ("application/json" if value else "")
    if media and "content-type" not in {name.lower() for name in fields}:
        fields["Content-Type"] = media
    return RouteAnswer(asked.status, tuple(fields.items()), body, asked.template)


def row(route: Route) -> RouteRow:
    return RouteRow(route.number, route.method, route.host, route.path, route.times, route.answered,
                    [one.status for one in route.answers])
