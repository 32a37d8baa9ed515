"""Operations of the API: a path, what it takes, what it gives, and the function that does it, said once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sandbox.dashboard.access import Asker
from sandbox.dashboard.answers import Parameters
from sandbox.protocols.http.messages import Request, Response

if TYPE_CHECKING:
    from sandbox.dashboard.board import Board

__all__ = ["Call", "Operation", "Operations", "Query"]


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter. example: a value that can be tried; kind: its type in JSON Schema."""

    name: str
    text: str
    example: str = ""
    kind: Literal["string", "integer"] = "string"


@dataclass(slots=True)
class Call:
    """One request for an operation. board: what the live page stands on."""

    board: Board
    request: Request
    asker: Asker
    query: Parameters


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
    """A table of operations, filled by decorators."""

    def __init__(self) -> None:
        self.all: list[Operation] = []

    def add(self, method: str, path: str, text: str, gives: Any, *queries: Query, takes: Any = None,
            changes: bool = False) -> Callable[[Handler], Handler]:
        """Declare the function below it. text: what it is for, as a sentence."""
        def declared(handler: Handler) -> Handler:
            self.all.append(Operation(method, path, text, handler, gives, takes, queries, changes))
            return handler
        return declared
