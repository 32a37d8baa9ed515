"""The table of commands. Each is a function in `commands/`, under a line with the facts about it:

    @command("SELECT", states=LOGGED_IN, rfc="9051 §6.3.2", reads=select_arguments)
    async def select(session: Imap, name: str, options: Options) -> Tagged:
        \"\"\"Open a mailbox.\"\"\"

`reads` walks over the arguments, from the space after the verb to the end, and returns them. The session checks
state and grammar before the function runs.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sandbox.protocols.imap.grammar.cursor import Cursor
from sandbox.protocols.imap.replies import Tagged

__all__ = ["ANY", "LOGGED_IN", "TABLE", "Command", "State", "command"]


class State(enum.Flag):
    """RFC 9051 §3. The logout state is the end of the session."""

    NOT_AUTHENTICATED = enum.auto()
    AUTHENTICATED = enum.auto()
    SELECTED = enum.auto()


ANY = State.NOT_AUTHENTICATED | State.AUTHENTICATED | State.SELECTED
LOGGED_IN = State.AUTHENTICATED | State.SELECTED

Reads = Callable[[Cursor], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Command:
    """A row. secret: how many words of its arguments may be shown, -1 for all; expunges: whether EXPUNGE may be
    sent before its end (RFC 9051 §7.5.1: not where message numbers would change under the client's feet)."""

    name: str
    states: State
    rfc: str
    reads: Reads
    secret: int
    expunges: bool
    run: Callable[..., Awaitable[Tagged]]


TABLE: dict[str, Command] = {}

Function = TypeVar("Function", bound=Callable[..., Awaitable[Tagged]])


def nothing(cursor: Cursor) -> tuple[Any, ...]:
    """No arguments."""
    while cursor.try_take(b" "):  # clients have been seen to end a command with a space
        pass
    return ()


def command(name: str, *, states: State, rfc: str, reads: Reads = nothing, secret: int = -1,
            expunges: bool = True, uid_rfc: str = "") -> Callable[[Function], Function]:
    """Put a function into the table. Arguments as in `Command`.

    uid_rfc: where its form with UIDs is defined. Then that is a command too ("UID FETCH" beside "FETCH"), by the same
    function, which is told by `uid` which of the two it is.
    """
    def enter(function: Function) -> Function:
        if uid_rfc:
            TABLE[name] = Command(name, states, rfc, reads, secret, expunges, partial(function, uid=False))
            TABLE[f"UID {name}"] = Command(f"UID {name}", states, uid_rfc, reads, secret, True,
                                           partial(function, uid=True))
        else:
            TABLE[name] = Command(name, states, rfc, reads, secret, expunges, function)
        return function

    return enter
