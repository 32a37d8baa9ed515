"""What several tasks say over one conversation, written by one more in the order it was said (HTTP/2, WebSocket)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import trio

from sandbox.protocols.contract.conversation import Conversation, OpenStream

__all__ = ["Outgoing"]


class Said(NamedTuple):
    """Octets to write, for which exchange, and what to do when they are written."""

    data: bytes
    exchange: OpenStream | None
    after: Callable[[], None] | None


class Outgoing:
    """The queue of a conversation. Nobody writes to it but the task that runs `write`.

    changed: who waits for it to be emptied, and maybe for more; rests: told when the writer has nothing to do.
    """

    def __init__(self, talk: Conversation, rests: Callable[[], None] = lambda: None) -> None:
        self._talk = talk
        self._rests = rests
        self._said: list[Said] = []
        self._leaving = 0
        self._over = False
        self._wake = trio.Event()
        self.changed = trio.lowlevel.ParkingLot()
        self.waiting = 0
        """Octets that the conversation has not been given yet."""
        self.resting = False

    def __bool__(self) -> bool:
        return bool(self._said)

    @property
    def backlog(self) -> int:
        """Octets that wait, with those that the conversation is sending."""
        return self.waiting + self._leaving

    def say(self, data: bytes, exchange: OpenStream | None = None, after: Callable[[], None] | None = None) -> None:
        self._said.append(Said(data, exchange, after))
        self.waiting += len(data)
        self._wake.set()

    def end(self) -> None:
        """Nothing more will be said: `write` ends when all is written."""
        self._over = True
        self._wake.set()

    async def write(self) -> None:
        """Write what is said, as it is said. Raises ConversationError."""
        while self._said or not self._over:
            if self._said:
                self._leaving = self.waiting
                self.write_now()
                await self._talk.flush()
                self._leaving = 0
                self.changed.unpark_all()
                continue
            self.resting = True
            self._rests()
            self._wake = trio.Event()
            await self._wake.wait()
            self.resting = False

    def write_now(self) -> None:
        """Give the conversation all that waits."""
        said, self._said = self._said, []
        self.waiting = 0
        for data, exchange, after in said:
            self._talk.write(data)
            if exchange is not None and data:
                exchange.sent(len(data))
            if after is not None:
                after()
