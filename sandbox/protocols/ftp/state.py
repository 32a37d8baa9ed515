"""What all commands share: how far the login has come, where the client is, and what the next transfer will be."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sandbox.protocols.contract.conversation import Conversation, DataConversation
from sandbox.protocols.contract.facts import bounded
from sandbox.protocols.ftp import grammar
from sandbox.protocols.ftp.control import ControlConnection, Transfer
from sandbox.protocols.ftp.listing import FACTS
from sandbox.protocols.ftp.transfer import Count
from sandbox.protocols.lines.command import BadArgument, Command, Refusal, Reply
from sandbox.world.accounts import Accounts
from sandbox.world.files.paths import Names, names_of, virtual
from sandbox.world.files.tree import Tree, Trees

__all__ = ["ANY", "IN", "FtpService", "State", "Stateful", "ok"]

CODES: dict[Refusal, tuple[str, str]] = {
    Refusal.UNKNOWN: ("500", ""), Refusal.SYNTAX: ("501", ""), Refusal.STATE: ("530", ""),
    Refusal.TOO_LONG: ("500", ""), Refusal.CHARACTERS: ("501", ""), Refusal.LINE_END: ("500", ""),
    Refusal.ERRORS: ("421", ""), Refusal.IDLE: ("421", ""), Refusal.WEB: ("421", ""), Refusal.BROKEN: ("451", ""),
}


class State(enum.Flag):
    """How far the login has come (RFC 959 §5.4, the first of its diagrams)."""

    UNKNOWN = 1
    NAMED = 2
    LOGGED_IN = 4


ANY = State.UNKNOWN | State.NAMED | State.LOGGED_IN
IN = State.LOGGED_IN


@dataclass(frozen=True, slots=True)
class FtpService:
    """What all sessions of a service share. upgrade: whether AUTH TLS is there."""

    accounts: Accounts
    trees: Trees
    anonymous: bool
    hostname: str
    upgrade: bool


def ok(code: str, *lines: str) -> Reply:
    return Reply(code, lines)

class Stateful(ControlConnection):
    """What a control connection remembers between commands."""

    refusals = CODES
    arguments = {"address": grammar.host_port, "net-address": grammar.extended_address, "octets": grammar.integer,
                 "time": grammar.modification_time}

    def __init__(self, conversation: Conversation, service: FtpService) -> None:
        super().__init__(conversation)
        self.service = service
        self.state = State.UNKNOWN
        self.forget()

    def forget(self) -> None:
        """The state after the greeting, and after REIN and AUTH."""
        self.state: State = State.UNKNOWN
        self.user = ""
        self.file = ""
        """The fact that says which file the latest command was about."""
        self.login = ""
        """The account of the one who is logged in."""
        self.guesses = 0
        self.tree: Tree
        self.cwd: Names = ()
        self.ascii = True  # RFC 959 §5.1: TYPE A N is where everybody starts
        self.restart = 0
        self.renaming: Names = ()
        self.facts: tuple[str, ...] = FACTS
        self.target = 0
        """The client's port for data, 0 for passive mode or the default."""
        self.extended_only = False
        self.drop_port()

    async def greet(self) -> Reply:
        return ok("220", f"{self.service.hostname} FTP, part of the sandbox; log in, or be anonymous")

    def who(self) -> str:
        return self.login

    def not_now(self, row: Command) -> str:
        return "Log in first: USER, then PASS"

    def at(self, path: str) -> Names:
        """A path as the client sees it from its working directory. Raises BadArgument."""
        try:
            names = names_of(path, self.cwd)
        except ValueError as error:
            raise BadArgument(str(error), ok("553", f"That cannot be here: {error}")) from None
        self.note_file(names)
        return names

    def note_file(self, names: Names) -> None:
        """Say which file or directory the command under way is about."""
        self.file = bounded(virtual(names))
        self.note("file", self.file)

    def take_restart(self) -> int:
        restart, self.restart = self.restart, 0
        return restart

    def begin_transfer(self, verb: str, asked: str, move: Callable[[DataConversation], Awaitable[Reply]],
                       count: Count, *, sending: bool, give_up: Callable[[], Awaitable[None]] | None = None,
                       little: bool = False) -> str:
        """Have it carried as soon as this command's reply is out. Gives the code of that reply.

        little: whether so little is sent that it fits into what the system holds for a connection.
        """
        port, target = self.port, self.target
        waiting = port.accept_now() if port is not None and little and not self.protected else None
        self.port, self.target = None, 0

        async def reach() -> DataConversation:
            count.start()
            if waiting is not None:
                return waiting
            if port is not None:
                try:
                    return await port.accept()
                finally:
                    port.close()
            # RFC 959 §3.2: from the port below the control port; to the client's own control port by default.
            return await self.conversation.connect_back(target or self.conversation.client.port,
                                                        from_port=self.conversation.server.port - 1)

        if waiting is not None and port is not None:
            port.close()
        self.transfer = Transfer(verb, asked, reach, move, count, sending=sending,
                                 protected=self.protected, give_up=give_up, at_once=waiting is not None)
        self.transfer.facts = {"account": self.login, "file": self.file} if self.login else {"file": self.file}
        return "150"
