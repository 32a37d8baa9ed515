"""What made the sandbox dial: the way of a mail, a tunnel, a request can be walked from the journal alone."""

from __future__ import annotations

import socket
from base64 import b64encode
from pathlib import Path

import trio

from sandbox.app import Sandbox, running
from sandbox.config import Config, Mail
from sandbox.journal.records import Exchange, Session
from tests.support.mail import letters, mail_sandbox, wait_for_mail, wait_until_carried
from tests.support.network import read_all, reader

Told = list[tuple[Session, Exchange]]


async def say(sandbox: Sandbox, service: str, *lines: bytes) -> bytes:
    """One conversation, a line at a time: SMTP wants an answer first. Whatever came."""
    stream = await trio.open_tcp_stream(*sandbox.endpoints[service])
    received = bytearray()
    async with stream:
        with trio.fail_after(20):
            for line in lines:
                received += await stream.receive_some()
                await stream.send_all(line)
            received += await read_all(stream)
    return bytes(received)


async def told(sandbox: Sandbox) -> Told:
    """All that the journal has."""
    await sandbox.journal.settle()
    with reader(sandbox) as journal:
        return list(journal.exchanges())


def caused(found: Told, cause: Exchange, service: str) -> dict[int, list[Exchange]]:
    """The exchanges of each session that an exchange is the cause of."""
    sessions: dict[int, list[Exchange]] = {}
    for session, exchange in found:
        if session.cause == cause.id and session.service == service:
            sessions.setdefault(session.id, []).append(exchange)
    return sessions


async def submit(sandbox: Sandbox, *recipients: bytes) -> None:
    login = b64encode(b"\0alice\0wonderland")
    said = await say(sandbox, "submission", b"EHLO me\r\n", b"AUTH PLAIN %b\r\n" % login,
                     b"MAIL FROM:<alice@example.com>\r\n", *(b"RCPT TO:<%b>\r\n" % one for one in recipients),
                     b"DATA\r\n", b"Subject: to be walked\r\n\r\nx\r\n.\r\n", b"QUIT\r\n")
    assert b"\r\n221 " in said, said


def submitted(found: Told) -> Exchange:
    (exchange,) = [exchange for session, exchange in found
                   if session.service == "submission" and "message" in exchange.facts]
    return exchange


async def test_a_mail_from_its_submission_to_its_mailbox_and_back(tmp_path: Path) -> None:
    async with mail_sandbox(tmp_path / "data") as sandbox:
        store = sandbox.world.open_mail()
        await submit(sandbox, b"bob@example.org")
        await wait_until_carried(store)
        (letter, _), = [one for one in letters(store, "bob") if b"to be walked" in one[1]]
        found = await told(sandbox)
        start = submitted(found)

        questions = caused(found, start, "dns")
        assert [exchange.verb for exchanges in questions.values() for exchange in exchanges][:2] == ["MX", "A"]
        (hop,) = caused(found, start, "smtp").values()
        arrived = [exchange for exchange in hop if exchange.facts.get("message") == str(letter.content)]
        assert arrived, "the hop's own exchange says which message it was"

        (session,) = [session for session, exchange in found if exchange.id == arrived[0].id]
        assert session.cause == start.id, "and back"
        (first,) = [session for session, exchange in found if exchange.id == start.id]
        assert first.cause == 0, "a client's own"


async def test_a_bounce_has_the_cause_of_the_mail_it_is_about(tmp_path: Path) -> None:
    async with mail_sandbox(tmp_path / "data", Mail(durability="memory", catch_all=False)) as sandbox:
        store = sandbox.world.open_mail()
        await submit(sandbox, b"nobody@example.org")
        ((letter, _),) = await wait_for_mail(store, "alice", b"Final-Recipient: rfc822; nobody@example.org")
        await wait_until_carried(store)
        found = await told(sandbox)
        hops = caused(found, submitted(found), "smtp")
        refused, bounced = hops.values()
        assert [exchange.outcome for exchange in refused if exchange.verb == "RCPT"] == ["550"]
        assert str(letter.content) in [exchange.facts.get("message") for exchange in bounced]


async def test_every_attempt_has_the_cause_of_the_mail(tmp_path: Path) -> None:
    mail = Mail(durability="memory", retry=(0.0, 0.0))
    async with mail_sandbox(tmp_path / "data", mail) as sandbox:
        # Nobody answers for the moment, so the attempt fails and the leg is written down.
        sandbox.world.zones.maintain("away.example.org", "MX", ["10 gone.example.org."])
        sandbox.world.zones.maintain("gone.example.org", "A", ["192.0.2.1"])
        await submit(sandbox, b"bob@away.example.org")
        found = await told(sandbox)
        start = submitted(found)
        await wait_until_carried(sandbox.world.open_mail())
        questions = caused(await told(sandbox), start, "dns")
        asked = [exchange.verb for exchanges in questions.values() for exchange in exchanges]
        assert asked.count("MX") == 4, "three attempts, and the bounce"


async def test_a_tunnel(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    off = ("https", "domain-s", "smtp", "submission", "submissions", "pop3", "pop3s", "imap", "imaps", "ftp", "ftps")
    config = Config(ports="ephemeral", bind=("127.0.0.1",), services=dict.fromkeys(off, False))
    async with running(config, tmp_path / "data") as sandbox:
        http, dns = sandbox.endpoints["http"], sandbox.endpoints["dns"]
        question = bytes.fromhex("0001 0100 0001 0000 0000 0000 03777777076578616d706c6503636f6d00 0001 0001")
        stream = await trio.open_tcp_stream(*http)
        async with stream:
            await stream.send_all(b"CONNECT x:%d HTTP/1.1\r\nHost: x\r\n\r\n" % dns.port)
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 200 ")
            await stream.send_all(len(question).to_bytes(2, "big") + question)
            assert (await stream.receive_some())[2:4] == b"\0\1"
            await stream.send_eof()
            await read_all(stream)
        found = await told(sandbox)
        (connect,) = [exchange for _, exchange in found if exchange.verb == "CONNECT"]
        (asked,) = caused(found, connect, "dns").values()
        assert [exchange.verb for exchange in asked] == ["A"]


async def test_a_request_that_is_passed_on(tmp_path: Path) -> None:
    """To a program on a port, which here is a service of the sandbox's own; it speaks no HTTP, but it was asked."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    world = tmp_path / "world.toml"
    world.write_text(f'[[site]]\nhost = "app.example.com"\nport = {port}\n')
    config = Config(ports="ephemeral", world=str(world), services={"daytime": port})
    async with running(config, tmp_path) as sandbox:
        stream = await trio.open_tcp_stream(*sandbox.endpoints["http"])
        async with stream:
            await stream.send_all(b"GET / HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\n\r\n")
            assert (await read_all(stream)).startswith(b"HTTP/1.1 502 ")
        found = await told(sandbox)
        (request,) = [exchange for _, exchange in found if exchange.verb == "GET"]
        (asked,) = caused(found, request, "daytime").values()
        assert asked[0].verb == "daytime"
