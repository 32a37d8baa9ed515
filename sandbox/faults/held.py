"""What waits to be told to go on."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import trio

from sandbox.journal.records import Exchange, Session
from sandbox.protocols.contract.script import ScriptedAnswer
from sandbox.protocols.contract.strike import Stage, Step

__all__ = ["Held", "HeldAnswer", "Waiting"]

MOST = 500
"""How many can wait at a time; what comes then is not held."""

SHOWN = 65_536
"""Octets of an answer that are shown, and can be changed."""


@dataclass(eq=False)
class Held:
    """One of them. until: when it goes on by itself, seconds since the epoch; step: "connection", "handshake",
    "question" or "answer"; octets: what is about to leave, where that is known."""

    id: int
    rule: int
    session: Session
    exchange: Exchange
    step: str
    since: float
    until: float
    octets: bytes = b""
    told: trio.Event = field(default_factory=trio.Event)
    answer: ScriptedAnswer | None = None
    stage: Stage | None = None

    def go_on(self, answer: ScriptedAnswer | None = None, octets: bytes | None = None) -> None:
        """Let it go. answer: what stands in for the real one; octets: what leaves instead of what was about to."""
        if self.told.is_set():
            return
        self.answer = answer
        if self.stage is not None:
            if octets is not None:
                self.stage.steps.clear()
                self.stage.steps.append(Step(octets))
            self.stage.release()
        self.told.set()


class Waiting:
    """All that is held. news: set when there is more, and then another one."""

    def __init__(self) -> None:
        self.news = trio.Event()
        self._held: dict[int, Held] = {}
        self._last = 0

    def __iter__(self) -> Iterator[Held]:
        """Those that still wait, the longest first."""
        now = time.time()
        for held in list(self._held.values()):
            if held.told.is_set() or held.until < now:
                del self._held[held.id]
            else:
                yield held

    def get(self, number: int) -> Held | None:
        return next((held for held in self if held.id == number), None)

    def add(self, rule: int, session: Session, exchange: Exchange, step: str, limit: float) -> Held | None:
        """One more, None where there are too many."""
        if len(self._held) >= MOST and sum(1 for _ in self) >= MOST:
            return None
        self._last += 1
        now = time.time()
        held = Held(self._last, rule, session, exchange, step, now, now + limit)
        self._held[held.id] = held
        self.news.set()
        self.news = trio.Event()
        return held

    async def hold(self, rule: int, session: Session, exchange: Exchange, step: str,
                   limit: float) -> ScriptedAnswer | None:
        """Wait until told to go on; what then stands in for the answer."""
        held = self.add(rule, session, exchange, step, limit)
        if held is None:
            return None
        try:
            with trio.move_on_after(limit):
                await held.told.wait()
        finally:
            self._held.pop(held.id, None)
        return held.answer


class HeldAnswer(Stage):
    """Holds an answer as it leaves. What of it comes after the first octets follows them."""

    def __init__(self, waiting: Waiting, rule: int, session: Session, exchange: Exchange, limit: float) -> None:
        super().__init__()
        self._waiting, self._about, self._limit = waiting, (rule, session, exchange), limit
        self._held: Held | None = None
        self._changed = False

    def take(self, data: bytes) -> None:
        wait = 0.0
        if self._held is None and not self.released:
            self._held = self._waiting.add(*self._about, "answer", self._limit)
            if self._held is not None:
                self._held.stage, wait = self, self._limit
        if self._held is not None:
            self._held.octets += data[:max(0, SHOWN - len(self._held.octets))]
        self.steps.append(Step(data, min(wait, math.inf)))
