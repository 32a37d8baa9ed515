"""A message as the body of a multi-line response, with its dots stuffed (RFC 1939 §3)."""

from __future__ import annotations

from sandbox.protocols.lines.dot_stuffing import Stuffer
from sandbox.protocols.threads import Pieces

__all__ = ["Stuffed", "whole_body"]


def whole_body(text: bytes) -> bytes:
    """A message as the body of a multi-line response."""
    stuffer = Stuffer()
    return stuffer.feed(text) + stuffer.end()


class Stuffed:
    """The same for a message that comes in pieces."""

    def __init__(self, first: bytes, rest: Pieces) -> None:
        self._first: bytes | None = first
        self._rest = rest
        self._stuffer: Stuffer | None = Stuffer()

    def __aiter__(self) -> Stuffed:
        return self

    async def __anext__(self) -> bytes:
        if self._stuffer is None:
            raise StopAsyncIteration
        if self._first is not None:
            piece, self._first = self._first, None
            return self._stuffer.feed(piece)
        try:
            return self._stuffer.feed(await anext(self._rest))
        except StopAsyncIteration:
            stuffer, self._stuffer = self._stuffer, None
            return stuffer.end()
