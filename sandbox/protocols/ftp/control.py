"""The two connections of FTP together: commands go on being read while a transfer runs beside them.

One task reads and obeys commands. A transfer is a second task; when it is over it says so (226, 426 ...) itself if
nobody is in the middle of an answer, else the answer says it. A transfer's exchange stays open from its command to
that last word, so that it is one in the journal, unless another command comes in between: then the command's exchange
ends with the 150, and the last word is an exchange of its own, "transfer".

While a transfer runs, the commands of AT_ONCE are obeyed at once, and every other waits for its end: so QUIT is
answered after the transfer's last word. USER and REIN change who is there, but not the transfer, which goes on for
whom it was begun (RFC 959 §4.1.1). ABOR ends it: its last word is 426 then, and ABOR's own reply follows.

A transfer that need not wait for anything (little is sent, and the client is connected already) takes no task: it
is over before the next command is read, and 150 and 226 leave together.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Awaitable, Callable

import trio

from sandbox.protocols.contract.conversation import (
    Closed,
    Conversation,
    ConversationError,
    DataConversation,
    DataPort,
    EndOfStream,
    OpenExchange,
    TimedOut,
)
from sandbox.protocols.ftp import grammar
from sandbox.protocols.ftp.transfer import Count, one_error
from sandbox.protocols.lines.command import Reply
from sandbox.protocols.lines.session import LineSession

__all__ = ["OUTCOMES", "REPLIES", "ControlConnection", "Transfer", "file_problem"]

REPLIES = frozenset({
    "150", "200", "202", "211", "213", "214", "215", "220", "221", "226", "227", "229", "230", "234", "250", "257",
    "331", "350", "421", "425", "426", "451", "452", "500", "501", "502", "503", "504", "522", "530", "534", "536",
    "550", "552", "553", "554",
})
"""Every code that is sent."""

OUTCOMES = frozenset({"complete", "aborted", "lost", "failed"})
"""How a data connection can end."""

AT_ONCE = frozenset({"ABOR", "STAT", "NOOP", "HELP", "FEAT", "USER", "PASS", "REIN"})
"""Commands that do not wait for a transfer's end (RFC 959 §4.1.1, §4.1.3)."""

BROKEN_OFF = Reply("426", ("The transfer was broken off",))
CUT_OFF = Reply("426", ("TLS ended without a close_notify, so the end of the file may be missing",))
NO_TLS = Reply("522", ("TLS could not be started on the data connection",))

ALIASES = {"XCWD": "CWD", "XCUP": "CDUP", "XPWD": "PWD", "XMKD": "MKD", "XRMD": "RMD"}
"""Names of before 1985 that clients still use (RFC 1123 §4.1.3.1)."""

FILE_PROBLEMS = {
    errno.ENOENT: ("550", "There is no such file or folder"),
    errno.EEXIST: ("550", "There is something of that name already"),
    errno.EACCES: ("550", "Its permissions do not allow that"),
    errno.EPERM: ("550", "It belongs to somebody else: they and the teacher can change it"),
    errno.EROFS: ("550", "You can read here, not change anything"),
    errno.EBUSY: ("550", "This folder stays where it is"),
    errno.ENOTDIR: ("550", "That is not a folder"),
    errno.EISDIR: ("550", "That is a folder, not a file"),
    errno.ENOTEMPTY: ("550", "The folder is not empty"),
    errno.ELOOP: ("550", "There is no such file or folder"),
    errno.EXDEV: ("550", "It cannot be moved there"),
    errno.EINVAL: ("553", "It cannot be moved into itself"),
    errno.ESTALE: ("451", "Somebody changed the file while it was sent; fetch it again"),
    errno.ENAMETOOLONG: ("553", "That name is too long"),
    errno.ENOTSUP: ("504", "Permissions are 400 to 777 for a file, 700 to 777 for a folder"),
    errno.EFBIG: ("552", "No file is that long"),
    errno.EDQUOT: ("552", "There is no room left in this folder"),
    errno.ENOSPC: ("452", "There is no room left on the disk"),
}
"""What a client hears about a file, by what the operating system says."""


def file_problem(error: OSError) -> Reply:
    """The reply for something that could not be done with a file."""
    code, sentence = FILE_PROBLEMS.get(error.errno or 0, ("451", "The file could not be used"))
    return Reply(code, (sentence,))


class Transfer:
    """A transfer under way. reach: opens the data connection; move: what then passes, giving the last word.

    count: what passed; sending: whether the end of the data is the end of the connection, said by this side;
    protected: whether the data connection has to be encrypted.
    """

    def __init__(self, verb: str, asked: str, reach: Callable[[], Awaitable[DataConversation]],
                 move: Callable[[DataConversation], Awaitable[Reply]], count: Count, *, sending: bool,
                 protected: bool, give_up: Callable[[], Awaitable[None]] | None = None,
                 at_once: bool = False) -> None:
        self.verb = verb
        self.asked = asked
        self.reach = reach
        self.move = move
        self.count = count
        self.sending = sending
        self.protected = protected
        self.give_up = give_up
        """What to do when it is over before its end."""
        self.at_once = at_once
        """Whether it need not wait for anything."""
        self.facts: dict[str, str] = {}
        """Whose it is, and which file: known before anything passes."""
        self.sha256 = ""
        """Of what passed, in hex, once it is over."""
        self.exchange: OpenExchange | None = None
        self.reply: Reply | None = None
        self.scope = trio.CancelScope()
        self.finished = trio.Event()


class ControlConnection(LineSession):
    """The control connection, with at most one transfer beside it."""

    encoding = "utf-8"  # RFC 2640 §2.2
    error_limit = 200
    line_limit = 4096
    """Octets of a command line: a path of 4 KiB is as long as the operating system takes one."""

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(conversation)
        self.transfer: Transfer | None = None
        self.port: DataPort | None = None
        self.broken_off = False
        """Whether the ABOR being obeyed has ended a transfer."""
        self.protected = conversation.secure
        """Whether data connections are encrypted (PROT P). Where TLS comes first of all, on the port of its own, that
        goes without saying: many clients send no PROT there. After AUTH TLS it has to be said (RFC 4217 §9)."""

    async def run(self) -> None:
        """The whole dialogue; a transfer that is under way when the client leaves is broken off."""
        failure: ConversationError | None = None
        async with trio.open_nursery() as self.nursery:
            try:
                await super().run()
            except ConversationError as error:
                failure = error
            self.nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure

    def leave(self) -> None:
        self.drop_port()

    def render(self, reply: Reply) -> bytes:
        return grammar.render(reply.code, reply.lines)

    def _decode(self, line: bytes) -> tuple[str, Reply | None]:
        text, problem = super()._decode(grammar.without_telnet(line))
        verb, space, rest = text.partition(" ")
        return ALIASES.get(verb.upper(), verb) + space + rest, problem

    def drop_port(self) -> None:
        """Nobody needs to come to the passive port any more."""
        if self.port is not None:
            self.port.close()
            self.port = None

    # -- beside a transfer ------------------------------------------------------------------------------------

    async def _obey(self, line: bytes) -> Reply:
        transfer, self.broken_off = self.transfer, False
        if transfer is not None:
            verb = self._decode(line.rstrip(b"\r\n"))[0].partition(" ")[0].upper()
            self.conversation.untake(line)  # it belongs to the next exchange
            if verb == "ABOR":
                await self._break_off(transfer)
            elif transfer.exchange is not None:
                transfer.exchange.end("150", "Data follows")
                transfer.exchange = None
            self.conversation.take(len(line))
            if verb not in AT_ONCE:
                await transfer.finished.wait()
        return await super()._obey(line)

    async def _break_off(self, transfer: Transfer) -> None:
        """End a transfer, and have it say so in its own exchange, before ABOR has one."""
        transfer.scope.cancel()
        await transfer.finished.wait()
        self.broken_off = transfer.reply is not None and transfer.reply.code == BROKEN_OFF.code

    async def _answer(self, reply: Reply) -> None:
        if not reply.failed:
            self.errors = 0  # a program that copies folders asks for much that is not there; a guesser never succeeds
        if reply.code[0] == "1" and self.transfer is not None:
            self.conversation.write(self.render(reply))
            self.transfer.exchange, self.exchange = self.exchange, None
            if self.transfer.at_once:
                self.transfer.reply = await self._run(self.transfer)
                self._say_end()
            else:
                self.nursery.start_soon(self._carry, self.transfer)
            return
        await super()._answer(reply)
        self._say_end()

    def _broken(self, error: Exception) -> Reply:
        if isinstance(error, OSError) and error.errno in FILE_PROBLEMS:
            return file_problem(error)
        return super()._broken(error)

    def _say_end(self) -> None:
        """The last word of a transfer that is over."""
        transfer = self.transfer
        if transfer is None or transfer.reply is None:
            return
        self.transfer = None
        reply = transfer.reply
        exchange = transfer.exchange or self.conversation.begin(
            "transfer", f"{transfer.verb} {transfer.asked}", transfer.facts)
        note_count(exchange, transfer)
        self.conversation.write(self.render(reply))
        exchange.end(reply.code, reply.summary)

    # -- the transfer itself ----------------------------------------------------------------------------------

    async def _carry(self, transfer: Transfer) -> None:
        """In a task of its own. Never raises for what a client does."""
        reply = BROKEN_OFF
        try:
            with transfer.scope:
                reply = await self._run(transfer)
        finally:
            transfer.reply = reply
            if self.exchange is None:
                self._say_end()
            transfer.finished.set()
        try:
            await self.conversation.flush()
        except ConversationError:
            self.nursery.cancel_scope.cancel()

    async def _run(self, transfer: Transfer) -> Reply:
        completed = False
        try:
            try:
                data = await transfer.reach()
            except (OSError, TimedOut) as error:
                return Reply("425", (no_connection(error),))
            except Closed:
                return NO_TLS
            reply = await self._move(transfer, data)
            completed = reply.code[0] == "2"
            return reply
        except OSError as error:
            return file_problem(error)
        except EndOfStream:
            return CUT_OFF
        except ConversationError:
            return Reply("426", ("The data connection was lost",))
        except Exception as error:
            exchange, self.exchange = self.exchange, transfer.exchange or self.exchange
            reply = (super()._broken(error) if self.exchange is not None
                     else Reply("451", ("Something went wrong in the sandbox",)))
            self.exchange = exchange
            return reply
        finally:
            if not completed and transfer.give_up is not None:
                with trio.CancelScope(shield=True):
                    await transfer.give_up()

    async def _move(self, transfer: Transfer, data: DataConversation) -> Reply:
        """One data connection from its handshake to its end."""
        outcome = "aborted"
        exchange: OpenExchange | None = None
        try:
            if transfer.protected and not data.secure:
                try:
                    await data.start_tls()
                except Closed:
                    return NO_TLS
            exchange = data.begin(transfer.verb, transfer.asked, transfer.facts)
            async with one_error():
                reply = await transfer.move(data)
            try:
                await data.end_writing()
            except ConversationError:
                if transfer.sending:
                    raise
            outcome = "complete" if reply.code[0] == "2" else "failed"
        except ConversationError:
            outcome = "lost"
            raise
        except OSError:
            outcome = "failed"
            raise
        finally:
            transfer.count.stop()
            if exchange is not None:
                transfer.sha256 = data.sha256(sent=transfer.sending)
                note_count(exchange, transfer)
                exchange.end(outcome, transfer.count.summary)
            if outcome != "complete":
                data.abort()
            elif transfer.at_once or not transfer.sending:
                await close(data, wait=False)  # who has sent a file has closed its side
            else:
                self.nursery.start_soon(close, data)
        return reply


def note_count(exchange: OpenExchange, transfer: Transfer) -> None:
    exchange.note("octets", str(transfer.count.octets))
    if transfer.sha256:  # else there was no data connection
        exchange.note("sha256", transfer.sha256)
    exchange.note("seconds", f"{transfer.count.seconds:.3f}")


async def close(data: DataConversation, *, wait: bool = True) -> None:
    """Close in good order; to wait for the client to close its side is for a task beside the dialogue."""
    with contextlib.suppress(ConversationError):
        await data.aclose(wait=wait)


def no_connection(error: BaseException) -> str:
    """Why there is no data connection, for the client."""
    if isinstance(error, TimedOut):
        return "Nobody came to the data port in time"
    if isinstance(error, TimeoutError):
        return "Your data port did not answer in time; try passive mode (PASV or EPSV)"
    return "No connection to your data port; send PASV or EPSV first"
