"""The one place every command and every reply of a line protocol passes through.

It reads a line, finds its row in the command table (`command.py`), checks state and arguments, begins the exchange,
calls the method, and turns the reply it returns into bytes: so every reply can be seen, named and replaced here.
"""

from __future__ import annotations

import enum
import re
import traceback
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Any, ClassVar

from sandbox.protocols.contract.conversation import (
    Conversation,
    ConversationError,
    EndOfStream,
    OpenExchange,
    TooLong,
)
from sandbox.protocols.lines.command import CLEAR_TEXT, SHOWN, WEB, BadArgument, Command, Refusal, Reply
from sandbox.protocols.lines.dialogue import Dialogue

__all__ = ["LineSession"]

SKIPPED = 1_048_576  # octets of one overlong line that are read past before the client is sent away

CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class LineSession(Dialogue):
    """A dialogue whose commands are lines with a row in the command table.

    A protocol's session inherits from it, names its own codes in `refusals`, and writes `render` and `greet`.
    """

    commands: ClassVar[dict[str, Command]] = {}
    arguments: ClassVar[Mapping[str, Callable[[str], Any]]] = {}
    refusals: ClassVar[Mapping[Refusal, tuple[str, str]]]
    """(code, enhanced code) for each refusal; IDLE may be missing where goodbye is said without words."""
    line_limit: int = 512
    """Octets of one command line with its end, for commands that do not say otherwise in the table."""
    longest_line: ClassVar[int]
    error_limit: int = 20
    """Refused commands before goodbye: enough for a person learning by hand, too few for one who guesses."""
    encoding: str = "ascii"
    help_command: str = "HELP"
    """The command that lists the commands."""
    enhanced_kind: str = "enhanced"
    """The kind of knowledge entry that explains the protocol's finer codes."""
    bare_lf: bool = True
    """Whether a command line may end in LF alone, as `nc` sends it. It is noted either way."""

    state: enum.Flag

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(conversation)
        self.exchange: OpenExchange | None = None
        self.line_end = b"\r\n"
        """How the command being answered ended."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        table: dict[str, Command] = {}
        for base in cls.__bases__:  # a class may be put together of several groups of commands
            for name, row in getattr(base, "commands", {}).items():
                table.setdefault(name, row)
        for member in vars(cls).values():
            row = getattr(member, "command", None)
            if isinstance(row, Command):
                table[row.name] = row
        cls.commands = table
        cls.longest_line = max([cls.line_limit, *(row.line for row in table.values())])

    # What a protocol writes

    def render(self, reply: Reply) -> bytes:
        """A reply's code and lines, as they stand on the wire."""
        raise NotImplementedError

    async def greet(self) -> Reply:
        """What the client hears first."""
        raise NotImplementedError

    async def pass_over(self, row: Command, text: str) -> None:
        """Read what follows the line of a command that is not going to be obeyed: it is no place for commands."""

    def who(self) -> str:
        """The person who is logged in, "" for nobody."""
        return ""

    # What is derived from the table

    def usable(self) -> list[Command]:
        """The commands of the present state, in the order they stand in the class."""
        return [row for row in self.commands.values() if self.state in row.states]

    def offered(self) -> list[str]:
        """The capabilities that the table's commands announce, each once, in order."""
        return list(dict.fromkeys(row.offers for row in self.commands.values() if row.offers))

    # The chokepoint

    async def welcome(self) -> None:
        self._begin("greeting", "")
        await self._answer(await self.scripted() or await self.greet())

    async def turn(self) -> None:
        self.exchange = None
        try:
            line = await self.conversation.read_line(self.longest_line)
        except TooLong:
            await self._skip_line()
            self._begin("unknown", "")
            reply = self.refuse(Refusal.TOO_LONG, "That line is too long")
        else:
            reply = await self._obey(line)
        await self._answer(reply)

    async def _obey(self, line: bytes) -> Reply:
        """Find the line's command, check it, run it. Returns the reply; never raises for what a client sent."""
        self.line_end = b"\r\n" if line.endswith(b"\r\n") else b"\n"
        text, problem = self._decode(line.removesuffix(self.line_end))
        verb, _, rest = text.partition(" ")
        verb = verb.upper()
        row = self.commands.get(verb)
        if row is None:
            if len(line) > self.line_limit:
                problem = self.refuse(Refusal.TOO_LONG, "That line is too long")
            self._begin("unknown", text[:SHOWN])
            if (reply := await self.scripted()) is not None:
                return reply
            if verb in WEB:
                return self.refuse(Refusal.WEB, "This is not a web server; goodbye", close=True)
            return problem or self.refuse(Refusal.UNKNOWN,
                                          f"There is no such command here; {self.help_command} lists them")
        exchange = self._begin(row.name, row.shown(rest, secrets=self.shows_passwords))
        if self.line_end == b"\n":
            exchange.note("line-end", "bare LF instead of CRLF")
        if row.secret == 0 and rest:
            exchange.note("secret", "password")
        if row.secret == 0 and not self.conversation.secure:
            exchange.note("warning", CLEAR_TEXT)
        if (reply := await self.scripted()) is not None:
            await self.pass_over(row, rest)
            return reply
        if len(line) > (row.line or self.line_limit):
            return self.refuse(Refusal.TOO_LONG, "That line is too long")
        if problem is not None:
            return problem
        if self.state not in row.states:
            return self.refuse(Refusal.STATE, self.not_now(row))
        try:
            values = row.parse(rest, self.arguments)
            answer = row.method(self, *values)
            return await answer if isawaitable(answer) else answer
        except BadArgument as error:
            return error.reply or self.refuse(Refusal.SYNTAX, error.sentence)
        except ConversationError:
            raise
        except Exception as error:
            return self._broken(error)

    def _decode(self, line: bytes) -> tuple[str, Reply | None]:
        """The line's text, and why it cannot be obeyed, if so. What cannot be decoded is shown with escapes."""
        if b"\r" in line or (self.line_end == b"\n" and not self.bare_lf):
            return (line.decode("ascii", "backslashreplace"),
                    self.refuse(Refusal.LINE_END, "Lines end with CR and LF together, and hold neither alone"))
        try:
            text = line.decode(self.encoding)
        except UnicodeDecodeError:
            return (line.decode("ascii", "backslashreplace"),
                    self.refuse(Refusal.CHARACTERS, f"Commands are {self.encoding.upper()} text"))
        if CONTROL.search(text):
            return text, self.refuse(Refusal.CHARACTERS, "Commands contain no control characters")
        return text, None

    def not_now(self, row: Command) -> str:
        """A sentence that says when a command may be used."""
        allowed = " or ".join(str(state.name) for state in type(self.state) if state in row.states)
        return f"{row.name} belongs to the {allowed} state; this is the {self.state.name} state"

    def refuse(self, refusal: Refusal, sentence: str, *, close: bool = False) -> Reply:
        """The protocol's reply for one of the table's refusals."""
        code, enhanced = self.refusals[refusal]
        return Reply(code, (sentence,), enhanced, close=close)

    def _broken(self, error: Exception) -> Reply:
        """A method failed through a fault of ours: the client hears so, the journal learns where."""
        assert self.exchange is not None
        self.exchange.note("traceback", "".join(traceback.format_exception(error)))
        return self.refuse(Refusal.BROKEN, "Something went wrong in the sandbox; its journal says what")

    def _begin(self, verb: str, asked: str) -> OpenExchange:
        who = self.who()
        self.exchange = self.conversation.begin(verb, asked, {"account": who} if who else None)
        return self.exchange

    async def scripted(self) -> Reply | None:
        """The reply that stands in for what would be done in the exchange that has just begun."""
        assert self.exchange is not None
        answer = await self.script_for(self.exchange)
        return None if answer is None else Reply(answer.code, answer.lines, answer.detail, close=answer.close)

    def note(self, name: str, value: str) -> None:
        """Say more about the exchange under way."""
        if self.exchange is not None:
            self.exchange.note(name, value)

    async def _answer(self, reply: Reply) -> None:
        """Write a reply, end its exchange, and do what comes after it."""
        assert self.exchange is not None
        if reply.failed and not reply.code.startswith("4"):  # "not now" is no error of the client's
            self.errors += 1
        if self.errors >= self.error_limit and not reply.close:
            reply = self.refuse(Refusal.ERRORS, "Too many errors; goodbye", close=True)
        self.closing = self.closing or reply.close
        if isinstance(reply.body, bytes):
            await self.conversation.send(self.render(reply) + reply.body)
        else:
            self.conversation.write(self.render(reply))
            async for piece in reply.body:
                await self.conversation.send(piece)
        exchange, self.exchange = self.exchange, None
        # What went well is explained by what was asked; why it did not, by the finer code.
        finer = f"{self.enhanced_kind}.{reply.enhanced}" if reply.enhanced and reply.failed else ""
        exchange.end(reply.code, reply.summary, reply.key or finer)
        if reply.then is not None:
            await reply.then()

    async def answer_again(self, verb: str, asked: str, work: Callable[[], Awaitable[Reply]]) -> None:
        """One more exchange without a command line of its own: a message's text, a data transfer.

        For a reply's `then`. `work` reads what belongs to it from the conversation and returns the reply.
        """
        exchange = self._begin(verb, asked)
        try:
            reply = await work()
        except ConversationError:
            raise
        except Exception as error:
            self.exchange = exchange
            reply = self._broken(error)
        await self._answer(reply)

    async def _skip_line(self) -> None:
        """Read past the rest of an overlong line, a bounded while. Raises EndOfStream."""
        buffer = self.conversation.buffer
        skipped = 0
        while (end := buffer.find(b"\n")) < 0:
            skipped += len(buffer)
            self.conversation.take(len(buffer))
            if skipped > SKIPPED:
                self.errors = self.error_limit
                return
            if not await self.conversation.fill():
                raise EndOfStream
        self.conversation.take(end + 1)

    async def say_goodbye(self) -> None:
        if Refusal.IDLE not in self.refusals:
            return
        exchange = self.exchange or self.conversation.begin("goodbye")
        reply = self.refuse(Refusal.IDLE, "Nothing came from you for too long; goodbye", close=True)
        try:
            self.conversation.write(self.render(reply))
            exchange.end(reply.code, reply.summary)
            await self.conversation.flush()
        except ConversationError:
            pass  # it does not listen either
