"""Which function answers which path: a table, looked into once per request.

A pattern is segments between slashes; `{name}` stands for any one segment that is not empty, `{name:rest}` at the
end for all that is left. What they matched arrives percent-decoded, as keyword arguments. A handler may be plain,
which promises that it waits for nothing, or a coroutine.

HEAD is answered as GET; the wire leaves the content out (RFC 9110 §9.3.2). OPTIONS and a method that is not there
are answered from the table (§9.3.7, §15.5.6).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import unquote

from sandbox.protocols.http.messages import Headers, HttpError, Request, Response

__all__ = ["METHODS", "Handler", "Routes"]

Handler = Callable[..., Response | Awaitable[Response]]

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""What an address takes that takes anything."""
MAX_SEGMENTS = 64
"""Segments of a path that are looked at."""


class Route(NamedTuple):
    segments: tuple[str, ...]
    rest: str
    methods: dict[str, Handler]

    def match(self, segments: list[str]) -> dict[str, str] | None:
        fixed = len(self.segments)
        if len(segments) < fixed or (len(segments) > fixed and not self.rest):
            return None
        found = {}
        for pattern, segment in zip(self.segments, segments, strict=False):
            if pattern.startswith("{"):
                if not segment:
                    return None
                found[pattern[1:-1]] = unquote(segment)
            elif pattern != segment:
                return None
        if self.rest:
            found[self.rest] = unquote("/".join(segments[fixed:]))
        return found


class Routes:
    """A table of paths, and a site that answers by it."""

    def __init__(self) -> None:
        self._routes: dict[str, list[Route]] = {}
        """By first segment; those whose first segment is a parameter under "{"."""

    def add(self, pattern: str, methods: tuple[str, ...], handler: Handler) -> None:
        segments = pattern.removeprefix("/").split("/")
        rest = ""
        if segments[-1].endswith(":rest}"):
            rest = segments.pop()[1:-6]
        first = segments[0] if segments else "{"
        routes = self._routes.setdefault("{" if first.startswith("{") else first, [])
        for route in routes:
            if route.segments == tuple(segments) and route.rest == rest:
                break
        else:
            route = Route(tuple(segments), rest, {})
            routes.append(route)
        for method in methods:
            if method in route.methods:
                raise ValueError(f"{method} {pattern} is registered twice")
            route.methods[method] = handler

    async def answer(self, request: Request, path: str = "", **arguments: Any) -> Response | None:
        """The response, or None where no pattern matches. path: what to look for, if not the request's own;
        arguments: passed on to the handler. Raises HttpError, also 405."""
        segments = (path or request.path).removeprefix("/").split("/", MAX_SEGMENTS)
        for route in (*self._routes.get(segments[0], ()), *self._routes.get("{", ())):
            found = route.match(segments)
            if found is not None:
                return await call(route, request, {**arguments, **found})
        return None

    async def __call__(self, request: Request) -> Response:
        response = await self.answer(request)
        if response is None:
            raise HttpError(404, f"{request.host or 'This host'} has nothing at {request.path}.")
        return response


async def call(route: Route, request: Request, arguments: dict[str, Any]) -> Response:
    method = "GET" if request.method == "HEAD" else request.method
    handler = route.methods.get(method)
    if handler is None:
        allowed = [*route.methods]
        if "GET" in allowed:
            allowed.insert(allowed.index("GET") + 1, "HEAD")
        allow = ", ".join([*allowed, "OPTIONS"])
        if method == "OPTIONS":
            return Response(204, Headers([("Allow", allow)]))
        raise HttpError(405, f"{request.path} does not take {request.method}; it takes {allow}.", [("Allow", allow)])
    result = handler(request, **arguments)
    return result if isinstance(result, Response) else await result
