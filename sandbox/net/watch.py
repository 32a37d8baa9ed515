"""Looks after the deadlines of all conversations, a few times a second, in one task.

One look costs some tenths of a microsecond per connection; a cancel scope around each wait would cost more than the
wait itself. The price is that a deadline is up to `TICK` late.
"""

from __future__ import annotations

from typing import Protocol

import trio

from sandbox.config import Limits

__all__ = ["Watch"]

TICK = 0.25
"""Seconds between looks."""

STOP_TICK = 0.05
"""The same while the sandbox stops."""


class Watched(Protocol):
    """What a conversation shows to its watch.

    active: when bytes last passed, by the watch's clock; owner: the conversation whose data it carries, if any;
    due: a time after which waiting ends, or inf; patience: seconds it may be idle; waiting: how many tasks wait for
    the client; idle: whether nothing is under way; space: whose services
    answer; scope: what the session runs in.
    """

    active: float

    @property
    def owner(self) -> Watched | None: ...
    @property
    def due(self) -> float: ...
    @property
    def patience(self) -> float: ...
    @property
    def waiting(self) -> int: ...
    @property
    def idle(self) -> bool: ...
    @property
    def space(self) -> str: ...
    @property
    def scope(self) -> trio.CancelScope: ...

    def interrupt(self, why: str) -> None:
        """End the waits. why: a tcp knowledge term."""


class Watch:
    """The conversations under way. now: trio's clock, as of the last look."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.conversations: dict[Watched, float] = {}
        """Each with the time it began."""
        self.now = 0.0
        self._ended = trio.Event()

    def begin(self, conversation: Watched) -> None:
        self.conversations[conversation] = trio.current_time()

    def end(self, conversation: Watched) -> None:
        del self.conversations[conversation]
        self._ended.set()

    async def run(self) -> None:
        self.now = trio.current_time()
        while True:
            await trio.sleep(TICK)
            self.now = trio.current_time()
            self.look()

    def look(self) -> None:
        """Interrupt the waits that are past a deadline, and end what lasts too long."""
        now = self.now
        began_before = now - self._limits.total
        for conversation, began in tuple(self.conversations.items()):
            if (owner := conversation.owner) is not None:
                # Who waits for the end of a transfer is not idle while it moves.
                owner.active = max(owner.active, conversation.active)
            if conversation.waiting and (conversation.active < now - conversation.patience or conversation.due < now):
                conversation.interrupt("idle-timeout")
            if began < began_before:
                conversation.interrupt("time-limit")
                conversation.scope.cancel()

    async def stop(self, grace: float, space: str = "") -> None:
        """End conversations: each as soon as it is idle, and after `grace` seconds at most. space: only those of one,
        and until they are over; "" for all."""
        with trio.move_on_after(grace):
            while found := self._of(space):
                for conversation in found:
                    if conversation.idle:
                        conversation.interrupt("stopped")
                await self._one_ended()
        for conversation in self._of(space):
            conversation.interrupt("stopped")
            conversation.scope.cancel()
        while space and self._of(space):
            await self._one_ended()

    def _of(self, space: str) -> list[Watched]:
        return [conversation for conversation in self.conversations if not space or conversation.space == space]

    async def _one_ended(self) -> None:
        """Wait for an end, or a moment: one that was busy may have become idle."""
        self._ended = trio.Event()
        with trio.move_on_after(STOP_TICK):
            await self._ended.wait()
