"""The command table that line protocols share, and the one place every command and every reply passes through.

A protocol's session is a class with one method per command, each under a line that states the facts about it:

    @command("TOP", states=State.TRANSACTION, args="msg n", rfc="1939 §7", offers="TOP")
    async def top(self, msg: int, n: int) -> Reply:
        \"\"\"Show the header and the first n lines of a message.\"\"\"

The table checks state, then arguments, before the method runs; HELP, the capability lists (CAPA, EHLO, FEAT) and
the reference documentation are derived from it. A method returns its reply as a value; only `LineSession` turns
one into bytes, so every reply can be seen, named and replaced in one place.

`args` names the arguments in order. `[msg]` is optional, `path...` takes the rest of the line with its spaces.
Each name is looked up in the session's `arguments` for a function from text to value; without one it stays text.
"""

from __future__ import annotations

import enum
import re
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, ClassVar, NamedTuple, TypeVar

from sandbox.protocols.conversation import (
    Conversation,
    ConversationError,
    EndOfStream,
    OpenExchange,
    TimedOut,
    TooLong,
)

__all__ = ["CLEAR_TEXT", "BadArgument", "Command", "LineSession", "Refusal", "Reply", "command"]

MASK = "********"
SHOWN = 200  # characters of a command's arguments that its exchange is named by; the bytes are kept whole
SKIPPED = 1_048_576  # octets of one overlong line that are read past before the client is sent away
CLEAR_TEXT = "password seen in clear text"

CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

# A browser that was tricked into posting a form to a mail port begins like this. Nobody else does: say goodbye
# before a command hidden in the form's body is obeyed (cross-protocol request forgery).
WEB = frozenset({"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH", "TRACE", "HOST:"})


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command is answered, as a value.

    code: the protocol's own ("250", "+OK"); lines: the text, one entry a line; enhanced: the finer code where
    the protocol has one (SMTP "2.1.0", POP3 "IN-USE"); body: octets that follow, ready for the wire, whole or in
    pieces; close: whether this is the last reply; then: what to do once the reply is out and its exchange is over
    (start TLS, take the message), which may reply again; key: the knowledge entry that explains it best.
    """

    code: str
    lines: tuple[str, ...] = ("",)
    enhanced: str = ""
    body: bytes | AsyncIterator[bytes] = b""
    close: bool = False
    then: Callable[[], Awaitable[None]] | None = None
    key: str = ""

    @property
    def failed(self) -> bool:
        """Whether the command did not do what was asked."""
        return self.code[:1] in "45-"

    @property
    def summary(self) -> str:
        """The first line of text, with the finer code before it."""
        return f"{self.enhanced} {self.lines[0]}".strip()


class Refusal(enum.Enum):
    """Why the table refused a command before its method ran. Each protocol has its own code for each."""

    UNKNOWN = "unknown"        # no such command
    SYNTAX = "syntax"          # wrong arguments
    STATE = "state"            # not now
    TOO_LONG = "too-long"      # the line passed its limit
    CHARACTERS = "characters"  # octets that no command may contain
    LINE_END = "line-end"      # a bare CR, or a bare LF where it is not tolerated
    ERRORS = "errors"          # too many refusals
    IDLE = "idle"              # nothing came for too long
    WEB = "web"                # a browser's request
    BROKEN = "broken"          # an error of ours


class BadArgument(Exception):
    """An argument is not what its grammar says: a sentence for the client.

    reply: the protocol's own answer to it, where it is not plainly wrong syntax.
    """

    def __init__(self, sentence: str, reply: Reply | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.reply = reply


class Argument(NamedTuple):
    """One entry of a command's `args`."""

    name: str
    optional: bool
    rest: bool


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table.

    secret: the index of the first argument that is never shown, None for none; line: octets its command line may
    have, 0 for the session's usual limit.
    """

    name: str
    states: enum.Flag
    arguments: tuple[Argument, ...]
    args: str
    rfc: str
    secret: int | None
    offers: str
    line: int
    method: Callable[..., Reply | Awaitable[Reply]]

    @property
    def usage(self) -> str:
        return f"{self.name} {self.args.replace('...', '')}".strip()

    @property
    def help(self) -> str:
        """What it does, in one sentence: the first line of its method's docstring."""
        return (self.method.__doc__ or "").strip().partition("\n")[0]

    def shown(self, text: str) -> str:
        """The arguments as the journal may show them."""
        if self.secret is not None:
            words = text.split(" ", self.secret)
            text = " ".join([*words[:self.secret], MASK] if len(words) > self.secret and text else words)
        return text[:SHOWN]

    def parse(self, text: str, parsers: Mapping[str, Callable[[str], object]]) -> list[object]:
        """The values of the arguments in `text`, what stands after the verb and one space. Raises BadArgument."""
        count = len(self.arguments)
        if count and self.arguments[-1].rest:
            words = text.split(" ", count - 1) if text else []
        else:
            words = [word for word in text.split(" ") if word]  # RFC 5321 §4.1.1: tolerate spaces at the end
        needed = sum(not argument.optional for argument in self.arguments)
        if not needed <= len(words) <= count:
            raise BadArgument(f"Usage: {self.usage}" if count else f"{self.name} takes no argument")
        return [parsers.get(argument.name, str)(word)
                for argument, word in zip(self.arguments, words, strict=False)]


Method = TypeVar("Method", bound=Callable[..., Reply | Awaitable[Reply]])


def command(name: str, *, states: enum.Flag, args: str = "", rfc: str, secret: int | None = None,
            offers: str = "", line: int = 0) -> Callable[[Method], Method]:
    """Put a method into its class's command table.

    states: those in which it may be used; args: see the top of this file; rfc: number and section; secret: the
    index of the first argument that is never shown; offers: the capability its presence announces; line: octets
    its command line may have, for one that may be longer than others.
    """
    arguments = []
    for word in args.split():
        optional = word.startswith("[")
        bare = word.strip("[]")
        arguments.append(Argument(bare.removesuffix("..."), optional, bare.endswith("...")))

    def enter(method: Method) -> Method:
        row = Command(name, states, tuple(arguments), args, rfc, secret, offers, line, method)
        method.__dict__["command"] = row
        return method

    return enter


class LineSession:
    """A dialogue of commands and replies over one conversation.

    A protocol's session inherits from it, names its own codes in `refusals`, and writes `render` and `greet`.
    """

    commands: ClassVar[dict[str, Command]] = {}
    arguments: ClassVar[Mapping[str, Callable[[str], Any]]] = {}
    refusals: ClassVar[Mapping[Refusal, tuple[str, str]]]
    """(code, enhanced code) for each refusal; IDLE may be missing where goodbye is said without words."""
    line_limit: int = 512
    """Octets of one command line with its end, for commands that do not say otherwise in the table."""
    longest_line: ClassVar[int]
    least_idle: float = 0.0
    """Seconds a client may keep silent, where the protocol's RFC wants at least so many."""
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
        self.conversation = conversation
        self.closing = False
        self.errors = 0
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

    def leave(self) -> None:
        """The dialogue is over, however it ended: give back what was held."""

    # What is derived from the table

    def usable(self) -> list[Command]:
        """The commands of the present state, in the order they stand in the class."""
        return [row for row in self.commands.values() if self.state in row.states]

    def offered(self) -> list[str]:
        """The capabilities that the table's commands announce, each once, in order."""
        return list(dict.fromkeys(row.offers for row in self.commands.values() if row.offers))

    # The chokepoint

    async def run(self) -> None:
        """The whole dialogue, from greeting to goodbye."""
        self.conversation.patience = max(self.conversation.patience, self.least_idle)
        try:
            self.exchange = self.conversation.begin("greeting")
            await self._answer(await self.greet())
            while not self.closing:
                await self._turn()
            await self.conversation.flush()
        except TimedOut:
            await self._say_goodbye(Refusal.IDLE, "Nothing came from you for too long; goodbye")
        except EndOfStream:
            pass  # the client left without a goodbye; the conversation has recorded what it sent
        finally:
            self.leave()

    async def _turn(self) -> None:
        """Read one command and answer it."""
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
            if verb in WEB:
                return self.refuse(Refusal.WEB, "This is not a web server; goodbye", close=True)
            return problem or self.refuse(Refusal.UNKNOWN,
                                          f"There is no such command here; {self.help_command} lists them")
        exchange = self._begin(row.name, row.shown(rest))
        if self.line_end == b"\n":
            exchange.note("line-end", "bare LF instead of CRLF")
        if row.secret == 0 and not self.conversation.secure:
            exchange.note("warning", CLEAR_TEXT)
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
        self.exchange = self.conversation.begin(verb, asked)
        return self.exchange

    async def _answer(self, reply: Reply) -> None:
        """Write a reply, end its exchange, and do what comes after it."""
        assert self.exchange is not None
        if reply.failed and not reply.code.startswith("4"):  # "not now" is no error of the client's
            self.errors += 1
        if self.errors >= self.error_limit and not reply.close:
            reply = self.refuse(Refusal.ERRORS, "Too many errors; goodbye", close=True)
        self.closing = self.closing or reply.close
        self.conversation.write(self.render(reply))
        if isinstance(reply.body, bytes):
            if reply.body:
                await self.conversation.send(reply.body)
        else:
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

    async def _say_goodbye(self, refusal: Refusal, sentence: str) -> None:
        """The last words after a time-out, where the protocol has any."""
        if refusal not in self.refusals:
            return
        exchange = self.exchange or self.conversation.begin("goodbye")
        reply = self.refuse(refusal, sentence, close=True)
        try:
            self.conversation.write(self.render(reply))
            exchange.end(reply.code, reply.summary)
            await self.conversation.flush()
        except ConversationError:
            pass  # it does not listen either
