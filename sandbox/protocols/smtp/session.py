"""An SMTP session in its three roles (RFC 5321): `smtp` takes mail for the world's people from anybody, `submission`
and `submissions` (RFC 6409, 8314) take mail from people who logged in, and queue it to be carried.

Extensions: SIZE (1870), PIPELINING (2920), 8BITMIME (6152), ENHANCEDSTATUSCODES (2034), STARTTLS (3207), DSN (3461),
AUTH (4954), SMTPUTF8 (6531), CHUNKING and BINARYMIME (3030).

Left out: SEND, SOML, SAML, TURN, which RFC 5321 §F retires; ETRN, ATRN: no server here fetches its mail.
"""

from __future__ import annotations

import enum
import sqlite3
from typing import ClassVar

import trio

from sandbox.protocols import sasl
from sandbox.protocols.contract.conversation import Conversation, EndOfStream
from sandbox.protocols.contract.facts import bounded, listed
from sandbox.protocols.lines.command import CLEAR_TEXT, BadArgument, Command, Refusal, Reply, command
from sandbox.protocols.lines.session import LineSession
from sandbox.protocols.sasl.base import Host
from sandbox.protocols.smtp import grammar, replies
from sandbox.protocols.smtp.data import DotReader, HeaderScan, chunk, chunk_size
from sandbox.protocols.smtp.delivering import places, report_success
from sandbox.protocols.smtp.envelope import CATCH_ALL, Envelope, Office, Recipient, received
from sandbox.protocols.smtp.message import Message
from sandbox.protocols.smtp.replies import say
from sandbox.protocols.threads import settled
from sandbox.world.mail import OverQuota

__all__ = ["Smtp", "State"]

PATH_LINE = 512 + 1024  # RFC 5321 §4.5.3.1.4 and what the extensions add: SIZE 26, SMTPUTF8 10, AUTH 500, DSN 500
AUTH_LINE = 12_288 + 2  # RFC 4954 §4
RECIPIENTS = 1000  # RFC 5321 §4.5.3.1.8: at least 100
EXTENSIONS = ("PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES", "BINARYMIME")
"""Those that no command of their own announces."""


class State(enum.Flag):
    """RFC 5321 §4.1.4. MAIL: a sender is known; RCPT: a recipient too; CHUNKS: part of the message has come."""

    START = enum.auto()
    READY = enum.auto()
    MAIL = enum.auto()
    RCPT = enum.auto()
    CHUNKS = enum.auto()


ANY = State.START | State.READY | State.MAIL | State.RCPT | State.CHUNKS


class Smtp(LineSession):
    """One client; one envelope at a time."""

    encoding = "utf-8"  # RFC 6531 §3.3; without SMTPUTF8 the grammar of paths refuses what is not ASCII
    refusals: ClassVar = replies.REFUSALS
    least_idle = 300.0  # RFC 5321 §4.5.3.2.7
    state: State

    def __init__(self, conversation: Conversation, office: Office) -> None:
        super().__init__(conversation)
        self.office = office
        self.state = State.START
        self.helo = ""
        self.extended = False
        self.account = ""
        self.envelope = Envelope(None, grammar.Parameters())
        self.message: Message | None = None

    def render(self, reply: Reply) -> bytes:
        return replies.render(reply)

    async def greet(self) -> Reply:
        return say(replies.GREETING, f"{self.office.hostname} ESMTP Sandbox")

    def not_now(self, row: object) -> str:
        """RFC 5321 §4.1.4: what has to come first."""
        return {State.START: "Say EHLO first", State.READY: "Say MAIL first", State.MAIL: "Say RCPT first",
                State.RCPT: "There is a message under way; RSET drops it",
                State.CHUNKS: "The message goes on; send BDAT or RSET"}[self.state]

    def who(self) -> str:
        return self.account

    def leave(self) -> None:
        if self.message is not None:
            self.message.spool.discard()

    # RFC 5321 §4.1.1.1

    @command("EHLO", states=ANY, args="domain...", rfc="5321 §4.1.1.1")
    async def hello(self, domain: str) -> Reply:
        """Say who you are, and hear what this server can do."""
        await self.begin_again(domain, extended=True)
        return say(replies.HELLO, f"{self.office.hostname} greets you", *self.extensions())

    @command("HELO", states=ANY, args="domain...", rfc="5321 §4.1.1.1")
    async def old_hello(self, domain: str) -> Reply:
        """Say who you are, as before there were extensions."""
        await self.begin_again(domain, extended=False)
        return say(replies.HELLO, self.office.hostname)

    async def begin_again(self, domain: str, *, extended: bool) -> None:
        await self.drop()
        self.helo, self.extended, self.state = domain.strip(), extended, State.READY

    def extensions(self) -> list[str]:
        """RFC 5321 §4.1.1.1; those of commands come from the table."""
        found = [f"SIZE {self.office.size}" if word == "SIZE" else word for word in (*EXTENSIONS, *self.offered())]
        if self.conversation.secure or not self.office.upgrade:
            found.remove("STARTTLS")
        mechanisms = self.mechanisms()
        found.remove("AUTH")
        return [*found, "AUTH " + " ".join(mechanisms)] if mechanisms else found

    # The transaction: RFC 5321 §4.1.1.2 to §4.1.1.4

    @command("MAIL", states=State.READY, args="path...", rfc="5321 §4.1.1.2", line=PATH_LINE)
    async def start_mail(self, path: str) -> Reply:
        """Begin a message and name its sender."""
        if self.office.submission and not self.account:
            if self.office.require_tls and not self.conversation.secure:
                return replies.TLS_REQUIRED
            return replies.AUTH_REQUIRED
        sender, parameters = grammar.parse_mail(path)
        if not self.extended and parameters != grammar.Parameters():
            raise BadArgument("Parameters need EHLO instead of HELO")
        if parameters.size > self.office.size:
            return say(replies.TOO_BIG, f"This server takes {self.office.size} octets at most")
        if self.office.submission and sender is not None and self.office.is_local(sender.domain):
            owner = self.office.find(sender)
            if owner is not None and owner.login != self.account:
                return say(replies.NOT_YOURS, f"You are {self.account}, and that address is {owner.login}'s")
        self.envelope = Envelope(sender, parameters)
        self.state = State.MAIL
        return say(replies.SENDER_OK, f"Sender <{self.envelope.return_path}> OK")

    @command("RCPT", states=State.MAIL | State.RCPT, args="path...", rfc="5321 §4.1.1.3", line=PATH_LINE)
    def add_recipient(self, path: str) -> Reply:
        """Name one who shall get it."""
        if len(self.envelope.recipients) >= RECIPIENTS:
            return replies.TOO_MANY_RECIPIENTS
        mailbox, parameters = grammar.parse_rcpt(path, self.envelope.parameters.utf8)
        if not self.extended and parameters != grammar.Parameters():
            raise BadArgument("Parameters need EHLO instead of HELO")
        account, reply = "", say(replies.RECIPIENT_OK, f"Recipient <{mailbox}> OK")
        if self.office.submission and mailbox.domain:
            pass  # the queue carries it: whether there is such a mailbox is for the other server to say
        else:
            account, refusal = self.find_mailbox(mailbox)
            if refusal is not None:
                return refusal
            if account == CATCH_ALL:
                reply = say(replies.CAPTURED, f"Mail for <{mailbox}> is captured here; it goes nowhere else")
        self.envelope.recipients.append(Recipient(mailbox, parameters, account))
        self.state = State.RCPT
        return reply

    def find_mailbox(self, mailbox: grammar.Mailbox) -> tuple[str, Reply | None]:
        """Whose mailbox an address is; or why there is none."""
        here = self.conversation.server.host  # RFC 5321 §4.1.3: user@[address] is local where the address is ours
        literal = mailbox.domain.lower() in (f"[{here}]", f"[ipv6:{here}]")
        if not literal and not self.office.is_local(mailbox.domain):
            return CATCH_ALL, None if self.office.catch_all else replies.NO_RELAY
        found = self.office.find(mailbox)
        if found is None and mailbox.local.lower() != "postmaster":  # RFC 5321 §4.5.1: there always is a postmaster
            return "", say(replies.NO_MAILBOX, f"There is no <{mailbox}> here")
        account = found.login if found is not None else CATCH_ALL
        # One row, which is in memory and which nobody can lock: to look takes less than the way to a thread would.
        used, quota = self.office.store.usage(account)
        if quota and used + self.envelope.parameters.size > quota:
            return "", say(replies.MAILBOX_FULL, f"The mailbox of {account} is full")
        return account, None

    @command("DATA", states=State.MAIL | State.RCPT, rfc="5321 §4.1.1.4")
    def send_data(self) -> Reply:
        """Send the message; a line with only a dot ends it."""
        if not self.envelope.recipients:
            return replies.NO_RECIPIENTS
        if self.envelope.parameters.body == "BINARYMIME":
            return say(replies.BAD_SEQUENCE, "BINARYMIME is sent with BDAT, not DATA")  # RFC 3030 §3
        if self.line_end == b"\n":  # whoever cannot send CRLF cannot end a message either, and would wait for ever
            return say(replies.BARE_LINE_END, "End lines with CR and LF; with nc that is nc -C")
        return Reply("354", replies.START_MAIL.lines,
                     then=lambda: self.answer_again("message", "", self.take_data))

    async def take_data(self) -> Reply:
        message = self.message = Message(self.office)
        reader, conversation = DotReader(), self.conversation
        while not reader.ended:
            if not conversation.buffer and not await conversation.fill():
                raise EndOfStream
            data = conversation.take(len(conversation.buffer))
            text, used = reader.feed(data)
            if used < len(data):
                conversation.untake(data[used:])
            await message.add(text)
        if (reply := await self.scripted()) is not None:
            await self.drop()
            return reply
        return await self.accept()

    @command("BDAT", states=ANY, args="size [last]", rfc="3030 §2", offers="CHUNKING")
    async def send_chunk(self, size: str, last: str = "") -> Reply:
        """Send a chunk of the message, by its length; LAST ends the message."""
        octets = chunk_size(size)
        if octets is None or last.upper() not in ("", "LAST"):
            # Where the chunk ends is not known, so what comes next cannot be told from its text.
            return self.refuse(Refusal.SYNTAX, "Usage: BDAT size [LAST]; goodbye", close=True)
        ready = self.state in State.RCPT | State.CHUNKS
        message = self.message
        if ready and message is None:
            message = self.message = Message(self.office)
        async for piece in chunk(self.conversation, octets):  # also when it is refused (RFC 3030 §2)
            if ready and message is not None:
                await message.add(piece)
        if not ready:
            return replies.NO_RECIPIENTS if self.state is State.MAIL else replies.BAD_SEQUENCE
        self.state = State.CHUNKS
        if last:
            return await self.accept()
        return say(replies.CHUNK_OK, f"{size} octets received")

    async def pass_over(self, row: Command, text: str) -> None:
        if row.name == "BDAT" and (size := chunk_size(text.partition(" ")[0])) is not None:
            async for _ in chunk(self.conversation, size):
                pass

    async def accept(self) -> Reply:
        """The message is whole: keep it, and only then say so."""
        message, envelope = self.message, self.envelope
        assert message is not None
        self.note("sender", bounded(envelope.return_path))
        self.note("recipients", listed(str(recipient.mailbox) for recipient in envelope.recipients))
        try:
            if refusal := message.refusal(binary=envelope.parameters.body == "BINARYMIME"):
                return refusal
            await message.seal()
            head = self.trace(message.scan)
            utf8 = envelope.parameters.utf8 and not (head.isascii() and message.scan.is_ascii())
            deliveries, outbound = places(envelope)
            stored = await settled(self.office.store.store(head, message.spool, deliveries, outbound, utf8=utf8,
                                                           origin=self.exchange or 0))
        except OverQuota as full:
            return say(replies.MAILBOX_FULL, f"The mailbox of {full.accounts[0]} is full")
        except (OSError, sqlite3.Error):
            return replies.NO_SPACE
        finally:
            await self.drop()
        self.note("message", str(stored.content))
        if message_id := HeaderScan.of(head).message_id or message.scan.message_id:
            self.note("message-id", bounded(message_id))
        try:
            await report_success(self.office, envelope, stored.content, self.exchange or 0)
        except (KeyError, OSError, sqlite3.Error) as error:  # told of it, the client would send it all again
            self.note("report", f"could not be made: {error!r}")
        return say(replies.ACCEPTED, f"Accepted as {stored.content}")

    def trace(self, scan: HeaderScan) -> bytes:
        """What goes before the message: Return-Path where it ends, Received, and what a submission lacked."""
        utf8 = "UTF8" if self.envelope.parameters.utf8 else "E" if self.extended else ""
        protocol = f"{utf8}SMTP{'S' if self.conversation.secure else ''}{'A' if self.account else ''}"  # RFC 3848
        recipients = self.envelope.recipients
        head = received(self.helo, self.conversation.client.host, self.office.hostname, protocol,
                        str(recipients[0].mailbox) if len(recipients) == 1 else "").encode("utf-8")
        if self.office.submission:
            return head + scan.fixes(self.office.hostname) + scan.gap
        return f"Return-Path: <{self.envelope.return_path}>\r\n".encode() + head + scan.gap

    async def drop(self) -> None:
        """No transaction any more."""
        if self.message is not None:
            message, self.message = self.message, None
            if message.spool.must_seal:
                await trio.to_thread.run_sync(message.spool.discard)
        self.envelope = Envelope(None, grammar.Parameters())
        if self.state is not State.START:
            self.state = State.READY

    # RFC 5321 §4.1.1.5 to §4.1.1.10

    @command("RSET", states=ANY, rfc="5321 §4.1.1.5")
    async def reset(self) -> Reply:
        """Drop the message under way."""
        await self.drop()
        return replies.OK

    @command("VRFY", states=ANY, args="name...", rfc="5321 §4.1.1.6", offers="VRFY")
    def verify(self, name: str) -> Reply:
        """Ask whether there is such a mailbox."""
        account = self.office.accounts(name.strip().strip("<>").removesuffix(" SMTPUTF8"))
        if account is None:
            return replies.NO_MAILBOX
        return say(replies.MAILBOX, f"<{account.login}@{min(self.office.domains, default=self.office.hostname)}>")

    @command("EXPN", states=ANY, args="name...", rfc="5321 §4.1.1.7", offers="EXPN")
    def expand(self, name: str) -> Reply:
        """Ask who is on a mailing list; here each name is a list of one."""
        return self.verify(name)

    @command("HELP", states=ANY, args="[topic]", rfc="5321 §4.1.1.8", offers="HELP")
    def help(self, topic: str = "") -> Reply:
        """List the commands, or explain one."""
        row = self.commands.get(topic.upper())
        if row is not None:
            return say(replies.HELP, row.usage, row.help, f"RFC {row.rfc}")
        return say(replies.HELP, *(f"{row.name:9}{row.help}" for row in self.commands.values()))

    @command("NOOP", states=ANY, args="[text...]", rfc="5321 §4.1.1.9")
    def do_nothing(self, text: str = "") -> Reply:
        """Do nothing; show that the connection lives."""
        return replies.OK

    @command("QUIT", states=ANY, rfc="5321 §4.1.1.10")
    def quit(self) -> Reply:
        """Leave."""
        return replies.GOODBYE

    # RFC 3207 and RFC 4954

    @command("STARTTLS", states=ANY, rfc="3207 §4", offers="STARTTLS")
    def start_tls(self) -> Reply:
        """Encrypt from here on."""
        if self.conversation.secure:
            return say(replies.BAD_SEQUENCE, "This connection is encrypted already")
        if not self.office.upgrade:
            return replies.NO_TLS_NOW
        return Reply("220", replies.TLS_GO_AHEAD.lines, replies.TLS_GO_AHEAD.enhanced, then=self.begin_tls)

    async def begin_tls(self) -> None:
        """RFC 3207 §4.2: forget all that was learned in clear text."""
        await self.conversation.start_tls()
        await self.drop()
        self.state, self.helo, self.account = State.START, "", ""

    @command("AUTH", states=State.READY, args="mechanism [initial]", rfc="4954 §4", secret=1, offers="AUTH",
             line=AUTH_LINE)
    async def authenticate(self, mechanism: str, initial: str | None = None) -> Reply:
        """Log in."""
        if not self.office.submission:
            return say(replies.BAD_SEQUENCE,
                       "Nobody logs in here, where servers bring mail; the port for people is 587, submission")
        if self.account:
            return say(replies.BAD_SEQUENCE, f"You are logged in as {self.account} already")
        name = mechanism.upper()
        if name not in self.mechanisms():
            refused = name in sasl.MECHANISMS and sasl.MECHANISMS[name].plaintext
            return replies.PLAINTEXT_REFUSED if refused else replies.NO_MECHANISM
        bindings = sasl.bindings(self.conversation, wanted=self.office.channel_binding)
        attempt = sasl.MECHANISMS[name](Host(self.office.accounts, self.office.hostname, bindings))
        if attempt.plaintext and not self.conversation.secure:
            self.note("warning", CLEAR_TEXT)
        try:
            self.account = await sasl.authenticate(
                self.conversation, attempt, initial.encode() if initial else None,
                lambda challenge: b"334 " + challenge + b"\r\n")
        except sasl.SaslError as error:
            if attempt.plaintext and error.heard:
                self.note("secret", attempt.secret)
            return {sasl.Reason.CANCELLED: replies.CANCELLED, sasl.Reason.CREDENTIALS: replies.AUTH_FAILED,
                    sasl.Reason.IDENTITY: say(replies.AUTH_FAILED, error.reason.value.capitalize()),
                    sasl.Reason.BINDING: say(replies.AUTH_FAILED, error.reason.value.capitalize()),
                    }.get(error.reason, say(replies.AUTH_MALFORMED, error.reason.value.capitalize()))
        if attempt.plaintext:
            self.note("secret", attempt.secret)
        self.note("account", self.account)
        return say(replies.AUTHENTICATED, f"Welcome, {self.account}")

    def mechanisms(self) -> list[str]:
        if not self.office.submission:
            return []
        return sasl.offered(plaintext=self.conversation.secure or not self.office.require_tls,
                            bindings=sasl.bindings(self.conversation, wanted=self.office.channel_binding))
