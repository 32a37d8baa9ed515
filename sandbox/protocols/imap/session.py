"""An IMAP session (RFC 9051, and 3501 for clients that do not enable the newer one).

Here is what all commands share: reading one, checking it against the table, answering, telling what changed. The
commands themselves are in `commands/`. Extensions: LITERAL+ (7888), SASL-IR (4959), ID (2971), ENABLE (5161),
IDLE (2177), NAMESPACE (2342), UIDPLUS (4315), UNSELECT (3691), CHILDREN (3348), LIST-EXTENDED (5258), LIST-STATUS
(5819), SPECIAL-USE (6154), MOVE (6851), ESEARCH (4731), SEARCHRES (5182), WITHIN (5032), SORT and THREAD (5256),
CONDSTORE and QRESYNC (7162), STATUS=SIZE (8438), MULTIAPPEND (3502), BINARY (3516), QUOTA (9208), APPENDLIMIT (7889),
UTF8=ACCEPT (6855), COMPRESS=DEFLATE (4978). Left out: see README.md.
"""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass

import trio

from sandbox.protocols import sasl
from sandbox.protocols.command import WEB
from sandbox.protocols.conversation import Conversation, ConversationError, EndOfStream, OpenExchange, TimedOut
from sandbox.protocols.imap import commands
from sandbox.protocols.imap.grammar.cursor import Cursor, GrammarError
from sandbox.protocols.imap.grammar.sets import compress
from sandbox.protocols.imap.grammar.writing import flag_list
from sandbox.protocols.imap.library import Library
from sandbox.protocols.imap.reading import Incoming, Unreadable, read_incoming
from sandbox.protocols.imap.replies import FLAGS, Refused, Tagged, bad, no
from sandbox.protocols.imap.table import TABLE, Command, State
from sandbox.protocols.imap.view import NoSuchMessage, View
from sandbox.protocols.registry import Context, Service, Tls
from sandbox.protocols.sasl.base import Accounts
from sandbox.world.mail import Folder, MailStore, NoSuchFolder, OverQuota

__all__ = ["CAPABILITIES", "Imap", "Mailboxes", "serve"]

ERRORS = 50
"""Commands in a row that were refused as BAD before goodbye."""

PATIENCE = 1860.0
"""Seconds of silence that are borne once somebody has logged in: RFC 9051 §5.4 wants 30 minutes."""

SHOWN = 200  # characters of a command's arguments that its exchange is named by
MASK = "********"

CAPABILITIES = (
    "IMAP4rev1", "IMAP4rev2", "LITERAL+", "SASL-IR", "ENABLE", "ID", "IDLE", "NAMESPACE", "UIDPLUS", "UNSELECT",
    "CHILDREN", "LIST-EXTENDED", "LIST-STATUS", "SPECIAL-USE", "CREATE-SPECIAL-USE", "MOVE", "ESEARCH", "SEARCHRES",
    "WITHIN", "SORT", "THREAD=ORDEREDSUBJECT", "THREAD=REFERENCES", "CONDSTORE", "QRESYNC", "STATUS=SIZE",
    "MULTIAPPEND", "BINARY", "QUOTA", "QUOTA=RES-STORAGE", "UTF8=ACCEPT",
)

LITERAL = re.compile(rb"~?\{[0-9]+\+?\}\r?\n.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Mailboxes:
    """What an IMAP service is built on.

    accounts: finds who may log in; hostname: the server's own name; upgrade: whether STARTTLS is offered;
    require_tls: whether passwords may only be sent over TLS; size: octets of one message.
    """

    accounts: Accounts
    store: MailStore
    library: Library
    hostname: str = "mail.example.com"
    upgrade: bool = False
    require_tls: bool = False
    size: int = 104_857_600


class Imap:
    """One client. enabled: what it switched on with ENABLE, or by using it; view: the selected mailbox."""

    __slots__ = ("account", "closing", "compressed", "conversation", "enabled", "errors", "exchange", "incoming",
                 "mailboxes", "store", "tag", "view")

    def __init__(self, conversation: Conversation, mailboxes: Mailboxes) -> None:
        self.conversation = conversation
        self.mailboxes = mailboxes
        self.store = mailboxes.store
        self.account = ""
        self.view: View | None = None
        self.enabled: frozenset[str] = frozenset()
        self.exchange: OpenExchange | None = None
        self.incoming = Incoming(b"")
        self.tag = "*"
        self.errors = 0
        self.closing = False
        self.compressed = False

    # -- what commands use --------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        if not self.account:
            return State.NOT_AUTHENTICATED
        return State.SELECTED if self.view is not None else State.AUTHENTICATED

    @property
    def utf8(self) -> bool:
        """Whether mailbox names are UTF-8 (RFC 6855 §3, RFC 9051 §5.1)."""
        return not self.enabled.isdisjoint(("UTF8=ACCEPT", "IMAP4rev2"))

    @property
    def condstore(self) -> bool:
        return not self.enabled.isdisjoint(("CONDSTORE", "QRESYNC"))

    @property
    def selected(self) -> View:
        assert self.view is not None
        return self.view

    def untagged(self, line: str | bytes) -> None:
        data = line.encode() if isinstance(line, str) else line
        self.conversation.write(b"* " + data + b"\r\n")

    def note(self, name: str, value: str) -> None:
        if self.exchange is not None:
            self.exchange.note(name, value)

    async def find_folder(self, name: str) -> Folder:
        """Raises NoSuchFolder."""
        return await trio.to_thread.run_sync(self.store.find_folder, self.account, name)

    def leave_mailbox(self) -> None:
        if self.view is not None:
            self.view.stop()
            self.view = None

    @property
    def plaintext(self) -> bool:
        """Whether a password may be shown on this channel."""
        return self.conversation.secure or not self.mailboxes.require_tls

    def capabilities(self) -> str:
        words = [*CAPABILITIES, f"APPENDLIMIT={self.mailboxes.size}"]
        if not self.compressed:
            words.append("COMPRESS=DEFLATE")
        if not self.account:
            if self.mailboxes.upgrade and not self.conversation.secure:
                words.append("STARTTLS")
            if not self.plaintext:
                words.append("LOGINDISABLED")
            words += [f"AUTH={name}" for name in sasl.offered(plaintext=self.plaintext,
                                                              bindings=sasl.bindings(self.conversation))]
        return " ".join(words)

    async def report(self, *, expunges: bool) -> str:
        """Tell what others did to the selected mailbox; returns it in a few words."""
        view = self.view
        if view is None or not (view.restless or expunges):
            return ""
        news = view.take_news(expunges=expunges)
        words = []
        if news.gone:
            words.append(f"{len(news.gone)} expunged")
            if "QRESYNC" in self.enabled:
                self.untagged(b"VANISHED " + compress(uid for _, uid in news.gone))
            else:
                for number, _ in news.gone:
                    self.untagged(f"{number} EXPUNGE")
        if news.added:
            words.append(f"{news.exists} exist")
            self.untagged(f"{news.exists} EXISTS")
            if "IMAP4rev2" not in self.enabled:
                self.untagged(f"{view.recent_count} RECENT")
            if not view.read_only:
                self.store.set_recent(view.folder, view.uids[-1] + 1)
        if news.flagged:
            words.append(f"{len(news.flagged)} changed")
            await commands.fetch.tell_flags(self, news.flagged)
        return ", ".join(words)

    def tell_keywords(self, view: View) -> None:
        """FLAGS and PERMANENTFLAGS, when a flag appears that the client has not heard of (RFC 9051 §7.3.5)."""
        known = [*FLAGS, *sorted(view.keywords - set(FLAGS))]
        self.untagged(b"FLAGS " + flag_list(known))
        permanent = flag_list([] if view.read_only else [*known, "\\*"])
        self.untagged(b"OK [PERMANENTFLAGS " + permanent + b"] Flags that are kept")

    # -- the dialogue -------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """From greeting to goodbye."""
        conversation = self.conversation
        try:
            exchange = conversation.begin("greeting")
            self.untagged(f"OK [CAPABILITY {self.capabilities()}] Sandbox IMAP ready")
            exchange.end("OK", "ready")
            while not self.closing:
                await self._turn()
            await conversation.flush()
        except TimedOut:
            await self._say_goodbye()
        except EndOfStream:
            pass  # gone without LOGOUT; what it sent is recorded
        finally:
            self.leave_mailbox()

    async def _turn(self) -> None:
        """Read one command and answer it."""
        self.exchange = None
        try:
            self.incoming = await read_incoming(self.conversation)
        except Unreadable as error:
            self.tag = tag_of(error.text)
            verb = verb_of(error.text)
            self.exchange = self.conversation.begin(verb if verb in TABLE else "unknown", "")
            await self._end(error.reply)
            return
        await self._obey(self.incoming.text)

    async def _obey(self, text: bytes) -> None:
        self.tag = tag_of(text)
        verb = verb_of(text)
        row = TABLE.get(verb) if self.tag != "*" else None
        if row is None:
            self.exchange = self.conversation.begin("unknown", show(text))
            if text.split(b" ", 1)[0].decode("latin-1").upper() in WEB:
                await self._end(bad("This is not a web server; goodbye")._replace(close=True))
                return
            if self.tag == "*":
                await self._end(bad("A command is a tag, a space and a verb: a1 NOOP"))
                return
            await self._end(bad("There is no such command here; CAPABILITY says what there is"))
            return
        cursor = Cursor(text, utf8=self.utf8)
        cursor.at = len(self.tag) + 1 + len(verb)
        self.exchange = self.conversation.begin(verb, shown(row, text[cursor.at:]))
        await self._end(await self._run(row, cursor), row)

    async def _run(self, row: Command, cursor: Cursor) -> Tagged:
        """Check a command, then do it. Returns the reply; never raises for what a client sent."""
        if self.state not in row.states:
            allowed = " or ".join(str(state.name) for state in State if state in row.states)
            return bad(f"{row.name} belongs to the {allowed} state; this is {self.state.name}".replace("_", " "))
        try:
            values = row.reads(cursor)
            if self.incoming.message is None:
                cursor.expect_end()
            return await row.run(self, *values)
        except GrammarError as error:
            return bad(error.sentence)
        except Refused as error:
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
            self.note("traceback", "".join(traceback.format_exception(error)))
            return no("Something went wrong in the sandbox; its journal says what", "SERVERBUG")

    async def _end(self, reply: Tagged, row: Command | None = None) -> None:
        """Everything that ends a command: news, the tagged line, the end of its exchange."""
        self.errors = self.errors + 1 if reply.outcome == "BAD" else 0
        if self.errors >= ERRORS and not reply.close:
            reply = reply._replace(close=True)
        if row is not None and not reply.close:
            await self.report(expunges=row.expunges)
        if reply.close and reply.outcome != "OK":
            self.untagged("BYE Too much of this; goodbye" if self.errors else "BYE Goodbye")
        self.conversation.write(reply.line(self.tag))
        self.closing = self.closing or reply.close
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            exchange.end(reply.outcome, reply.summary, reply.key)
        if reply.then is not None:
            await reply.then()

    async def _say_goodbye(self) -> None:
        exchange = self.exchange or self.conversation.begin("goodbye")
        try:
            self.untagged("BYE Nothing came from you for too long; goodbye")
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


def show(text: bytes) -> str:
    return LITERAL.sub(b"{...}", text[:SHOWN]).decode("utf-8", "backslashreplace").strip()


def shown(row: Command, arguments: bytes) -> str:
    """A command's arguments as its exchange names them: never a password."""
    text = show(arguments)
    if row.secret < 0:
        return text
    words = text.split(" ")
    return " ".join([*words[:row.secret], MASK] if len(words) > row.secret else words)


def serve(context: Context) -> Service:
    """Build the service of `context.role`: imap or imaps."""
    settings = context.config.mail
    domains = [domain.name for domain in context.world.domains]
    store = context.world.open_mail(settings.durability, settings.quota)
    mailboxes = Mailboxes(
        accounts=context.world.accounts.get, store=store, library=Library(store),
        hostname=f"mail.{domains[0]}" if domains else "mail.sandbox.test", upgrade=context.role.tls is Tls.UPGRADE,
        require_tls=settings.require_tls, size=settings.size)

    async def session(conversation: Conversation) -> None:
        await Imap(conversation, mailboxes).run()

    return Service(session=session, busy=b"* BYE [UNAVAILABLE] Too many connections; try again later\r\n")

