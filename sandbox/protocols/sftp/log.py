"""What happens on an SSH connection, as exchanges. The bytes they cover are what passed since the one before:
unreadable, as for anybody on the way."""

from __future__ import annotations

from typing import Protocol

import trio_asyncio

from sandbox.protocols.contract.conversation import Conversation
from sandbox.protocols.contract.script import ScriptedAnswer

__all__ = ["Handle", "Log"]


class Handle(Protocol):
    """An open file."""

    def give_up(self) -> None:
        """Close it without having finished it. In a worker thread."""


class Log:
    """Notes exchanges of one connection, each when it is over."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self.gone = False
        """Whether the client has left."""
        self.handles: set[Handle] = set()
        """Files that are open."""
        self.known: dict[str, str] = {}
        """Facts of every exchange: that it is encrypted, once it is, and who has come in."""

    async def scripted(self, verb: str, asked: str, file: str = "") -> ScriptedAnswer | None:
        """The answer that stands in for an operation that has not been done; it is noted."""
        if self._conversation.unscripted():
            return None
        known = {**self.known, "file": file} if file else self.known
        answer: ScriptedAnswer | None = await trio_asyncio.trio_as_aio(
            self._conversation.scripted)(verb, asked, known)
        if answer is not None:
            self.note(verb, asked, answer.code, answer.text, **{"file": file, **answer.facts})
        return answer

    def note(self, verb: str, asked: str, outcome: str, answered: str = "", **facts: str) -> None:
        exchange = self._conversation.begin(verb, asked, self.known)
        for name, value in facts.items():
            if value:
                exchange.note(name, value)
        exchange.end(outcome, answered)
