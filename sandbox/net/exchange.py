"""Exchanges under way: what a session gets from `begin` and `begin_stream`, until it ends them."""

from __future__ import annotations

from time import time
from typing import Protocol

from sandbox.journal.recorder import Recorder
from sandbox.journal.records import Stream

__all__ = ["Exchange", "StreamExchange"]


class Talk(Protocol):
    """What an exchange needs of its conversation. consumed: octets of the client's stream the session has taken."""

    open_exchange: Exchange | None
    streams: set[StreamExchange]
    recorder: Recorder

    @property
    def consumed(self) -> int: ...


class Exchange:
    """An exchange under way; it implements `OpenExchange`."""

    __slots__ = ("_conversation", "_facts", "asked", "started", "verb")

    def __init__(self, conversation: Talk, started: float, verb: str, asked: str) -> None:
        self._conversation = conversation
        self._facts: dict[str, str] | None = None
        self.started = started
        self.verb = verb
        self.asked = asked

    def note(self, name: str, value: str) -> None:
        if self._facts is None:
            self._facts = {}
        self._facts[name] = value

    def end(self, outcome: str, answered: str = "", key: str = "") -> None:
        conversation = self._conversation
        if conversation.open_exchange is not self:
            return  # ended already
        conversation.open_exchange = None
        conversation.recorder.exchange(self.started, self.verb, self.asked, outcome, answered, key,
                                       conversation.consumed, self._facts)


class StreamExchange(Exchange):
    """An exchange beside others; it implements `OpenStream`."""

    __slots__ = ("_client", "_server")

    def __init__(self, conversation: Talk, verb: str, asked: str) -> None:
        super().__init__(conversation, time(), verb, asked)
        self._client = (0, 0)
        self._server = (0, 0)

    def received(self, count: int) -> None:
        end = self._conversation.consumed
        self._client = (self._client[0] if self._client[1] else end - count, end)

    def sent(self, count: int) -> None:
        end = self._conversation.recorder.offset(Stream.SERVER)
        self._server = (self._server[0] if self._server[1] else end - count, end)

    def end(self, outcome: str, answered: str = "", key: str = "") -> None:
        conversation = self._conversation
        if self not in conversation.streams:
            return  # ended already
        conversation.streams.remove(self)
        conversation.recorder.exchange(self.started, self.verb, self.asked, outcome, answered, key,
                                       conversation.consumed, self._facts, (self._client, self._server))
