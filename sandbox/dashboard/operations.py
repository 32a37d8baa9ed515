"""Operations of the API: a path, what it takes, what it gives, and the function that does it, said once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sandbox.address import Address
from sandbox.dashboard.access import Asker
from sandbox.dashboard.answers import Parameters, ProblemError
from sandbox.protocols.http.messages import Request, Response
from sandbox.space import MAIN, Space
from sandbox.spaces import SpaceError
from sandbox.world import World

if TYPE_CHECKING:
    from sandbox.dashboard.board import Board

__all__ = ["SPACE", "Call", "Operation", "Operations", "Query"]


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter. example: a value that can be tried; kind: its type in JSON Schema."""

    name: str
    text: str
    example: str = ""
    kind: Literal["string", "integer"] = "string"


SPACE = Query("space", "The space whose world is meant, by default the main one.", MAIN)


@dataclass(slots=True)
class Call:
    """One request for an operation. board: what the live page stands on."""

    board: Board
    request: Request
    asker: Asker
    query: Parameters

    @property
    def space(self) -> Space:
        """The space it is about. Raises ProblemError."""
        return self.space_called(self.query.text("space", MAIN))

    @property
    def world(self) -> World:
        """The world it is about. Raises ProblemError."""
        return self.space.world

    @property
    def place(self) -> Mapping[str, Address]:
        """The services of its space, at addresses that the asker can reach."""
        return self.board.place(self.request, self.space)

    def space_called(self, name: str) -> Space:
        """Raises ProblemError, for a visitor too, who may know of no other space than the main one."""
        if name != MAIN and not self.asker.sees_all:
            raise ProblemError(403, "Not for visitors", "A visitor knows the main space only.",
                               "The teacher's token shows the others.")
        try:
            return self.board.sandbox.spaces.get(name)
        except SpaceError as error:
            raise ProblemError(404, "No such space", f"{str(error)[:1].upper()}{str(error)[1:]}.",
                               "spaces lists those that are open.") from None


Handler = Callable[..., Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Operation:
    """path: below /api/v1/, with {names}; gives: the type of the answer's JSON, or its media type; takes: the type of
    the request's; changes: whether a visitor may not do it."""

    method: str
    path: str
    text: str
    handler: Handler
    gives: Any
    takes: Any = None
    queries: tuple[Query, ...] = ()
    changes: bool = False


class Operations:
    """A table of operations, filled by decorators. spaced: whether each is about the world of a space."""

    def __init__(self, *, spaced: bool = False) -> None:
        self.all: list[Operation] = []
        self._shared = (SPACE,) if spaced else ()

    def add(self, method: str, path: str, text: str, gives: Any, *queries: Query, takes: Any = None,
            changes: bool = False) -> Callable[[Handler], Handler]:
        """Declare the function below it. text: what it is for, as a sentence."""
        def declared(handler: Handler) -> Handler:
            self.all.append(Operation(method, path, text, handler, gives, takes, (*queries, *self._shared), changes))
            return handler
        return declared
