"""A dialogue of commands and replies, whatever its commands look like: from greeting to goodbye."""

from __future__ import annotations

from sandbox.protocols.contract.conversation import Conversation, EndOfStream, OpenExchange, TimedOut
from sandbox.protocols.contract.fairness import COMMANDS, Checkpoints
from sandbox.protocols.contract.script import ScriptedAnswer

__all__ = ["Dialogue"]


class Dialogue:
    """One client. A protocol writes how it greets, takes a command and says goodbye."""

    least_idle: float = 0.0
    """Seconds a client may keep silent, where the protocol's RFC wants at least so many."""
    mask_passwords: bool = False
    """Whether exchanges are never named by a password (`journal.mask_passwords`)."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.closing = False
        self.errors = 0

    async def welcome(self) -> None:
        """Say what the client hears first."""
        raise NotImplementedError

    async def turn(self) -> None:
        """Read one command and answer it."""
        raise NotImplementedError

    async def say_goodbye(self) -> None:
        """The last words when nothing came for too long, where the protocol has any."""
        raise NotImplementedError

    def leave(self) -> None:
        """The dialogue is over, however it ended: give back what was held."""

    async def run(self) -> None:
        """The whole dialogue, from greeting to goodbye."""
        self.conversation.patience = max(self.conversation.patience, self.least_idle)
        try:
            await self.welcome()
            checkpoints = Checkpoints(COMMANDS)
            while not self.closing:
                await self.turn()
                await checkpoints.count()
            await self.conversation.flush()
        except TimedOut:
            await self.say_goodbye()
        except EndOfStream:
            pass  # the client left without a goodbye; the conversation has recorded what it sent
        finally:
            self.leave()

    @property
    def shows_passwords(self) -> bool:
        """Whether an exchange may be named by the password in it: where anybody on the way has read it, that is what
        there is to see. What passed encrypted nobody has seen."""
        return not (self.mask_passwords or self.conversation.secure)

    async def script_for(self, exchange: OpenExchange) -> ScriptedAnswer | None:
        """The answer that stands in for what would be done in an exchange that has just begun."""
        answer = await self.conversation.scripted(exchange.verb, exchange.asked, exchange.facts, exchange)
        if answer is not None:
            for name, value in answer.facts.items():
                exchange.note(name, value)
        return answer
