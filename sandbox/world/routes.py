"""Routes: answers of the world's web servers that are set up while it runs, and put before every website.

A route is for one method, host and path, or a family of them, and has one answer or several, given in turn, the last
one again and again. With `times` it goes away after as many requests. The one that was added last comes first, so a
route that is used up uncovers the one before it.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote

__all__ = ["Met", "Route", "RouteAnswer", "RouteError", "Routes"]

MOST = 10_000
"""Routes of one world."""
ANSWERS = 1_000
"""Answers of one route."""


class RouteError(ValueError):
    """A route that cannot be; the text says why and what to do."""


@dataclass(frozen=True)
class RouteAnswer:
    """One answer. fields: header fields; template: whether words such as {query.name} in the body stand for what was
    asked; function: makes the answer instead, from what was asked, in a worker thread."""

    status: int = 200
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    template: bool = False
    function: Callable[[Any], Any] | None = None


@dataclass
class Route:
    """method: "" for any; host: a name, `*.` before one for those below it, "*" for all; path: segments in braces
    stand for one that is any, a star at the end for all that is left; times: how often it answers, 0 for always;
    answered: how often it did."""

    method: str
    host: str
    path: str
    answers: tuple[RouteAnswer, ...]
    times: int = 0
    number: int = 0
    answered: int = 0
    segments: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        self.method = self.method.upper()
        self.host = self.host.lower().rstrip(".") or "*"
        if not self.path.startswith("/"):
            raise RouteError(f"the path {self.path[:100]!r} does not begin with a slash; write /pay or /users/{{id}}")
        if not 1 <= len(self.answers) <= ANSWERS:
            raise RouteError(f"a route has 1 to {ANSWERS:,} answers, not {len(self.answers):,}")
        for answer in self.answers:
            if not 200 <= answer.status <= 599:
                raise RouteError(f"the status {answer.status} is not one from 200 to 599 (RFC 9110 §15)")
        if self.times < 0:
            raise RouteError(f"times is {self.times}; it is 0 for always, or how often")
        self.segments = tuple(self.path.removeprefix("/").split("/"))

    def match(self, method: str, host: str, segments: list[str]) -> dict[str, str] | None:
        """What the segments in braces stand for; None where it is not meant."""
        if self.method and method != self.method and not (method == "HEAD" and self.method == "GET"):
            return None
        if self.host not in ("*", host) and not (self.host.startswith("*.") and host.endswith(self.host[1:])):
            return None
        found: dict[str, str] = {}
        for place, pattern in enumerate(self.segments):
            if pattern == "*" and place == len(self.segments) - 1:
                return found
            if place >= len(segments):
                return None
            if pattern.startswith("{") and pattern.endswith("}") and segments[place]:
                found[pattern[1:-1]] = unquote(segments[place])
            elif pattern != segments[place]:
                return None
        return found if len(segments) == len(self.segments) else None


class Met(NamedTuple):
    """A route that answers. parts: what its segments in braces stand for."""

    route: Route
    answer: RouteAnswer
    parts: Mapping[str, str]


class Routes:
    """All of one world. Any thread may change them."""

    def __init__(self) -> None:
        self._all: list[Route] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._all)

    def __iter__(self) -> Iterator[Route]:
        """The one that was added last comes first."""
        return iter(tuple(self._all))

    def add(self, route: Route) -> Route:
        """Raises RouteError."""
        with self._lock:
            if len(self._all) >= MOST:
                raise RouteError(f"there are {MOST:,} routes already; remove some first")
            route.number = next(self._numbers)
            self._all.insert(0, route)
        return route

    def remove(self, number: int) -> None:
        """Raises KeyError (no such route)."""
        with self._lock:
            route = next((route for route in self._all if route.number == number), None)
            if route is None:
                raise KeyError(number)
            self._all.remove(route)

    def replace(self, routes: tuple[Route, ...] = ()) -> None:
        """Have these and no others."""
        with self._lock:
            self._all = list(routes)

    def meet(self, method: str, host: str, path: str) -> Met | None:
        """The answer to a request, which counts as given. None where no route is meant."""
        segments = path.removeprefix("/").split("/")
        with self._lock:
            for route in self._all:
                if (route.times and route.answered >= route.times) or (
                        found := route.match(method, host, segments)) is None:
                    continue
                answer = route.answers[min(route.answered, len(route.answers) - 1)]
                route.answered += 1
                return Met(route, answer, found)
        return None
