"""A POP3 session (RFC 1939), with CAPA and response codes (2449), STLS (2595), AUTH (5034), login codes (3206), and
UTF8 and LANG (6856).

Left out: LOGIN-DELAY and EXPIRE with a number of days (2449 §6.4, §6.7): nothing is ever slow or thrown away here;
the downgraded messages of RFC 6857: a message that needs UTF8 is refused with [UTF8] to a client that did not ask
for it, as RFC 6856 §7 allows.
"""

from __future__ import annotations

import enum
import hashlib
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import ClassVar

import trio

from sandbox.protocols import sasl
from sandbox.protocols.contract.conversation import Conversation
from sandbox.protocols.lines.command import CLEAR_TEXT, Refusal, Reply, command
from sandbox.protocols.lines.session import LineSession
from sandbox.protocols.pop3 import grammar
from sandbox.protocols.pop3.bodies import Stuffed, whole_body
from sandbox.protocols.sasl.base import Account, Accounts, Host, same
from sandbox.protocols.threads import Pieces, settled
from sandbox.world.mail import Item, MailStore

__all__ = ["Maildrops", "Pop3", "State"]

LINE = 255      # RFC 2449 §4: octets of a command line with CRLF
AUTH_LINE = 12_288 + 2  # RFC 5034 §4: of one with an initial response
AHEAD = 32            # messages read at once, and
AHEAD_OCTETS = 65_536  # how much of them a session may hold
LANGUAGES = {"en": "English", "i-default": "English"}  # RFC 6856 §3.1 wants i-default known

FIXED_CAPABILITIES = ("RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER", "IMPLEMENTATION Sandbox")
CODES = frozenset({"AUTH", "IN-USE", "SYS/PERM", "SYS/TEMP", "UTF8"})
"""The response codes that can stand after -ERR."""


class State(enum.Flag):
    """RFC 1939 §3. The UPDATE state is what QUIT does."""

    AUTHORIZATION = enum.auto()
    TRANSACTION = enum.auto()


ANY = State.AUTHORIZATION | State.TRANSACTION


@dataclass(frozen=True, slots=True)
class Maildrops:
    """What a POP3 service is built on.

    accounts: finds who may log in; hostname: the server's own name; upgrade: whether STLS is offered; require_tls:
    whether passwords may only be sent over TLS; channel_binding: whether logins may be tied to their TLS connection.
    """

    accounts: Accounts
    store: MailStore
    hostname: str = "mail.example.com"
    upgrade: bool = False
    require_tls: bool = False
    channel_binding: bool = False


def ok(text: str, body: bytes | AsyncIterator[bytes] = b"") -> Reply:
    return Reply("+OK", (text,), body=body)


def err(text: str, code: str = "") -> Reply:
    assert not code or code in CODES
    return Reply("-ERR", (text,), code)


NEEDS_UTF8 = err("This message's header is in UTF-8; send UTF8 before you log in", "UTF8")


class Pop3(LineSession):
    """One client and one maildrop."""

    line_limit = LINE
    least_idle = 600.0  # RFC 1939 §3
    encoding = "utf-8"  # RFC 6856 §2.2 for names and passwords; everything else is ASCII by its own grammar
    help_command = "CAPA"
    enhanced_kind = "code"
    arguments: ClassVar = {"msg": grammar.message_number, "n": grammar.number}
    refusals: ClassVar = {
        **dict.fromkeys(Refusal, ("-ERR", "")),
        Refusal.BROKEN: ("-ERR", "SYS/TEMP"),
    }
    del refusals[Refusal.IDLE]  # RFC 1939 §3: a time-out closes without a word, and without the UPDATE state

    def __init__(self, conversation: Conversation, maildrops: Maildrops) -> None:
        super().__init__(conversation)
        self.maildrops = maildrops
        self.state: State = State.AUTHORIZATION
        self.timestamp = f"<{os.getpid()}.{time.time_ns()}.{secrets.token_hex(4)}@{maildrops.hostname}>"
        self.user = ""
        self.utf8 = False
        self.account = ""
        self.folder = 0
        self.validity = 0
        self.items: list[Item] = []
        self.deleted: set[int] = set()
        self.ahead: dict[int, tuple[bytes, bool]] = {}
        """Messages read before they are asked for, by content number."""

    def render(self, reply: Reply) -> bytes:
        return grammar.render(reply)

    async def greet(self) -> Reply:
        """RFC 1939 §4; with the timestamp that APOP needs (§7)."""
        return ok(f"POP3 sandbox ready {self.timestamp}")

    def who(self) -> str:
        return self.account

    def leave(self) -> None:
        if self.account:
            self.maildrops.store.release_maildrop(self.account)

    # The AUTHORIZATION state, RFC 1939 §4 and §7

    @command("USER", states=State.AUTHORIZATION, args="name...", rfc="1939 §7", offers="USER")
    def name_user(self, name: str) -> Reply:
        """Say whose mail is wanted; PASS follows."""
        if refusal := self.check_plaintext():
            return refusal
        self.user = name
        return ok("Now send PASS")  # the same whether or not there is such a person

    @command("PASS", states=State.AUTHORIZATION, args="password...", rfc="1939 §7", secret=0)
    async def give_password(self, password: str) -> Reply:
        """Give the password for the name sent with USER."""
        if refusal := self.check_plaintext():
            return refusal
        if not self.user:
            return err("Send USER first")
        name, self.user = self.user, ""
        account = self.maildrops.accounts(name)
        right = same(account.password if account else "", password)
        return await self.enter(account if right else None)

    @command("APOP", states=State.AUTHORIZATION, args="name digest", rfc="1939 §7")
    async def prove_by_digest(self, name: str, digest: str) -> Reply:
        """Log in with the MD5 of the greeting's timestamp and the password."""
        account = self.maildrops.accounts(name)
        text = self.timestamp + (account.password if account else "")
        right = same(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(), digest)
        return await self.enter(account if right else None)

    @command("AUTH", states=State.AUTHORIZATION, args="[mechanism] [initial]", rfc="5034 §4", secret=1,
             line=AUTH_LINE)
    async def authenticate(self, mechanism: str = "", initial: str | None = None) -> Reply:
        """Log in with a SASL mechanism."""
        if not mechanism:  # what clients older than CAPA ask
            return ok("Mechanisms follow", grammar.multi_line(self.mechanisms()))
        name = mechanism.upper()
        if name not in self.mechanisms():
            if name in sasl.MECHANISMS and (refusal := self.check_plaintext()):
                return refusal
            return err("There is no such mechanism here; CAPA lists them")
        host = Host(self.maildrops.accounts, self.maildrops.hostname, self.bindings())
        attempt = sasl.MECHANISMS[name](host)
        if attempt.plaintext and not self.conversation.secure:
            self.note("warning", CLEAR_TEXT)
        try:
            login = await sasl.authenticate(self.conversation, attempt, initial.encode() if initial else None,
                                            lambda challenge: b"+ " + challenge + b"\r\n")
        except sasl.SaslError as error:
            if error.heard:
                if attempt.plaintext:
                    self.note("secret", attempt.secret)
                return await self.enter(None)
            return err(error.reason.value.capitalize())
        if attempt.plaintext:
            self.note("secret", attempt.secret)
        return await self.enter(self.maildrops.accounts(login))

    async def enter(self, account: Account | None) -> Reply:
        """Open the maildrop, for this session alone (RFC 1939 §8), or say why not."""
        if account is None:
            return err("Wrong name or password", "AUTH")  # RFC 3206 §4
        login, store = account.login, self.maildrops.store
        self.note("account", login)
        if not store.lock_maildrop(login):
            return err("Another session has this maildrop open", "IN-USE")
        self.account = login  # from here on `leave` gives the lock back
        await settled(store.require_account(login))
        folder = await trio.to_thread.run_sync(store.find_folder, login)
        self.items = await trio.to_thread.run_sync(store.items, folder.id)
        self.folder, self.validity = folder.id, folder.uidvalidity
        self.state = State.TRANSACTION
        return ok(f"{login}'s maildrop has {len(self.items)} messages")

    @command("STLS", states=State.AUTHORIZATION, rfc="2595 §4", offers="STLS")
    def start_tls(self) -> Reply:
        """Encrypt from here on."""
        if self.conversation.secure:
            return err("This connection is encrypted already")
        if not self.maildrops.upgrade:
            return err("There is no TLS on this service")
        if self.utf8:
            return err("STLS comes before UTF8")  # RFC 6856 §2.1
        self.user = ""  # RFC 2595 §4: forget what was learned in clear text
        return Reply("+OK", ("Begin TLS",), then=self.conversation.start_tls)

    @command("UTF8", states=State.AUTHORIZATION, rfc="6856 §2.1", offers="UTF8 USER")
    def use_utf8(self) -> Reply:
        """Allow messages with UTF-8 in their header."""
        self.utf8 = True
        return ok("UTF-8 from here on")

    # Either state

    @command("CAPA", states=ANY, rfc="2449 §5")
    def list_capabilities(self) -> Reply:
        """List what this server can do."""
        return ok("Capabilities follow", grammar.multi_line(self.capabilities()))

    def capabilities(self) -> list[str]:
        """RFC 2449 §6; those of commands come from the table."""
        commands = self.offered()
        if self.conversation.secure or not self.maildrops.upgrade:
            commands.remove("STLS")
        if not self.plaintext:
            commands.remove("USER")
        return [*commands, "SASL " + " ".join(self.mechanisms()), *FIXED_CAPABILITIES]

    @command("LANG", states=ANY, args="[tag]", rfc="6856 §3", offers="LANG")
    def use_language(self, tag: str = "") -> Reply:
        """List the languages of the replies, or choose one."""
        if not tag:
            return ok("Languages follow", grammar.multi_line(f"{key} {name}" for key, name in LANGUAGES.items()))
        chosen = "en" if tag == "*" else tag.lower()
        if chosen not in LANGUAGES:
            return err("The replies come in English only")
        return ok(f"{chosen} English it is")

    @command("NOOP", states=State.TRANSACTION, rfc="1939 §5")
    def do_nothing(self) -> Reply:
        """Do nothing; show that the connection lives."""
        return ok("Still here")

    @command("QUIT", states=ANY, rfc="1939 §4, §6")
    async def quit(self) -> Reply:
        """Remove what was marked as deleted, and leave."""
        if self.deleted:  # the UPDATE state, the only place where mail is removed
            uids = [self.items[msg - 1].uid for msg in sorted(self.deleted)]
            try:
                await settled(self.maildrops.store.expunge(self.folder, uids))
            except Exception:  # a full or broken disk: all of them are still there
                self.closing = True
                raise
        return Reply("+OK", (f"Goodbye; {len(self.deleted)} removed" if self.deleted else "Goodbye",), close=True)

    # The TRANSACTION state, RFC 1939 §5 and §7

    @command("STAT", states=State.TRANSACTION, rfc="1939 §5")
    def count(self) -> Reply:
        """Count the messages and their octets."""
        sizes = [item.size for msg, item in enumerate(self.items, 1) if msg not in self.deleted]
        return ok(f"{len(sizes)} {sum(sizes)}")

    @command("LIST", states=State.TRANSACTION, args="[msg]", rfc="1939 §5")
    def list_sizes(self, msg: int = 0) -> Reply:
        """List the size of one message or of each."""
        if msg:
            return self.missing(msg) or ok(f"{msg} {self.items[msg - 1].size}")
        return ok("Sizes follow", grammar.multi_line(
            f"{msg} {item.size}" for msg, item in enumerate(self.items, 1) if msg not in self.deleted))

    @command("UIDL", states=State.TRANSACTION, args="[msg]", rfc="1939 §7", offers="UIDL")
    def list_unique_ids(self, msg: int = 0) -> Reply:
        """List the name that one message or each keeps between sessions."""
        if msg:
            return self.missing(msg) or ok(f"{msg} {self.unique_id(self.items[msg - 1])}")
        return ok("Unique ids follow", grammar.multi_line(
            f"{msg} {self.unique_id(item)}" for msg, item in enumerate(self.items, 1) if msg not in self.deleted))

    def unique_id(self, item: Item) -> str:
        return f"{self.validity:08x}{item.uid:08x}"

    @command("RETR", states=State.TRANSACTION, args="msg", rfc="1939 §5")
    async def retrieve(self, msg: int) -> Reply:
        """Send a whole message."""
        return await self.message(msg, None)

    @command("TOP", states=State.TRANSACTION, args="msg n", rfc="1939 §7", offers="TOP")
    async def show_top(self, msg: int, n: int) -> Reply:
        """Send a message's header and the first n lines of its body."""
        return await self.message(msg, n)

    async def message(self, msg: int, lines: int | None) -> Reply:
        if refusal := self.missing(msg):
            return refusal
        item, store = self.items[msg - 1], self.maildrops.store
        whole = await self.small(msg) if lines is None else None
        if whole is not None:
            text, needs_utf8 = whole
            if needs_utf8 and not self.utf8:
                return NEEDS_UTF8
            return self.found(item, f"{item.size} octets", whole_body(text))

        def fetch() -> Iterator[bytes]:
            if not self.utf8 and store.needs_utf8(item.content):
                raise UnicodeError
            pieces = store.read(item.content)
            return pieces if lines is None else grammar.top(pieces, lines)

        source = Pieces(fetch)
        try:
            # The first pieces are fetched before +OK is said: a message can be gone by way of IMAP.
            first = await anext(source, b"")
        except UnicodeError:
            return NEEDS_UTF8
        except KeyError:
            return err("That message was removed by another session", "SYS/PERM")
        return self.found(item, f"{item.size} octets" if lines is None else "Top of the message",
                          Stuffed(first, source))

    def found(self, item: Item, text: str, body: bytes | AsyncIterator[bytes]) -> Reply:
        return ok(text, body)

    async def small(self, msg: int) -> tuple[bytes, bool] | None:
        """A whole message that is small, and whether it needs UTF8; None for one that is large, or gone.

        Clients fetch one after the other, so a visit to the store's thread brings the next ones too.
        """
        item = self.items[msg - 1]
        if item.size > AHEAD_OCTETS:
            return None
        if item.content not in self.ahead:
            wanted, octets = [], 0
            for number, other in enumerate(self.items[msg - 1:msg - 1 + AHEAD], msg):
                if number not in self.deleted and octets + other.size <= AHEAD_OCTETS:
                    wanted.append(other.content)
                    octets += other.size
            self.ahead = await trio.to_thread.run_sync(self.maildrops.store.read_small, wanted)
        return self.ahead.pop(item.content, None)

    @command("DELE", states=State.TRANSACTION, args="msg", rfc="1939 §5")
    def mark_deleted(self, msg: int) -> Reply:
        """Mark a message as deleted; QUIT removes it."""
        if refusal := self.missing(msg):
            return refusal
        self.deleted.add(msg)
        return ok(f"Message {msg} will be removed at QUIT")

    @command("RSET", states=State.TRANSACTION, rfc="1939 §5")
    def unmark(self) -> Reply:
        """Take back every mark of deletion."""
        self.deleted.clear()
        return ok(f"{len(self.items)} messages, none marked")

    def missing(self, msg: int) -> Reply | None:
        """The refusal for a message number that is not in use, else None."""
        if msg > len(self.items):
            return err(f"There are only {len(self.items)} messages here")
        if msg in self.deleted:
            return err(f"Message {msg} is marked as deleted")
        self.note("message", str(self.items[msg - 1].content))
        return None

    # Passwords in clear text

    @property
    def plaintext(self) -> bool:
        return self.conversation.secure or not self.maildrops.require_tls

    def check_plaintext(self) -> Reply | None:
        return None if self.plaintext else err("Encrypt first: send STLS, or use the TLS port")

    def mechanisms(self) -> list[str]:
        return sasl.offered(plaintext=self.plaintext, bindings=self.bindings())

    def bindings(self) -> dict[str, bytes]:
        return sasl.bindings(self.conversation, wanted=self.maildrops.channel_binding)
