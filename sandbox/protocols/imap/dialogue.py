"""The dialogue of an IMAP session: reading a command, checking it against the table, doing it, answering.

It knows the table and no command. Between two commands, or before the tagged line of one, it tells what is new.
"""

from __future__ import annotations

import re
import traceback

from sandbox.protocols.contract.conversation import Conversation, ConversationError, OpenExchange
from sandbox.protocols.imap.commands import TABLE
from sandbox.protocols.imap.grammar.cursor import Cursor, GrammarError, WrongName
from sandbox.protocols.imap.pushing import wait
from sandbox.protocols.imap.reading import Unreadable, read_incoming, skip_rest
from sandbox.protocols.imap.replies import CommandRefused, Tagged, bad, no
from sandbox.protocols.imap.session import Imap, Mailboxes
from sandbox.protocols.imap.table import Command, State
from sandbox.protocols.imap.updates import send_notices, send_updates
from sandbox.protocols.imap.view import NoSuchMessage
from sandbox.protocols.lines.command import WEB
from sandbox.protocols.lines.dialogue import Dialogue
from sandbox.world.mail import NoSuchFolder, OverQuota

__all__ = ["ImapDialogue"]

ERRORS = 50
"""Commands in a row that were refused as BAD before goodbye."""

SHOWN = 200  # characters of a command's arguments that its exchange is named by
MASK = "********"

LITERAL = re.compile(rb"~?\{[0-9]+\+?\}\r?\n.*", re.DOTALL)


class ImapDialogue(Dialogue):
    """One client, from greeting to goodbye."""

    def __init__(self, conversation: Conversation, mailboxes: Mailboxes) -> None:
        super().__init__(conversation)
        self.session = Imap(conversation, mailboxes)

    def leave(self) -> None:
        self.session.leave_mailbox()
        self.session.stop_notices()

    async def welcome(self) -> None:
        exchange = self.conversation.begin("greeting")
        reply = await self._scripted(exchange)
        if reply is not None:
            self.session.say(reply, tag="*")
            exchange.end(reply.outcome, reply.summary)
            self.closing = reply.close
            return
        self.session.untagged(f"OK [CAPABILITY {self.session.capabilities()}] Sandbox IMAP ready")
        exchange.end("OK", "ready")

    async def turn(self) -> None:
        self.session.exchange = None
        if self.session.notifier is not None and not self.conversation.buffer:
            await wait(self.session, self.conversation.fill, idle=False)
        try:
            self.session.incoming = await read_incoming(self.conversation)
        except Unreadable as error:
            self.session.tag = tag_of(error.text)
            verb = verb_of(error.text)
            self.session.exchange = self._begin(verb if verb in TABLE else "unknown", "")
            await self._end(error.reply)
            return
        await self._obey(self.session.incoming.text)

    async def _obey(self, text: bytes) -> None:
        session = self.session
        session.tag = tag_of(text)
        verb = verb_of(text)
        row = TABLE.get(verb) if session.tag != "*" else None
        if row is None:
            session.exchange = self._begin("unknown", show(text))
            reply = await self._scripted(session.exchange) or no_command(session.tag, text)
            await self._end(await self._past_message(reply))
            return
        cursor = Cursor(text, utf8=session.utf8)
        cursor.at = len(session.tag) + 1 + len(verb)
        session.exchange = self._begin(verb, shown(row, text[cursor.at:], secrets=self.shows_passwords))
        scripted = await self._scripted(session.exchange)
        if scripted is not None:
            await self._end(await self._past_message(scripted))  # no news either: only what the script says
            return
        await self._end(await self._past_message(await self._run(row, cursor)), row)

    def _begin(self, verb: str, asked: str) -> OpenExchange:
        return self.conversation.begin(verb, asked, self.session.known)

    async def _scripted(self, exchange: OpenExchange) -> Tagged | None:
        answer = await self.script_for(exchange)
        return None if answer is None else Tagged(answer.code, answer.text, answer.detail, close=answer.close)

    async def _past_message(self, reply: Tagged) -> Tagged:
        """Read past a message that no APPEND has taken: it must not be read as commands."""
        literal = self.session.incoming.message
        if literal is None or reply.close:
            return reply
        return reply._replace(close=not await skip_rest(self.conversation, literal))

    async def _run(self, row: Command, cursor: Cursor) -> Tagged:
        """Check a command, then do it. Returns the reply; never raises for what a client sent."""
        state, message = self.session.state, self.session.incoming.message
        if state not in row.states:
            allowed = " or ".join(str(state.name) for state in State if state in row.states)
            return bad(f"{row.name} belongs to the {allowed} state; this is {state.name}".replace("_", " "))
        try:
            values = row.reads(cursor)
            if message is None:
                cursor.expect_end()
            return await row.run(self.session, *values)
        except WrongName as error:
            return no(error.sentence, "CANNOT")
        except GrammarError as error:
            return bad(error.sentence)
        except CommandRefused as error:
            return error.reply
        except NoSuchMessage as error:
            return bad(f"There are only {error} messages in this mailbox")
        except NoSuchFolder as error:
            return no(f"There is no mailbox {error}", "NONEXISTENT")
        except OverQuota:
            return no("That does not fit into what this account may keep", "OVERQUOTA")
        except ConversationError:
            raise
        except Exception as error:  # a fault of ours: the client hears so, the journal learns where
            self.session.note("traceback", "".join(traceback.format_exception(error)))
            reply = no("Something went wrong in the sandbox; its journal says what", "SERVERBUG")
            return reply._replace(close=message is not None)  # the rest of the message would be read as commands

    async def _end(self, reply: Tagged, row: Command | None = None) -> None:
        """Everything that ends a command: news, the tagged line, the end of its exchange."""
        self.errors = self.errors + 1 if reply.outcome == "BAD" else 0
        if self.errors >= ERRORS and not reply.close:
            reply = reply._replace(close=True)
        if row is not None and not reply.close:
            await send_updates(self.session, expunges=row.expunges)
            await send_notices(self.session)
        if reply.close and reply.outcome not in ("OK", "BYE"):
            self.session.untagged("BYE Too much of this; goodbye" if self.errors else "BYE Goodbye")
        if reply.outcome == "BYE":
            self.session.say(reply, tag="*")  # the only status that no command has (RFC 9051 §7.1.5)
        else:
            self.session.say(reply)
        self.closing = self.closing or reply.close
        exchange, self.session.exchange = self.session.exchange, None
        if exchange is not None:
            exchange.end(reply.outcome, reply.summary, reply.key)
        if reply.then is not None:
            await reply.then()

    async def say_goodbye(self) -> None:
        exchange = self.session.exchange or self.conversation.begin("goodbye")
        try:
            self.session.untagged("BYE Nothing came from you for too long; goodbye")
            exchange.end("BYE", "nothing came for too long")
            await self.conversation.flush()
        except ConversationError:
            pass  # it does not listen either


def tag_of(text: bytes) -> str:
    """A command's tag; "*" for one that has none."""
    cursor = Cursor(text[:200])
    try:
        tag = cursor.expect_tag()
        cursor.expect_space()
    except GrammarError:
        return "*"
    return tag


def verb_of(text: bytes) -> str:
    """A command's verb in capitals, both words of UID ones; "" for none."""
    words = text[:300].removesuffix(b"\r\n").split(b" ", 3)[1:3]
    name = words[0].strip().decode("latin-1").upper() if words else ""
    if name == "UID" and len(words) > 1:
        return f"UID {words[1].strip().decode('latin-1').upper()}"
    return name


def no_command(tag: str, text: bytes) -> Tagged:
    """The answer to a line that is none."""
    if text.split(b" ", 1)[0].decode("latin-1").upper() in WEB:
        return bad("This is not a web server; goodbye")._replace(close=True)
    if tag == "*":
        return bad("A command is a tag, a space and a verb: a1 NOOP")
    return bad("There is no such command here; CAPABILITY says what there is")


def show(text: bytes) -> str:
    return LITERAL.sub(b"{...}", text[:SHOWN]).decode("utf-8", "backslashreplace").strip()


def shown(row: Command, arguments: bytes, *, secrets: bool) -> str:
    """A command's arguments as its exchange names them. secrets: whether with a password."""
    text = show(arguments)
    if row.secret < 0 or secrets:
        return text
    words = text.split(" ")
    return " ".join([*words[:row.secret], MASK] if len(words) > row.secret else words)
