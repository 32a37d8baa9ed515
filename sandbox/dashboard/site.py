"""The site: which function answers which path, the page's own files, and the same look for every refusal."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

from sandbox.dashboard.access import Asker, authority
from sandbox.dashboard.answers import Parameters, ProblemError, as_json, octets, problem
from sandbox.dashboard.changes import told
from sandbox.dashboard.metrics import MEDIA as MEDIA_METRICS
from sandbox.dashboard.operations import Call, Operation
from sandbox.protocols.http.messages import Headers, HttpError, Request, Response
from sandbox.space import MAIN
from sandbox.websites.routes import Routes

if TYPE_CHECKING:
    from sandbox.dashboard.board import Board

__all__ = ["DashboardSite", "operations"]

API = "/api/v1/"
MEDIA = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png"}
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
          "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
"""No inline script or style, nothing from elsewhere, in nobody's frame."""


def operations() -> list[Operation]:
    """Every operation there is."""
    from sandbox.dashboard.api import (
        events,
        exchanges,
        faults,
        files,
        filters,
        journeys,
        knowledge,
        labs,
        letters,
        mail,
        names,
        people,
        placing,
        routes,
        services,
        sessions,
        spaces,
        state,
        waiting,
    )

    return [operation for module in (services, exchanges, sessions, filters, events, people, names, files, mail,
                                     letters, journeys, knowledge, labs, spaces, waiting, routes, placing, state,
                                     faults)
            for operation in module.OPERATIONS.all]


class DashboardSite:
    """Answers everything on the dashboard's port."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._routes = Routes()
        for operation in operations():
            self._routes.add(API + operation.path, (operation.method,), handler_of(operation))
        self._routes.add(API + "openapi.json", ("GET",), lambda request, **_: self._description(request))
        self._files: dict[str, tuple[bytes, str]] = {}

    async def __call__(self, request: Request) -> Response:
        try:
            asker = self._board.access.asker(request)
            if request.path.startswith("/api/"):
                return await self._api(request, asker)
            if request.path == "/metrics":
                return await self._metrics(request, asker)
            return self._page(request)
        except ProblemError as error:
            return problem(error)
        except HttpError as error:
            answer = problem(ProblemError(error.status, "Not possible", error.detail))
            for name, value in error.headers:
                answer.headers.add(name, value)
            return answer

    async def _api(self, request: Request, asker: Asker) -> Response:
        response = await self._routes.answer(request, board=self._board, asker=asker)
        if response is None:
            raise ProblemError(404, "No such operation", f"The API has nothing at {request.path[:100]}.",
                               "See /api/v1/openapi.json for what there is.")
        return response

    async def _metrics(self, request: Request, asker: Asker) -> Response:
        if not asker.sees_all:
            raise ProblemError(403, "Not for visitors", "The numbers are about everybody's traffic.",
                               "The teacher's token allows it: Authorization: Bearer TOKEN.")
        if request.method not in ("GET", "HEAD"):
            raise ProblemError(405, "Only to be read", f"/metrics does not take {request.method[:20]}.")
        return octets(await self._board.metrics.text(), MEDIA_METRICS)

    def _description(self, request: Request) -> Response:
        """The OpenAPI document."""
        from sandbox.dashboard.openapi import document

        return as_json(document(operations(), f"{request.scheme}://{authority(request)}{API.rstrip('/')}"))

    def _page(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise ProblemError(405, "Only to be read", f"{request.path[:100]} does not take {request.method[:20]}.")
        name = request.path.removeprefix("/page/") if request.path.startswith("/page/") else "index.html"
        data, tag = self._file(name)
        headers = Headers([("Content-Type", MEDIA[name[name.rindex("."):]]), ("ETag", tag),
                           ("Cache-Control", "no-cache"), ("Content-Security-Policy", POLICY),
                           ("X-Content-Type-Options", "nosniff"),
                           ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Opener-Policy", "same-origin")])
        return Response(200, headers, data)

    def _file(self, name: str) -> tuple[bytes, str]:
        """A file of the page, and its tag. They are few and small, and stay in memory once asked for."""
        if name not in self._files:
            names = name.split("/")
            found = files("sandbox.dashboard").joinpath("page", *names)
            fine = all(part and not part.startswith(".") and part.isascii() and "\\" not in part for part in names)
            if not fine or not found.is_file() or name[name.rfind("."):] not in MEDIA:
                raise ProblemError(404, "No such file", f"The page has no file {name[:100]!r}.")
            data = found.read_bytes()
            self._files[name] = data, f'"{hashlib.sha256(data).hexdigest()[:24]}"'
        return self._files[name]


def handler_of(operation: Operation):  # type: ignore[no-untyped-def]
    """The function that routes call: checks who may, then does it."""
    names = tuple(query.name for query in operation.queries)

    async def handle(request: Request, board: Board, asker: Asker, **found: str) -> Response:
        if operation.changes and not asker.sees_all:
            raise ProblemError(403, "Not for visitors", "A visitor may look at the own traffic and change nothing.",
                               "The teacher's token allows it.")
        call = Call(board, request, asker, Parameters(request, *names))
        if not operation.changes or operation.method == "GET":
            return await operation.handler(call, **found)
        with told(board.sandbox.journal, request, call.query.text("space", MAIN)) as outcome:
            try:
                response = await operation.handler(call, **found)
            except ProblemError as error:
                outcome.status = error.status
                raise
            outcome.status = response.status
            return response

    return handle
