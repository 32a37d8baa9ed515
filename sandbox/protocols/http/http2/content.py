"""The body of a request on a stream, and the window that keeps a client from sending more than is read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import trio

from sandbox.protocols.contract.conversation import EndOfStream, TimedOut
from sandbox.protocols.http.content import RequestBody, too_large
from sandbox.protocols.http.messages import Headers

__all__ = ["Http2Body"]


class Http2Body(RequestBody):
    """A body as its DATA frames come. What waits here is bounded by the stream's window: a client gets room for more
    only when a piece has been taken (RFC 9113 §5.2).

    limit: octets of a body; idle: seconds to wait for more; taken: told how many octets of the window are free again;
    go_on: sends 100 (Continue), None where the client does not wait for it.
    """

    def __init__(self, limit: int, idle: float, taken: Callable[[int], None],
                 go_on: Callable[[], None] | None) -> None:
        super().__init__(limit)
        self._idle = idle
        self._taken = taken
        self._go_on = go_on
        self._pieces: deque[tuple[bytes, int]] = deque()
        self._seen = 0
        self._news = trio.Event()
        self._dropping = False
        self._broken = False
        self.done = False
        """Whether the client has sent all of it."""
        self.trailers = Headers()

    # -- what the connection does

    def feed(self, data: bytes, window: int) -> None:
        """A DATA frame came. window: what it took of the window, with padding."""
        if self._dropping:
            self._taken(window)
            return
        self._pieces.append((data, window))
        self._news.set()

    def end(self) -> None:
        self.done = True
        self._news.set()

    def break_off(self) -> None:
        """There will be no more, although it is not done."""
        self._broken = True
        self._news.set()

    def drop(self) -> None:
        """Nobody will read the rest."""
        self._dropping = True
        while self._pieces:
            self._taken(self._pieces.popleft()[1])

    # -- what a site does

    async def _next(self) -> bytes:
        """Raises HttpError(413), TimedOut, EndOfStream."""
        while True:
            if self._pieces:
                data, window = self._pieces.popleft()
                self._taken(window)
                self._seen += len(data)
                if self._seen > self._limit:
                    raise too_large(self._limit)
                if data:
                    return data
            elif self.done:
                return b""
            elif self._broken:
                raise EndOfStream("the body ended early")
            else:
                await self._wait()

    async def _wait(self) -> None:
        if self._go_on is not None:
            self._go_on()
            self._go_on = None
        self._news = trio.Event()
        with trio.move_on_after(self._idle):
            await self._news.wait()
            return
        raise TimedOut("the rest of the body did not come")
