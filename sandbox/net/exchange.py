"""Exchanges under way: what a session gets from `begin` and `begin_stream`, until it ends them."""

from __future__ import annotations

from collections.abc import Mapping
from time import time
from typing import Protocol

from sandbox.journal.recorder import Recorder
from sandbox.journal.records import Exchange, Stream

__all__ = ["Departures", "RunningExchange", "RunningStream"]


class Talk(Protocol):
    """What an exchange needs of its conversation. consumed: octets of the client's stream the session has taken;
    left: octets of the server's stream the system has taken; encrypted: facts of every exchange from now on."""

    open_exchange: RunningExchange | None
    encrypted: Mapping[str, str]
    streams: set[RunningStream]
    recorder: Recorder
    departures: Departures

    @property
    def left(self) -> int: ...
    @property
    def consumed(self) -> int: ...


class Departures:
    """When answers have left: a session mostly ends an exchange while its answer is still queued."""

    __slots__ = ("_last", "_waiting")

    def __init__(self) -> None:
        self._waiting: list[Exchange] = []
        self._last = 0.0
        """When the system last took octets."""

    def passed(self, left: int) -> None:
        """The system has taken octets of the server's stream, `left` in all."""
        now = self._last = time()
        if self._waiting:
            for exchange in self._waiting:
                if exchange.server[1] <= left:
                    exchange.sent = now
            self._waiting = [exchange for exchange in self._waiting if not exchange.sent]

    def ended(self, exchange: Exchange, left: int) -> None:
        """An exchange has ended. left: as in `passed`."""
        start, end = exchange.server
        if start == end:
            return
        if end <= left:
            exchange.sent = self._last
        else:
            self._waiting.append(exchange)


class RunningExchange:
    """An exchange under way; it implements `OpenExchange`, and the journal's `UnderWay`."""

    __slots__ = ("_conversation", "_facts", "_noted", "asked", "id", "started", "verb")

    def __init__(self, conversation: Talk, started: float, verb: str, asked: str,
                 facts: Mapping[str, str] | None = None) -> None:
        self._conversation = conversation
        encrypted = conversation.encrypted
        self._facts = {**facts, **encrypted} if facts and encrypted else facts or encrypted
        self._noted: dict[str, str] | None = None
        """The facts once they are this exchange's own: those it begins with may be shared by many."""
        self.id = 0
        self.started = started
        self.verb = verb
        self.asked = asked

    @property
    def facts(self) -> Mapping[str, str]:
        return self._facts or {}

    def note(self, name: str, value: str) -> None:
        if self._noted is None:
            self._facts = self._noted = dict(self._facts or ())
        self._noted[name] = value

    def end(self, outcome: str, answered: str = "", key: str = "") -> None:
        conversation = self._conversation
        if conversation.open_exchange is not self:
            return  # ended already
        conversation.open_exchange = None
        self._ended(conversation.recorder.exchange(self.started, self.verb, self.asked, outcome, answered, key,
                                                   conversation.consumed, self._facts))

    def _ended(self, exchange: Exchange) -> None:
        self.id = exchange.id
        self._conversation.departures.ended(exchange, self._conversation.left)


class RunningStream(RunningExchange):
    """An exchange beside others; it implements `OpenStream`."""

    __slots__ = ("_client", "_server")

    def __init__(self, conversation: Talk, verb: str, asked: str, facts: Mapping[str, str] | None = None) -> None:
        super().__init__(conversation, time(), verb, asked, facts)
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
        self._ended(conversation.recorder.exchange(self.started, self.verb, self.asked, outcome, answered, key,
                                                   conversation.consumed, self._facts, (self._client, self._server)))
