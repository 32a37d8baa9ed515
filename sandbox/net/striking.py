"""What befalls a conversation: a strike of the rules, from the moment it is told until it is over."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, cast

import trio

from sandbox.journal.recorder import Recorder
from sandbox.journal.records import Stream
from sandbox.net.layers.layer import Below
from sandbox.net.layers.struck import StruckChannel
from sandbox.net.script import MARK, Script
from sandbox.protocols.contract.conversation import ConversationError, OpenExchange
from sandbox.protocols.contract.script import NO_FACTS, ScriptedAnswer
from sandbox.protocols.contract.strike import BadHandshake, End, Point, Stage, Strike

if TYPE_CHECKING:
    from sandbox.net.layers.channel import Channel
    from sandbox.net.layers.deflate import DeflateChannel
    from sandbox.net.layers.tls.channel import TlsChannel

__all__ = ["Strikeable", "Strikes"]

FAULT = "fault"
"""The fact that a struck exchange has."""


class Talk(Protocol):
    """What a strike needs of its conversation."""

    channel: Channel | TlsChannel | DeflateChannel | StruckChannel
    encrypted: Mapping[str, str]
    recorder: Recorder
    due: float
    failed: str

    async def flush(self) -> None: ...
    def touch(self) -> None: ...
    def reset(self) -> None: ...
    def begin(self, verb: str, asked: str = "", facts: Mapping[str, str] | None = None) -> OpenExchange: ...


class Strikes:
    """What has befallen one conversation. Made when the first does.

    severed: whether a fault has ended the connection, other than by a reset.
    """

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._channel: StruckChannel | None = None
        self._awaited = ""
        """What the next exchange has as its fault: it was struck before it began."""
        self.severed = False

    async def connection(self, script: Script) -> None:
        """A connection was accepted. Raises Closed where that was its end."""
        session = self._talk.recorder.session
        strike = script.strike(Point.CONNECTION, session, Point.CONNECTION.value, "", self._talk.encrypted)
        if strike is None:
            return
        self._awaited = strike.fault
        with ended_by(self._talk, strike):
            await self._befall(strike, None)

    def data_connection(self, script: Script) -> None:
        """One that carries data was made: as `connection`, without a wait. Where that was its end, the first octets
        will find out."""
        session = self._talk.recorder.session
        strike = script.strike(Point.CONNECTION, session, Point.CONNECTION.value, "", self._talk.encrypted)
        if strike is None:
            return
        self._awaited = strike.fault
        if strike.stage is not None:
            with contextlib.suppress(ConversationError):
                self._lay(strike.stage, None)

    async def question(self, script: Script, verb: str, asked: str, facts: Mapping[str, str],
                       exchange: OpenExchange | None) -> ScriptedAnswer | None:
        """A question has begun; what stands in for its answer. Raises Closed where that was the end."""
        talk = self._talk
        strike = script.strike(Point.QUESTION, talk.recorder.session, verb, asked, {**facts, **talk.encrypted})
        if strike is None:
            return None
        if exchange is None:
            self._awaited = strike.fault
        elif strike.fault:
            exchange.note(FAULT, strike.fault)
        answer = await self._befall(strike, exchange)
        if answer is None or not strike.fault:
            return answer
        return replace(answer, facts={**answer.facts, FAULT: strike.fault})

    async def handshake(self, script: Script, exchange: OpenExchange, name: str) -> BadHandshake | None:
        """A client's hello is there."""
        talk = self._talk
        strike = script.strike(Point.HANDSHAKE, talk.recorder.session, Point.HANDSHAKE.value, name, {"host": name})
        if strike is None:
            return None
        exchange.note(FAULT, strike.fault)
        await self._wait(strike)
        return strike.handshake

    def begins(self, exchange: OpenExchange) -> None:
        """The next exchange begins."""
        if self._awaited:
            exchange.note(FAULT, self._awaited)
            self._awaited = ""
        elif self._channel is not None:
            self._channel.over(self._said())

    def uncover(self) -> Below:
        """The channel beneath, to put another layer on: `cover` that."""
        return self._talk.channel if self._channel is None else self._channel.inner

    def cover(self, channel: TlsChannel | DeflateChannel) -> None:
        if self._channel is None:
            self._talk.channel = channel
        else:
            self._channel.move(channel)

    async def _befall(self, strike: Strike, exchange: OpenExchange | None) -> ScriptedAnswer | None:
        answer = await self._wait(strike) or strike.answer
        if strike.stage is not None:
            await self._talk.flush()
            self._lay(strike.stage, exchange)
        return answer

    def _lay(self, stage: Stage, exchange: OpenExchange | None) -> None:
        if self._channel is None:
            self._channel = StruckChannel(self._talk.channel, self._said, self._ended)
            self._talk.channel = self._channel
        self._channel.lay(stage, exchange)

    async def _wait(self, strike: Strike) -> ScriptedAnswer | None:
        """Wait where that is what befalls it: the client's own time stands still."""
        if strike.wait is None:
            return None
        talk = self._talk
        await talk.flush()
        began = trio.current_time()
        answer = await strike.wait()
        if talk.due < math.inf:
            talk.due += trio.current_time() - began
        talk.touch()
        return answer

    def _said(self) -> int:
        return self._talk.recorder.offset(Stream.SERVER)

    def _ended(self, end: End) -> None:
        if end is End.RESET:
            self._talk.failed = "server-reset"
            self._talk.reset()
        else:
            self._talk.failed = "server-closed"
            self.severed = True


@contextlib.contextmanager
def ended_by(talk: Talk, strike: Strike) -> Iterator[None]:
    """A connection that ends before anybody has said a word has one exchange all the same, which says why."""
    try:
        yield
    except ConversationError:
        talk.begin(Point.CONNECTION.value).note(FAULT, strike.fault)
        raise


class Strikeable:
    """What a conversation needs so that something can befall it. strikes: what has, None for nothing."""

    __slots__ = ("_script", "strikes")
    def __init__(self, script: Script) -> None:
        self._script = script
        self.strikes: Strikes | None = None

    def unscripted(self) -> bool:
        return not self._concerns(Point.QUESTION, "", NO_FACTS)

    async def scripted(self, verb: str, asked: str = "", facts: Mapping[str, str] = NO_FACTS,
                       exchange: OpenExchange | None = None) -> ScriptedAnswer | None:
        script, faults = self._script, self._script.faults
        if script.decide is None and (faults is None or (
                faults.quiet and MARK not in (facts.get("host") or asked).lower())):
            return None
        if not self._concerns(Point.QUESTION, asked, facts):
            return None
        return await self._struck().question(self._script, verb, asked, facts, exchange)

    async def accepted(self) -> None:
        """The connection begins. Raises Closed where a fault has ended it at once."""
        if self._concerns(Point.CONNECTION, "", NO_FACTS):
            await self._struck().connection(self._script)

    def accepted_data(self) -> None:
        """The same for a connection that carries data."""
        if self._concerns(Point.CONNECTION, "", NO_FACTS):
            self._struck().data_connection(self._script)

    async def _meet(self, exchange: OpenExchange, name: str) -> BadHandshake | None:
        """What befalls a handshake whose hello is there."""
        if not self._concerns(Point.HANDSHAKE, name, NO_FACTS):
            return None
        return await self._struck().handshake(self._script, exchange, name)

    def _concerns(self, point: Point, asked: str, facts: Mapping[str, str]) -> bool:
        return self._script.concerns(point, cast(Talk, self).recorder.session.protocol, asked, facts)

    def _struck(self) -> Strikes:
        if self.strikes is None:
            self.strikes = Strikes(cast(Talk, self))
        return self.strikes

    def _uncovered(self) -> Below:
        """The channel that another layer may be put on: beneath what strikes."""
        return cast(Talk, self).channel if self.strikes is None else self.strikes.uncover()

    def _cover(self, channel: TlsChannel | DeflateChannel) -> None:
        """Have another channel over that one."""
        if self.strikes is None:
            cast(Talk, self).channel = channel
        else:
            self.strikes.cover(channel)
