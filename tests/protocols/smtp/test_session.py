"""SMTP sessions as transcripts, in the roles of a mail exchanger and of a submission server."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from sandbox.protocols.smtp import session as smtp_session
from sandbox.protocols.smtp.bounce import Facts
from sandbox.protocols.smtp.envelope import CATCH_ALL, Office, received
from sandbox.protocols.smtp.session import Smtp
from sandbox.world.mail import QUEUE, FolderChange, Item, MailStore
from tests.support.dialogue import Talk, dialogue


class Person(NamedTuple):
    login: str
    password: str


PEOPLE = {"alice": Person("alice", "wonderland"), "bob": Person("bob", "builder")}


def find(name: str) -> Person | None:
    return PEOPLE.get(name.removesuffix("@example.com").lower())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MailStore]:
    store = MailStore(tmp_path, durability="memory")
    yield store
    store.close()


@pytest.fixture
def office(store: MailStore) -> Office:
    return Office(find, store, frozenset({"example.com"}))


@pytest.fixture
def submission(office: Office) -> Office:
    return replace(office, submission=True, upgrade=True)


async def talk(office: Office, script: str, conversation: Talk | None = None) -> Talk:
    conversation = conversation or Talk("smtp")
    await dialogue(conversation, Smtp(conversation, office).run, script)
    return conversation


def mail(store: MailStore, account: str) -> list[bytes]:
    return [b"".join(store.read(item.content)) for item in items(store, account)]


def items(store: MailStore, account: str) -> list[Item]:
    return store.items(store.find_folder(account).id) if account in store.accounts() else []


HELLO = """
    S: 220 mail.example.com ESMTP Sandbox
    C: EHLO client.example
    S: 250-mail.example.com greets you
    S: 250-PIPELINING
    S: 250-SIZE 104857600
    S: 250-8BITMIME
    S: 250-SMTPUTF8
    S: 250-DSN
    S: 250-ENHANCEDSTATUSCODES
    S: 250-BINARYMIME
    S: 250-CHUNKING
    S: 250-VRFY
    S: 250-EXPN
    S: 250 HELP
"""
LETTER = """
    C: MAIL FROM:<carol@elsewhere.example>
    S: 250 2.1.0 Sender <carol@elsewhere.example> OK
    C: RCPT TO:<alice@example.com>
    S: 250 2.1.5 Recipient <alice@example.com> OK
"""
SEND = """
    C: DATA
    S: 354 Send the message; end it with a line that has only a dot
    C: Subject: hello
    C:
    C: ..dots
    C: .
    S: 250 2.0.0 Accepted as ...
"""


async def test_a_message_arrives_as_it_was_sent(office: Office, store: MailStore) -> None:
    talked = await talk(office, HELLO + LETTER + SEND + """
        C: QUIT
        S: 221 2.0.0 Goodbye
        S: <end>""")
    (text,) = mail(store, "alice")
    assert text.startswith(b"Return-Path: <carol@elsewhere.example>\r\n"
                           b"Received: from client.example ([127.0.0.1])\r\n"
                           b"\tby mail.example.com with ESMTP\r\n\tfor <alice@example.com>;\r\n\t")
    assert text.endswith(b"\r\nSubject: hello\r\n\r\n.dots\r\n")
    assert [(one.verb, one.outcome) for one in talked.exchanges] == [
        ("greeting", "220"), ("EHLO", "250"), ("MAIL", "250"), ("RCPT", "250"), ("DATA", "354"), ("message", "250"),
        ("QUIT", "221")]
    assert talked.exchanges[5].facts["message"] == str(items(store, "alice")[0].content)
    assert talked.exchanges[3].key == "", "the verb explains what went well"


async def test_several_recipients_share_a_copy_that_names_none(office: Office, store: MailStore) -> None:
    await talk(office, HELLO + LETTER + """
        C: RCPT TO:<BOB@EXAMPLE.COM>
        S: 250 2.1.5 ...
        C: RCPT TO:<bob+lists@example.com>
        S: 250 2.1.5 ...
        C: RCPT TO:<postmaster>
        S: 250 2.1.5 ...
        C: RCPT TO:<somebody@elsewhere.example>
        S: 250 2.1.5 Mail for <somebody@elsewhere.example> is captured here; it goes nowhere else
        C: RCPT TO:<nobody@example.com>
        S: 550 5.1.1 There is no <nobody@example.com> here""" + SEND)
    assert len({items(store, name)[0].content for name in ("alice", "bob", CATCH_ALL)}) == 1
    assert [item.recipient for item in items(store, CATCH_ALL)] == ["postmaster", "somebody@elsewhere.example"]
    assert len(items(store, "bob")) == 1
    assert b"\tfor <" not in mail(store, "alice")[0]


async def test_addresses_by_number_and_names_with_an_at_sign(office: Office, store: MailStore) -> None:
    await talk(office, HELLO + """
        C: MAIL FROM:<>
        S: 250 ...
        C: RCPT TO:<alice@[127.0.0.1]>
        S: 250 2.1.5 Recipient <alice@[127.0.0.1]> OK
        C: RCPT TO:<alice@[192.0.2.1]>
        S: 250 2.1.5 Mail for <alice@[192.0.2.1]> is captured here; it goes nowhere else
        C: RCPT TO:<"alice@example.com"@example.com>
        S: 550 5.1.1 There is no <"alice@example.com"@example.com> here""")


async def test_without_catch_all_nothing_is_relayed(office: Office) -> None:
    talked = await talk(replace(office, catch_all=False), HELLO + LETTER + """
        C: RCPT TO:<somebody@elsewhere.example>
        S: 550 5.7.1 This server takes no mail for that domain, and passes none on""")
    assert talked.exchanges[-1].key == "enhanced.5.7.1"


async def test_order_matters(office: Office) -> None:
    await talk(office, """
        S: 220 ...
        C: MAIL FROM:<>
        S: 503 5.5.1 Say EHLO first
        C: HELO client
        S: 250 mail.example.com
        C: RCPT TO:<alice@example.com>
        S: 503 5.5.1 Say MAIL first
        C: DATA
        S: 503 5.5.1 Say MAIL first
        C: MAIL FROM:<> SIZE=1
        S: 501 5.5.4 Parameters need EHLO instead of HELO
        C: MAIL FROM:<>
        S: 250 2.1.0 Sender <> OK
        C: MAIL FROM:<>
        S: 503 5.5.1 Say RCPT first
        C: DATA
        S: 554 5.5.1 No valid recipients
        C: RSET
        S: 250 2.0.0 OK
        C: MAIL FROM:<>
        S: 250 2.1.0 Sender <> OK
        C: EHLO again
        S: 250-mail.example.com greets you
        S: 250-...
        S: 250-...
        S: 250-...
        S: 250-...
        S: 250-...
        S: 250-...
        S: 250-...
        S: 250-...
        S: 250-...
        S: 250-...
        S: 250 HELP
        C: RCPT TO:<alice@example.com>
        S: 503 5.5.1 Say MAIL first""")


@pytest.mark.parametrize("inside", [
    r"a\nb", r"a\rb", r"a\n.\nMAIL FROM:<x@y.example>\r\nDATA", r"a\n.\r\nRSET", r"a\r.\r\nRSET", r"a\r\n.\nRSET",
])
async def test_nothing_can_be_smuggled(office: Office, store: MailStore, inside: str) -> None:
    """A message with a bare CR or LF is read to its true end, refused, and nothing inside it is obeyed."""
    await talk(office, HELLO + LETTER + rf"""
        C: DATA
        S: 354 ...
        C| {inside}\r\n.\r\n
        S: 550 5.6.11 The message has a bare CR or LF; lines end with both together
        C: NOOP
        S: 250 2.0.0 OK""")
    assert items(store, "alice") == []


async def test_a_nul_is_no_text(office: Office, store: MailStore) -> None:
    """IMAP could not give it back (RFC 9051 §4.3.1)."""
    await talk(office, HELLO + LETTER + r"""
        C: DATA
        S: 354 ...
        C| Subject: n\0l\r\n\r\na\0b\r\n.\r\n
        S: 554 5.6.1 The message has a NUL octet, ...
        C: MAIL FROM:<> BODY=BINARYMIME
        S: 250 ...
        C: RCPT TO:<alice@example.com>
        S: 250 ...
        C| BDAT 3 LAST\r\na\0b
        S: 554 5.6.1 ...
        C: NOOP
        S: 250 2.0.0 OK""")
    assert items(store, "alice") == []


async def test_whoever_cannot_send_crlf_is_told_before_the_message(office: Office) -> None:
    await talk(office, HELLO + LETTER + r"""
        C| DATA\n
        S: 550 5.6.11 End lines with CR and LF; with nc that is nc -C""")


async def test_pipelined_commands_after_the_message(office: Office, store: MailStore) -> None:
    conversation = Talk("smtp")
    conversation.feed(b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\na: b\r\n\r\n.\r\n"
                      b"MAIL FROM:<>\r\nRCPT TO:<bob@example.com>\r\nBDAT 6 LAST\r\na: b\r\nQUIT\r\n")
    await conversation.serve(Smtp(conversation, office).run)
    wire = b"".join([segment async for segment in conversation._from_session])
    assert wire.count(b"250 2.0.0 Accepted") == 2
    assert wire.endswith(b"221 2.0.0 Goodbye\r\n")
    assert mail(store, "alice")[0].endswith(b"a: b\r\n\r\n")
    assert mail(store, "bob")[0].endswith(b"a: b\r\n")


async def test_chunks(office: Office, store: MailStore) -> None:
    await talk(office, HELLO + r"""
        C: MAIL FROM:<> BODY=BINARYMIME
        S: 250 ...
        C| BDAT 4\r\nRSET
        S: 554 5.5.1 No valid recipients
        C: RCPT TO:<alice@example.com>
        S: 250 ...
        C: DATA
        S: 503 5.5.1 BINARYMIME is sent with BDAT, not DATA
        C| BDAT 10\r\na: b\r\n\r\n\n.
        S: 250 2.0.0 10 octets received
        C: MAIL FROM:<>
        S: 503 5.5.1 The message goes on; send BDAT or RSET
        C| BDAT 3\r\n\r\n.
        S: 250 2.0.0 3 octets received
        C: BDAT 0 LAST
        S: 250 2.0.0 Accepted as ...
        C| BDAT 6\r\nQUIT\r\n
        S: 503 5.5.1 Not now
        C: MAIL FROM:<>
        S: 250 ...
        C: RCPT TO:<alice@example.com>
        S: 250 ...
        C| BDAT 2 LAST\r\na\n
        S: 550 5.6.11 ...
        C: BDAT x
        S: 501 5.5.4 Usage: BDAT size [LAST]; goodbye
        S: <end>""")
    assert mail(store, "alice")[0].endswith(b"a: b\r\n\r\n\n.\r\n.")


async def test_a_connection_lost_in_the_message_leaves_nothing(office: Office, store: MailStore) -> None:
    conversation = Talk("smtp")
    conversation.feed(b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\n" + b"x" * 600_000)
    conversation.hang_up()
    await conversation.serve(Smtp(conversation, office).run)
    assert items(store, "alice") == []
    assert not list((store.folder / "spool").iterdir())


async def test_a_large_message_goes_to_disk_and_one_too_large_is_refused(office: Office, store: MailStore) -> None:
    text = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 50_000
    small = replace(office, size=500_000)
    for size, answer in ((office, b"250 2.0.0 Accepted"), (small, b"552 5.3.4")):
        conversation = Talk("smtp")
        conversation.feed(b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\n")
        conversation.feed(text + b".\r\nQUIT\r\n")
        await conversation.serve(Smtp(conversation, size).run)
        wire = b"".join([segment async for segment in conversation._from_session])
        assert answer in wire
        assert wire.endswith(b"221 2.0.0 Goodbye\r\n")
    assert [found.endswith(text) for found in mail(store, "alice")] == [True]
    assert not list((store.folder / "spool").iterdir())
    await talk(small, HELLO.replace("104857600", "500000") + """
        C: MAIL FROM:<> SIZE=500001
        S: 552 5.3.4 This server takes 500000 octets at most""")


async def test_a_full_mailbox(office: Office, store: MailStore) -> None:
    store.require_account("alice", quota=1000).result()
    await talk(office, HELLO + """
        C: MAIL FROM:<> SIZE=1001
        S: 250 ...
        C: RCPT TO:<alice@example.com>
        S: 552 5.2.2 The mailbox of alice is full
        C: RSET
        S: 250 ...""" + LETTER + f"""
        C: DATA
        S: 354 ...
        C: {"x" * 1000}
        C: .
        S: 552 5.2.2 The mailbox of alice is full""")


async def test_too_many_recipients_and_too_many_errors(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_session, "RECIPIENTS", 2)
    await talk(office, HELLO + LETTER + """
        C: RCPT TO:<a@elsewhere.example>
        S: 250 ...""" + """
        C: RCPT TO:<b@elsewhere.example>
        S: 452 4.5.3 Too many recipients in one transaction; send the rest in another""" * 30 + """
        C: NONSENSE
        S: 500 5.5.1 ...""" * 19 + """
        C: NONSENSE
        S: 421 4.7.0 Too many errors; goodbye
        S: <end>""")


async def test_mail_that_goes_in_circles(office: Office) -> None:
    circles = r"Received: x\r\n" * 101
    await talk(office, HELLO + LETTER + rf"""
        C: DATA
        S: 354 ...
        C| {circles}\r\n.\r\n
        S: 554 5.4.6 This message has been passed on too often; it goes in circles""")


async def test_addresses_outside_ascii(office: Office, store: MailStore) -> None:
    await talk(office, HELLO + """
        C: MAIL FROM:<ünï@elsewhere.example>
        S: 550 5.6.7 An address outside ASCII needs the parameter SMTPUTF8
        C: MAIL FROM:<ünï@elsewhere.example> SMTPUTF8
        S: 250 2.1.0 Sender <ünï@elsewhere.example> OK
        C: RCPT TO:<alice@example.com>
        S: 250 ...
        C: DATA
        S: 354 ...
        C: Subject: ü
        C:
        C: .
        S: 250 ...""")
    assert store.needs_utf8(items(store, "alice")[0].content)
    assert b"with UTF8SMTP\r\n" in mail(store, "alice")[0]


async def test_help_and_verify(office: Office) -> None:
    await talk(office, """
        S: 220 ...
        C: HELP DATA
        S: 214-2.0.0 DATA
        S: 214-2.0.0 Send the message; a line with only a dot ends it.
        S: 214 2.0.0 RFC 5321 §4.1.1.4
        C: VRFY alice
        S: 250 2.1.5 <alice@example.com>
        C: EXPN <bob@example.com>
        S: 250 2.1.5 <bob@example.com>
        C: VRFY nobody
        S: 550 5.1.1 There is no such mailbox here
        C: NOOP anything at all
        S: 250 2.0.0 OK""")


WRONG = b64encode(b"\0alice\0wrong").decode()
PLAIN = b64encode(b"\0alice\0wonderland").decode()


async def test_submission_wants_a_login(submission: Office, store: MailStore) -> None:
    woken: list[FolderChange] = []
    store.watch(QUEUE, woken.append)
    conversation = Talk("submission", secure=True)
    await talk(submission, f"""
        S: 220 ...
        C: HELO x
        S: 250 ...
        C: MAIL FROM:<alice@example.com>
        S: 530 5.7.0 Log in first, with AUTH
        C: AUTH PLAIN {WRONG}
        S: 535 5.7.8 Wrong name or password
        C: AUTH NOPE
        S: 504 5.5.4 There is no such mechanism here; EHLO lists them
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: *
        S: 501 5.7.0 Cancelled
        C: AUTH PLAIN ???
        S: 501 5.5.2 That is not base64
        C: AUTH PLAIN {PLAIN}
        S: 235 2.7.0 Welcome, alice
        C: AUTH PLAIN {PLAIN}
        S: 503 5.5.1 You are logged in as alice already
        C: MAIL FROM:<bob@example.com>
        S: 550 5.7.1 You are alice, and that address is bob's
        C: MAIL FROM:<alice@example.com>
        S: 250 ...
        C: RCPT TO:<bob@example.com>
        S: 250 ...
        C: RCPT TO:<x@elsewhere.example>
        S: 250 ...
        C: DATA
        S: 354 ...
        C: Hello
        C: .
        S: 250 2.0.0 Accepted as ...""", conversation)
    legs = store.outbound(1e12)
    assert [(leg.sender, leg.recipient) for leg in legs] == [
        ("alice@example.com", "bob@example.com"), ("alice@example.com", "x@elsewhere.example")]
    text = b"".join(store.read(legs[0].content)).decode()
    assert "with SMTPSA;" in text
    assert "\r\nDate: " in text
    assert "\r\nMessage-ID: <" in text
    assert text.endswith("\r\n\r\nHello\r\n")
    assert "Return-Path" not in text, "that is for the last server to add (RFC 5321 §4.4)"
    assert len(woken) == 1, "the queue hears of it"
    assert "wonderland" not in str([(one.asked, one.facts) for one in conversation.exchanges])


async def test_delivery_status_parameters_are_remembered(submission: Office, store: MailStore) -> None:
    await talk(submission, """
        S: 220 ...
        C: HELO x
        S: 250 ...
        C: EHLO x""" + """
        S: 250-...""" * 12 + """
        S: 250-STARTTLS
        S: 250 AUTH SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN XOAUTH2""" + f"""
        C: AUTH PLAIN {PLAIN}
        S: 235 ...
        C: MAIL FROM:<alice@example.com> RET=FULL ENVID=abc BODY=8BITMIME
        S: 250 ...
        C: RCPT TO:<bob@example.com> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b@c.example
        S: 250 ...
        C: DATA
        S: 354 ...
        C: .
        S: 250 ...""")
    facts = Facts.decode(store.outbound(1e12)[0].facts)
    assert facts == Facts("8BITMIME", False, "FULL", "abc", ["DELAY", "SUCCESS"], "rfc822;b@c.example")


async def test_success_is_reported_when_it_was_asked_for(office: Office, store: MailStore) -> None:
    await talk(office, HELLO + """
        C: MAIL FROM:<carol@elsewhere.example> ENVID=abc
        S: 250 ...
        C: RCPT TO:<alice@example.com> NOTIFY=SUCCESS
        S: 250 ...
        C: RCPT TO:<bob@example.com>
        S: 250 ...""" + SEND)
    (leg,) = store.outbound(1e12)
    assert (leg.sender, leg.recipient) == ("", "carol@elsewhere.example")
    text = b"".join(store.read(leg.content)).decode()
    assert "Action: delivered\r\nStatus: 2.1.5\r\n" in text
    assert "Original-Envelope-Id: abc" in text
    assert "bob@example.com" not in text


async def test_what_is_kept_is_accepted_though_it_is_gone_before_the_report(tmp_path: Path) -> None:
    """Told of an error, the client would send it again."""
    class Quick(MailStore):
        """Whoever has the mailbox removes the message at once."""

        def read(self, content: int, *, whole: bool = True, start: int = 0,
                 end: int | None = None) -> Iterator[bytes]:
            self.expunge(self.find_folder("alice").id, [1]).result()
            return super().read(content, whole=whole, start=start, end=end)

    with closing(Quick(tmp_path / "quick", durability="memory")) as store:
        conversation = await talk(Office(find, store, frozenset({"example.com"})), HELLO + """
            C: MAIL FROM:<carol@elsewhere.example>
            S: 250 ...
            C: RCPT TO:<alice@example.com> NOTIFY=SUCCESS
            S: 250 ...""" + SEND)
        assert "report" in conversation.exchanges[-1].facts
        assert store.outbound(1e12) == []


async def test_passwords_only_inside_tls_where_that_is_the_rule(submission: Office) -> None:
    conversation = await talk(replace(submission, require_tls=True), f"""
        S: 220 ...
        C: HELO x
        S: 250 ...
        C: MAIL FROM:<>
        S: 530 5.7.0 Encrypt first, with STARTTLS
        C: AUTH PLAIN {PLAIN}
        S: 538 5.7.11 That mechanism shows the password; encrypt first, with STARTTLS
        C: STARTTLS
        S: 220 2.0.0 Begin TLS
        C: AUTH PLAIN {PLAIN}
        S: 503 5.5.1 Say EHLO first
        C: STARTTLS
        S: 503 5.5.1 This connection is encrypted already
        C: HELO x
        S: 250 ...
        C: AUTH PLAIN {PLAIN}
        S: 235 2.7.0 Welcome, alice""")
    assert "warning" not in conversation.exchanges[-2].facts


async def test_commands_sent_before_tls_are_dropped(submission: Office) -> None:
    conversation = Talk("submission")
    conversation.feed(b"EHLO x\r\nSTARTTLS\r\nMAIL FROM:<>\r\n")
    await conversation_ends(submission, conversation)
    assert conversation.injected == b"MAIL FROM:<>\r\n"
    assert [one.verb for one in conversation.exchanges] == ["greeting", "EHLO", "STARTTLS"]


async def conversation_ends(office: Office, conversation: Talk) -> None:
    conversation.hang_up()
    await conversation.serve(Smtp(conversation, office).run)


async def test_no_tls_and_no_login_where_there_is_none(office: Office) -> None:
    await talk(office, HELLO + f"""
        C: STARTTLS
        S: 454 4.7.0 There is no TLS on this service
        C: AUTH PLAIN {PLAIN}
        S: 503 5.5.1 Nobody logs in here, where servers bring mail; the port for people is 587, submission""")


async def test_silence(office: Office) -> None:
    conversation = Talk("smtp")
    conversation.idle = 0.01
    await talk(office, """
        S: 220 ...
        S: 421 4.4.2 Nothing came from you for too long; goodbye
        S: <end>""", conversation)


async def test_a_disk_that_is_full(office: Office, store: MailStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sandbox.world.mail.spool.Spool.drain", full)
    conversation = Talk("smtp")
    conversation.feed(b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\n" + b"x" * 300_000
                      + b"\r\n.\r\nNOOP\r\n")
    conversation.hang_up()
    await conversation.serve(Smtp(conversation, office).run)
    wire = b"".join([segment async for segment in conversation._from_session])
    assert wire.endswith(b"452 4.3.1 The disk is full, or broken; try again later\r\n250 2.0.0 OK\r\n")
    assert items(store, "alice") == []


@pytest.mark.parametrize("name", ["a\r\nBcc: x", "a (b", "a\tb", "ü", ""])
def test_what_a_client_calls_itself_cannot_write_a_header(name: str) -> None:
    field = received(name, "127.0.0.1", "mail.example.com", "ESMTP", "")
    assert field.startswith("Received: from unknown ([127.0.0.1])\r\n\tby mail.example.com with ESMTP;\r\n\t")
    assert field.count("\r\n") == 3
