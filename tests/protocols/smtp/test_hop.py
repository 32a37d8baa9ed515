"""Mail that goes from one person to another: submission, the queue, a question to DNS, a second SMTP session."""

from __future__ import annotations

import email
import poplib
import smtplib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from sandbox.app import Sandbox
from sandbox.config import Mail
from sandbox.world.mail import Delivery, MailStore
from tests.support.mail import mail_sandbox, wait_for_mail, wait_until_carried
from tests.support.network import reader

LETTER = b"From: alice@example.com\r\nTo: bob@example.org\r\nSubject: hello\r\n\r\nHello Bob\r\n.dots\r\n"


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with mail_sandbox(tmp_path, Mail(durability="memory", retry=(0.05, 0.05))) as started:
        yield started


def mail_of(sandbox: Sandbox) -> MailStore:
    return sandbox.world.open_mail()


def trusting() -> ssl.SSLContext:
    """Certificates have tests of their own."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def submit(sandbox: Sandbox, recipients: list[str], letter: bytes = LETTER, options: list[str] | None = None,
           wishes: list[str] | None = None) -> None:
    address = sandbox.endpoints["submission"]
    with smtplib.SMTP(address.host, address.port, timeout=20) as client:
        client.starttls(context=trusting())
        client.login("alice", "wonderland")
        client.sendmail("alice@example.com", recipients, letter, options or [], wishes or [])


async def test_a_letter_travels_over_two_servers(sandbox: Sandbox) -> None:
    await trio.to_thread.run_sync(submit, sandbox, ["bob@example.org"])
    ((_, text),) = await wait_for_mail(mail_of(sandbox), "bob", b"Hello Bob")
    message = email.message_from_bytes(text)
    assert message["Return-Path"] == "<alice@example.com>"
    hops = message.get_all("Received", [])
    assert len(hops) == 2
    await wait_until_carried(mail_of(sandbox))
    await sandbox.journal.settle()
    with reader(sandbox) as journal:
        exchanges = list(journal.exchanges(protocol="smtp"))
        legs = [exchange.facts for _, exchange in exchanges if exchange.verb == "message"]
        handshakes = [exchange for session, exchange in exchanges
                      if session.service == "smtp" and exchange.verb == "TLS"]
    assert [(one.asked, one.outcome) for one in handshakes] == [("mail.example.org", "TLS 1.3")]
    assert [facts["message-id"] for facts in legs] == [message["Message-ID"]] * 2, "both legs name the message"
    assert "with ESMTPSA" in hops[1], "the bottom one is the submission"
    assert " with ESMTPS\r\n" in hops[0], "the hop is encrypted too"
    assert message["Message-ID"]
    assert message["Date"]
    assert text.endswith(b"\r\n\r\nHello Bob\r\n.dots\r\n")


async def test_a_letter_for_outside_is_captured(sandbox: Sandbox) -> None:
    await trio.to_thread.run_sync(submit, sandbox, ["x@far.away.example", "y@far.away.example"])
    found = await wait_for_mail(mail_of(sandbox), "catch-all", b"Hello Bob", 2)
    assert [item.recipient for item, _ in found] == ["x@far.away.example", "y@far.away.example"]
    assert len({item.content for item, _ in found}) == 1, "one transaction carried both"


async def test_nobody_of_that_name_comes_back_as_a_report(sandbox: Sandbox) -> None:
    store = mail_of(sandbox)
    await trio.to_thread.run_sync(submit, sandbox, ["nobody@example.org"], LETTER, ["ENVID=abc", "RET=FULL"],
                                  ["ORCPT=rfc822;n@example.org"])
    ((_, text),) = await wait_for_mail(store, "alice", b"multipart/report")
    message = email.message_from_bytes(text)
    assert message["Return-Path"] == "<>"
    assert message["Auto-Submitted"] == "auto-replied"
    parts = list(message.walk())
    kinds = [part.get_content_type() for part in parts]
    assert kinds == ["multipart/report", "text/plain", "message/delivery-status", "text/plain", "text/plain",
                     "message/rfc822", "text/plain"]
    assert "nobody@example.org" in str(parts[1])
    envelope, recipient = parts[3], parts[4]
    assert envelope["Original-Envelope-Id"] == "abc"
    assert {name: recipient[name] for name in ("Action", "Status", "Final-Recipient", "Original-Recipient")} == {
        "Action": "failed", "Status": "5.1.1", "Final-Recipient": "rfc822; nobody@example.org",
        "Original-Recipient": "rfc822;n@example.org"}
    await wait_until_carried(store)


async def test_a_report_reaches_a_sender_outside_ascii(sandbox: Sandbox) -> None:
    """RFC 6531 §3.5: the report's own recipient is outside ASCII, so it needs SMTPUTF8 as the letter did."""
    def send() -> None:
        address = sandbox.endpoints["submission"]
        with smtplib.SMTP(address.host, address.port, timeout=20) as client:
            client.starttls(context=trusting())
            client.login("alice", "wonderland")
            client.sendmail("ünal@far.example", ["nobody@example.org", "bob@example.org"], LETTER,
                            ["SMTPUTF8", "BODY=8BITMIME"], ["NOTIFY=SUCCESS,FAILURE"])

    await trio.to_thread.run_sync(send)
    found = await wait_for_mail(mail_of(sandbox), "catch-all", b"multipart/report", 2)
    assert [item.recipient for item, _ in found] == ["ünal@far.example"] * 2
    assert {b"Action: failed" in text for _, text in found} == {True, False}
    await wait_until_carried(mail_of(sandbox))
    await sandbox.journal.settle()
    with reader(sandbox) as journal:
        asked = [exchange.asked for session, exchange in journal.exchanges(protocol="smtp")
                 if exchange.verb == "MAIL" and exchange.asked.startswith("FROM:<>")]
    assert all("BODY=8BITMIME" in one for one in asked), "the address stands in the report as it is"


async def test_who_wants_no_report_gets_none(sandbox: Sandbox) -> None:
    store = mail_of(sandbox)
    await trio.to_thread.run_sync(submit, sandbox, ["nobody@example.org"], LETTER, [], ["NOTIFY=NEVER"])
    await trio.to_thread.run_sync(submit, sandbox, ["bob@example.org"], LETTER, [], ["NOTIFY=SUCCESS"])
    ((_, text),) = await wait_for_mail(store, "alice", b"multipart/report")
    assert b"Action: delivered" in text
    assert b"Final-Recipient: rfc822; bob@example.org" in text


async def test_what_is_sent_comes_back_over_pop3_byte_for_byte(sandbox: Sandbox) -> None:
    body = "".join(f".{number} dots and ünïcode {'x' * number}\r\n" for number in range(0, 1500, 50)).encode()
    letter = b"From: alice@example.com\r\nDate: now\r\nMessage-ID: <1@x>\r\n\r\n" + body
    await trio.to_thread.run_sync(submit, sandbox, ["carol@example.com"], letter, ["BODY=8BITMIME"])
    await wait_for_mail(mail_of(sandbox), "carol", body)

    def fetch() -> bytes:
        address = sandbox.endpoints["pop3s"]
        client = poplib.POP3_SSL(address.host, address.port, context=trusting(), timeout=20)
        client.user("carol")
        client.pass_("melody")
        lines = client.retr(len(client.list()[1]))[1]
        client.quit()
        return b"".join(line + b"\r\n" for line in lines)

    text = await trio.to_thread.run_sync(fetch)
    assert text.endswith(letter)
    assert text.count(b"Received: ") == 2


async def test_a_lone_dot_after_a_bare_line_feed_does_not_end_a_message_for_poplib(sandbox: Sandbox) -> None:
    """It reads up to LF, and would take the rest of the message for the answer to the next command."""
    mail_of(sandbox).put(b"Subject: lfdot\r\n\r\nline\n.\nafter the dot\r\n", Delivery("carol")).result()

    def fetch() -> tuple[list[bytes], list[bytes]]:
        address = sandbox.endpoints["pop3s"]
        client = poplib.POP3_SSL(address.host, address.port, context=trusting(), timeout=20)
        client.user("carol")
        client.pass_("melody")
        last = len(client.list()[1])
        found = client.retr(last)[1], client.top(last, 9)[1]
        client.quit()
        return found

    whole, top = await trio.to_thread.run_sync(fetch)
    assert whole == top
    assert whole[-3:] == [b"line", b".", b"after the dot"]


async def test_ten_thousand_recipients_in_one_breath(sandbox: Sandbox) -> None:
    """RFC 5321 §4.5.3.1.10: those above the limit are refused for now, and the rest gets the message."""
    def send() -> list[bytes]:
        with smtplib.SMTP(*sandbox.endpoints["smtp"], timeout=20) as client:
            client.ehlo()
            assert client.sock is not None
            client.sock.sendall(b"MAIL FROM:<alice@example.com>\r\n" + b"".join(
                b"RCPT TO:<p%d@far.example>\r\n" % number for number in range(10_000)))
            codes = [b"%d" % client.getreply()[0] for _ in range(10_001)]
            client.data(LETTER)
            return codes

    codes = await trio.to_thread.run_sync(send)
    assert codes == [b"250"] * 1001 + [b"452"] * 9000
    found = await wait_for_mail(mail_of(sandbox), "catch-all", b"Hello Bob", 1000)
    assert sorted(item.recipient for item, _ in found) == sorted(f"p{number}@far.example" for number in range(1000))
    assert len({item.content for item, _ in found}) == 1, "kept once"
