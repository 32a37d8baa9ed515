"""An IMAP session (RFC 9051, and 3501 for clients that do not enable the newer one).

Here is what is known of one client, for all commands, which are in `commands/`; `dialogue.py` reads and answers them.
Extensions: LITERAL+ (7888), SASL-IR (4959), ID (2971), ENABLE (5161), IDLE (2177), NAMESPACE (2342), UIDPLUS (4315),
UNSELECT (3691), CHILDREN (3348), LIST-EXTENDED (5258), LIST-STATUS (5819), SPECIAL-USE (6154), MOVE (6851), ESEARCH
(4731), SEARCHRES (5182), WITHIN (5032), SORT and THREAD (5256), CONDSTORE and QRESYNC (7162), STATUS=SIZE (8438),
MULTIAPPEND (3502), BINARY (3516), QUOTA (9208), APPENDLIMIT (7889), UTF8=ACCEPT (6855), COMPRESS=DEFLATE (4978),
ESORT and CONTEXT (5267), SORT=DISPLAY (5957), PARTIAL (9394), OBJECTID (8474), CATENATE (4469), NOTIFY (5465). Left
out: see README.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import trio

from sandbox.protocols import sasl
from sandbox.protocols.contract.conversation import Conversation, OpenExchange
from sandbox.protocols.contract.facts import listed
from sandbox.protocols.imap.contexts import Context
from sandbox.protocols.imap.library import Library
from sandbox.protocols.imap.notifier import Notifier
from sandbox.protocols.imap.reading import Incoming
from sandbox.protocols.imap.replies import Tagged
from sandbox.protocols.imap.table import State
from sandbox.protocols.imap.view import View
from sandbox.protocols.sasl.base import Accounts
from sandbox.world.mail import Folder, MailStore

__all__ = ["CAPABILITIES", "Imap", "Mailboxes"]

CAPABILITIES = (
    "IMAP4rev1", "IMAP4rev2", "LITERAL+", "SASL-IR", "ENABLE", "ID", "IDLE", "NAMESPACE", "UIDPLUS", "UNSELECT",
    "CHILDREN", "LIST-EXTENDED", "LIST-STATUS", "SPECIAL-USE", "CREATE-SPECIAL-USE", "MOVE", "ESEARCH", "SEARCHRES",
    "WITHIN", "SORT", "SORT=DISPLAY", "ESORT", "CONTEXT=SEARCH", "CONTEXT=SORT", "PARTIAL", "OBJECTID", "CATENATE",
    "URL-PARTIAL", "NOTIFY", "THREAD=ORDEREDSUBJECT", "THREAD=REFERENCES", "CONDSTORE", "QRESYNC", "STATUS=SIZE",
    "MULTIAPPEND", "BINARY", "QUOTA", "QUOTA=RES-STORAGE", "UTF8=ACCEPT",
)


@dataclass(frozen=True, slots=True)
class Mailboxes:
    """What an IMAP service is built on.

    accounts: finds who may log in; hostname: the server's own name; upgrade: whether STARTTLS is offered;
    require_tls: whether passwords may only be sent over TLS; channel_binding: whether logins may be tied to their TLS
    connection; size: octets of one message.
    """

    accounts: Accounts
    store: MailStore
    library: Library
    hostname: str = "mail.example.com"
    upgrade: bool = False
    require_tls: bool = False
    channel_binding: bool = False
    size: int = 104_857_600


class Imap:
    """One client. enabled: what it switched on with ENABLE, or by using it; view: the selected mailbox; contexts:
    results in it that are kept up to date, by the tags of the searches; notifier: what NOTIFY asked for."""

    __slots__ = ("account", "compressed", "contexts", "conversation", "enabled", "exchange", "incoming", "mailboxes",
                 "notifier", "store", "tag", "view")

    def __init__(self, conversation: Conversation, mailboxes: Mailboxes) -> None:
        self.conversation = conversation
        self.mailboxes = mailboxes
        self.store = mailboxes.store
        self.account = ""
        self.view: View | None = None
        self.contexts: dict[str, Context] = {}
        self.notifier: Notifier | None = None
        self.enabled: frozenset[str] = frozenset()
        self.exchange: OpenExchange | None = None
        self.incoming = Incoming(b"")
        self.tag = "*"
        self.compressed = False

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

    # The door: what the client hears goes through these, but for its literals' and its login's "go on".

    def say(self, reply: Tagged, tag: str = "") -> None:
        """How a command ended."""
        self.conversation.write(reply.line(tag or self.tag))

    def go_ahead(self, text: str = "Go ahead") -> None:
        """RFC 9051 §7.6: the client may send the rest."""
        self.conversation.write(f"+ {text}\r\n".encode())

    async def send(self, data: bytes) -> None:
        """Untagged data as it stands on the wire, or a piece of it; waits when much is queued."""
        await self.conversation.send(data)

    def untagged(self, line: str | bytes) -> None:
        """One line of untagged data."""
        data = line.encode() if isinstance(line, str) else line
        self.conversation.write(b"* " + data + b"\r\n")

    def note(self, name: str, value: str) -> None:
        if self.exchange is not None:
            self.exchange.note(name, value)

    @property
    def known(self) -> dict[str, str] | None:
        """The facts that every exchange of this client begins with."""
        return {"account": self.account} if self.account else None

    def note_messages(self, contents: Iterable[int]) -> None:
        """Say which messages the command under way is about; of many, the first ones."""
        if self.exchange is not None and (found := listed(map(str, contents))):
            self.exchange.note("message", found)

    async def find_folder(self, name: str) -> Folder:
        """Raises NoSuchFolder."""
        return await trio.to_thread.run_sync(self.store.find_folder, self.account, name)

    def stop_notices(self) -> None:
        if self.notifier is not None:
            self.notifier.stop()
            self.notifier = None

    def leave_mailbox(self) -> None:
        if self.view is not None:
            self.view.stop()
            self.view = None
            self.contexts.clear()

    @property
    def plaintext(self) -> bool:
        """Whether a password may be shown on this channel."""
        return self.conversation.secure or not self.mailboxes.require_tls

    @property
    def bindings(self) -> dict[str, bytes]:
        """What a login can be tied to this TLS connection by."""
        return sasl.bindings(self.conversation, wanted=self.mailboxes.channel_binding)

    def capabilities(self) -> str:
        words = [*CAPABILITIES, f"APPENDLIMIT={self.mailboxes.size}"]
        if not self.compressed:
            words.append("COMPRESS=DEFLATE")
        if not self.account:
            if self.mailboxes.upgrade and not self.conversation.secure:
                words.append("STARTTLS")
            if not self.plaintext:
                words.append("LOGINDISABLED")
            words += [f"AUTH={name}" for name in sasl.offered(plaintext=self.plaintext, bindings=self.bindings)]
        return " ".join(words)
