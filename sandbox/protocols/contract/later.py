"""Code that waits: a session handler is imported and built when its first client comes."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.protocols.contract.conversation import Conversation, SessionHandler

__all__ = ["Later"]


class Later:
    """A session handler that is not built yet; it is one itself.

    build: imports what the handler needs, and gives it. What somebody could put right, a damaged store, an unreadable
    folder, is no part of it: a service opens those when it is built, so that the start tells of them.
    """

    def __init__(self, build: Callable[[], SessionHandler]) -> None:
        self._build = build

        self._handler: SessionHandler | None = None

    def prepare(self) -> SessionHandler:
        """The handler, built unless it is there. Blocks for as long as its imports take."""
        if self._handler is None:
            self._handler = self._build()
        return self._handler

    async def __call__(self, conversation: Conversation) -> None:
        await self.prepare()(conversation)
