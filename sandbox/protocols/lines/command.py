"""What line protocols say about their commands, as values: the rows of the command table, and replies.

A protocol's session is a class with one method per command, each under a line that states the facts about it:

    @command("TOP", states=State.TRANSACTION, args="msg n", rfc="1939 §7", offers="TOP")
    async def top(self, msg: int, n: int) -> Reply:
        \"\"\"Show the header and the first n lines of a message.\"\"\"

`line_session.py` checks state, then arguments, before the method runs; HELP, the capability lists (CAPA, EHLO, FEAT)
and the reference documentation are derived from the table too.

`args` names the arguments in order. `[msg]` is optional, `path...` takes the rest of the line with its spaces.
Each name is looked up in the session's `arguments` for a function from text to value; without one it stays text.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

__all__ = ["CLEAR_TEXT", "SHOWN", "WEB", "BadArgument", "Command", "Refusal", "Reply", "command"]

MASK = "********"
SHOWN = 200  # characters of a command's arguments that its exchange is named by; the bytes are kept whole
CLEAR_TEXT = "password seen in clear text"

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

    secret: the index of the first argument that is a secret, None for none; line: octets its command line may have, 0
    for the session's usual limit.
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

    def shown(self, text: str, *, secrets: bool = False) -> str:
        """The arguments as the journal may show them. secrets: whether secrets are shown too."""
        if self.secret is not None and not secrets:
            words = text.split(" ", self.secret)
            text = " ".join([*words[:self.secret], MASK] if len(words) > self.secret and text else words)
        return text[:SHOWN]

    def parse(self, text: str, parsers: Mapping[str, Callable[[str], object]]) -> list[object]:
        """The values of the arguments in `text`, what stands after the verb and one space. Raises BadArgument."""
        count = len(self.arguments)
        if not count and not text:
            return []
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
    index of the first argument that is a secret; offers: the capability its presence announces; line: octets
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
