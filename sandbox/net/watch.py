"""Looks after the deadlines of all conversations, a few times a second, in one task.

One look costs some tenths of a microsecond per connection; a cancel scope around each wait would cost more than the
wait itself. The price is that a deadline is up to `TICK` late.
"""

from __future__ import annotations

import trio

from sandbox.config import Limits
from sandbox.net.conversation import Conversation

__all__ = ["Watch"]

TICK = 0.25
"""Seconds between looks."""


class Watch:
    """The conversations under way. now: trio's clock, as of the last look."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.conversations: dict[Conversation, float] = {}
        """Each with the time it began."""
        self.now = 0.0
        self._empty = trio.Event()

    def begin(self, conversation: Conversation) -> None:
        self.conversations[conversation] = trio.current_time()

    def end(self, conversation: Conversation) -> None:
        del self.conversations[conversation]
        if not self.conversations:
            self._empty.set()

    async def run(self) -> None:
        self.now = trio.current_time()
        while True:
            await trio.sleep(TICK)
            self.now = trio.current_time()
            self.look()

    def look(self) -> None:
        """Interrupt the waits that are past a deadline, and end what lasts too long."""
        now = self.now
        idle = self._limits.idle
        began_before = now - self._limits.total
        for conversation, began in tuple(self.conversations.items()):
            silent = conversation.idle_limit if conversation.idle_limit > idle else idle
            if conversation.waiting and (conversation.active < now - silent or conversation.due < now):
                conversation.interrupt("idle-timeout")
            if began < began_before:
                conversation.interrupt("time-limit")
                conversation.scope.cancel()

    async def stop(self, grace: float) -> None:
        """End all conversations: idle ones now, others after `grace` seconds at most."""
        for conversation in tuple(self.conversations):
            if conversation.idle:
                conversation.interrupt("stopped")
        with trio.move_on_after(grace):
            while self.conversations:
                self._empty = trio.Event()
                await self._empty.wait()
        for conversation in tuple(self.conversations):
            conversation.interrupt("stopped")
            conversation.scope.cancel()
