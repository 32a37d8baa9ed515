"""A channel whose answers pass a stage on their way: later, slower, in pieces, cut short, or not at all.

It lies over the plain channel or over TLS and compression, so that what is struck is what the session said. The
journal's plain streams have that as well: what really left is in the session's facts as octets that did not.
"""

from __future__ import annotations

import math
import select
import socket
from collections.abc import Callable
from typing import Protocol

import trio

from sandbox.net.layers.channel import READ_SIZE
from sandbox.net.layers.layer import Below, Layer
from sandbox.protocols.contract.conversation import Closed
from sandbox.protocols.contract.strike import End, Stage

__all__ = ["StruckChannel"]

PIECE = 65_536
"""Octets a stage takes at once; the rest waits until those have left."""

LOOK = 0.25
"""Seconds between looks whether the client has left, while nothing is going to leave."""


class Struck(Protocol):
    """The exchange that a stage was put before. id: 0 until it has ended."""

    @property
    def id(self) -> int: ...


class StruckChannel(Layer):
    """offset: gives how many octets the session has said so far; ended: told when a stage ends the connection."""

    __slots__ = ("_at", "_before", "_boundary", "_deaf", "_due", "_end", "_interrupted", "_news", "_offset", "_out",
                 "_severed", "_stage", "ended")

    def __init__(self, inner: Below, offset: Callable[[], int], ended: Callable[[End], None]) -> None:
        super().__init__(inner)
        self._offset = offset
        self.ended = ended
        self._at = 0
        """The place of the next octet it is given, in all that the session says."""
        self._stage: Stage | None = None
        self._before: Struck | None = None
        self._boundary = math.inf
        """Where the answer ends that the stage was put before."""
        self._out: bytes | memoryview = b""
        """What is due, and not taken by the channel below yet."""
        self._end = End.NONE
        """What follows it."""
        self._due = 0.0
        """When the first step leaves, by trio's clock; 0.0 while that is not known."""
        self._news = trio.Event()
        self._interrupted = False
        self._deaf = False
        """Whether what is still said leads nowhere: this side has ended."""
        self._severed = False

    def lay(self, stage: Stage, before: Struck | None) -> None:
        """Have a stage from here on. All that was said before has left. before: the exchange whose answer it is put
        before, None for the connection. Raises Closed where that ends it."""
        self._stage, self._before, self._boundary = stage, before, math.inf
        self._at, self._due = self._offset(), 0.0
        stage.wake = self.wake
        self._push()

    def move(self, inner: Below) -> None:
        """Lie over another channel from here on, one that encrypts or compresses."""
        self._inner = inner

    @property
    def inner(self) -> Below:
        return self._inner

    def over(self, offset: int) -> None:
        """The answer the stage was put before ends there."""
        if self._stage is not None and not self._stage.lasting and self._before is not None:
            self._boundary = min(self._boundary, offset)
            self._settle()

    def wake(self) -> None:
        self._news.set()

    # -- as Channel ---------------------------------------------------------------------------------------------

    @property
    def behind(self) -> bool:
        return bool(self._out) or (self._stage is not None and bool(self._stage.steps)) or self._inner.behind

    @property
    def at_end(self) -> bool:
        return self._inner.at_end

    def receive_now(self, limit: int = READ_SIZE) -> bytes | None:
        return self._inner.receive_now(limit)

    def send_now(self, data: bytes | memoryview) -> int:
        if self._severed:
            raise Closed("a fault has ended the connection")
        self._push()
        if self.behind or not data:
            return 0
        if self._deaf:
            self._at += len(data)
            return len(data)
        if self._stage is None:
            sent = self._inner.send_now(data)
            self._at += sent
            return sent
        taken = int(min(len(data), PIECE, self._boundary - self._at))
        if taken:
            self._at += taken
            self._stage.take(bytes(data[:taken]))
        self._settle()
        self._push()
        return taken

    async def writable(self) -> None:
        """Wait until the next step is due, and the channel below takes it. Raises Closed."""
        stage = self._stage
        while stage is not None and not self._out and self._due and not stage.released \
                and (left := self._due - trio.current_time()) > 0:
            self._news = trio.Event()
            with trio.move_on_after(min(left, LOOK)):
                await self._news.wait()
            if self._interrupted:
                self._interrupted = False
                raise Closed("interrupted")
            if self._due == math.inf and hung_up(self.sock):
                raise Closed("the client did not wait")
            if not stage.steps:
                break
        else:
            await self._inner.writable()

    def interrupt(self) -> None:
        if self._due:
            self._interrupted = True
            self._news.set()
        self._inner.interrupt()

    def end_writing(self) -> None:
        if not self._deaf and not self._severed:
            self._inner.end_writing()

    # -- steps --------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Where the answer is over, so is the stage, once all it has taken has left."""
        stage, before = self._stage, self._before
        if stage is None or stage.lasting or before is None:
            return
        if self._at >= self._boundary or (before.id and self._at >= self._offset()):
            self._boundary = self._at
            stage.finish()
            if not stage.steps and not self._out:
                self._stage = self._before = None

    def _push(self) -> None:
        """Let go what is due, as far as the channel below takes it. Raises Closed."""
        while not self._severed:
            if self._inner.behind:
                self._inner.send_now(b"")
            if self._out:
                self._out = memoryview(self._out)[self._inner.send_now(self._out):]
            if self._out or self._inner.behind:
                return
            if self._end is not End.NONE:
                self._conclude()
            stage = self._stage
            if stage is None or not stage.steps:
                break
            step = stage.steps[0]
            now = trio.current_time()
            if not self._due:
                self._due = now + step.wait
            if now < self._due and not stage.released:
                return
            stage.steps.popleft()
            self._due = 0.0
            self._out = step.data
            self._end = End.NONE if stage.released else step.end
        self._settle()

    def _conclude(self) -> None:
        end, self._end = self._end, End.NONE
        if end is End.HALF:
            self._deaf = True
            self._inner.end_writing()
            return
        self._severed = True
        if end is End.CLOSE:
            self._inner.end_writing()
        elif end is End.CUT:
            sever(self.sock)
        self.ended(end)
        raise Closed("a fault has ended the connection")


def sever(sock: socket.socket) -> None:
    """End this side beneath whatever encrypts: nobody says goodbye."""
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError as error:
        raise Closed(str(error)) from error


def hung_up(sock: socket.socket) -> bool:
    """Whether the client has ended its side."""
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP)
    return bool(poll.poll(0))
