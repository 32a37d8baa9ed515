"""The body of a request, taken from the conversation while a site asks for it (RFC 9110 §10.1.1, RFC 9112 §6)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sandbox.protocols.contract.conversation import Conversation, EndOfStream
from sandbox.protocols.contract.fairness import Checkpoints
from sandbox.protocols.http.chunks import ChunkReader
from sandbox.protocols.http.messages import Headers, HttpError

__all__ = ["NO_CONTENT", "Http1Body", "RequestBody", "too_large"]

PIECE = 65_536
"""The most that is handed over at once (octets)."""
SKIPPED = 262_144
"""How much of a body nobody asked for is read to save the connection (octets)."""
BURST = 256
"""Pieces taken from what is here already before others get their turn: chunks can be of one octet."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class NoContent:
    """The body of a request that has none."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        nothing: tuple[bytes, ...] = ()
        for piece in nothing:
            yield piece

    async def read(self, limit: int = 0) -> bytes:
        return b""

    @property
    def trailers(self) -> Headers:
        return Headers()


NO_CONTENT = NoContent()


class RequestBody:
    """A body as a site reads it. limit: the service's own, in octets. A version of HTTP writes `_next`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    async def _next(self) -> bytes:
        """The next piece; b"" at the end. Raises EndOfStream when the client stops before it."""
        raise NotImplementedError

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Raises HttpError(413), and what `_next` raises."""
        while piece := await self._next():
            yield piece

    async def read(self, limit: int = 0) -> bytes:
        limit = min(limit or self._limit, self._limit)
        pieces = []
        total = 0
        while piece := await self._next():
            total += len(piece)
            if total > limit:
                raise too_large(limit)
            pieces.append(piece)
        return b"".join(pieces)


class Http1Body(RequestBody):
    """A body of known length, or a chunked one.

    length: octets, or -1 for chunked; limit: the service's own; expects: whether the client waits for 100 (Continue)
    before it sends anything. The 100 is sent when the content is first asked for, and not if it is already here.
    """

    def __init__(self, conversation: Conversation, length: int, limit: int, expects: bool) -> None:
        super().__init__(limit)
        self._conversation = conversation
        self._left = length
        self._chunks = ChunkReader() if length < 0 else None
        self._expects = expects
        self._seen = 0
        self._checkpoints = Checkpoints(BURST)

    @property
    def done(self) -> bool:
        """Whether all of it has been read."""
        return self._chunks.done if self._chunks is not None else not self._left

    @property
    def trailers(self) -> Headers:
        return self._chunks.trailers if self._chunks is not None and self._chunks.done else Headers()

    async def read(self, limit: int = 0) -> bytes:
        if self._left > min(limit or self._limit, self._limit):
            raise too_large(min(limit or self._limit, self._limit))  # said before any of it is taken
        return await super().read(limit)

    @property
    def skippable(self) -> bool:
        """Whether the next request can be found even if nobody reads this body.

        Not past a long one; nor where the client still waits for its 100 (Continue): it may send its content after
        our answer or not, and nobody can know.
        """
        waiting = self._expects and not self._conversation.buffer
        return self.done or (not waiting and self._left <= SKIPPED and self._seen <= self._limit)

    async def discard(self) -> bool:
        """Read what nobody asked for, within bounds. Whether all of it was."""
        self._expects = False
        skipped = 0
        while skipped < SKIPPED and (piece := await self._next()):
            skipped += len(piece)
        return self.done

    async def _next(self) -> bytes:
        """Raises HttpError(413), Refused(400), and what the conversation raises."""
        conversation = self._conversation
        while not self.done:
            await self._checkpoints.count()
            if self._expects:
                self._expects = False
                if not conversation.buffer:
                    conversation.write(CONTINUE)
            framing, count = self._measure()
            if framing:
                conversation.take(framing)
            if count:
                piece = conversation.take(count)
                self._seen += count
                if self._seen > self._limit:
                    raise too_large(self._limit)
                return piece
            if not framing and not await conversation.fill():
                raise EndOfStream("the body ended early")
        return b""

    def _measure(self) -> tuple[int, int]:
        buffer = self._conversation.buffer
        if self._chunks is not None:
            return self._chunks.step(buffer, PIECE)
        count = min(self._left, len(buffer), PIECE)
        self._left -= count
        return 0, count


def too_large(limit: int) -> HttpError:
    return HttpError(413, f"The body is longer than the {limit} octets taken here (RFC 9110 §15.5.14).")
