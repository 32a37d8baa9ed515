"""What programs for mail and files say when a server fails on purpose."""

from __future__ import annotations

import imaplib

import pytest
import trio

from sandbox.app import Sandbox
from tests.support.faults import strike
from tests.support.programs import run


async def swaks(sandbox: Sandbox, to: str = "alice@example.com") -> str:
    host, port = sandbox.endpoints["smtp"]
    done = await run("swaks", "--server", host, "--port", str(port), "--from", "ada@example.org", "--to", to,
                     "--timeout", "2s", status=None)
    return done.text + done.errors


@pytest.mark.program("swaks", "swaks")
@pytest.mark.parametrize(("rule", "said"), [
    ("'protocol:smtp verb:EHLO' reply=502", "<** 502"),
    ("'protocol:smtp verb:greeting' reply=554", "<** 554"),
    ("'protocol:smtp verb:MAIL' reply=451 detail=4.7.1", "<** 451 4.7.1"),
    ("'protocol:smtp verb:RCPT' reply=550 detail=5.1.1 'text=No such user'", "<** 550 5.1.1 No such user"),
    ("'protocol:smtp verb:DATA' reply=421", "<** 421 4.3.0"),
    ("'protocol:smtp verb:message' reply=552 detail=5.2.2", "<** 552 5.2.2"),
    ("'protocol:smtp verb:message' close", "*** Remote host closed connection unexpectedly"),
    ("'protocol:smtp verb:RCPT' silence", "<** Timeout"),
])
async def test_swaks_tells_what_failed(sandbox: Sandbox, rule: str, said: str) -> None:
    strike(sandbox, rule)
    assert said in await swaks(sandbox)


@pytest.mark.program("swaks", "swaks")
@pytest.mark.parametrize(("recipient", "said"), [
    ("451@error.test", "<** 451 4.3.0"), ("full-mailbox@error.test", "<** 452 4.2.2 The mailbox is full"),
    ("unknown-user@error.test", "<** 550 5.1.1"), ("greylisted@error.test", "<** 451 4.7.1"),
    ("reset@error.test", "*** Remote host closed connection unexpectedly"), ("slow@error.test", "<** Timeout"),
])
async def test_recipients_that_need_no_rule(sandbox: Sandbox, recipient: str, said: str) -> None:
    assert said in await swaks(sandbox, recipient)


@pytest.mark.program("lftp", "lftp")
@pytest.mark.parametrize(("rule", "said"), [
    ("'protocol:ftp verb:PASS' reply=530", "530"),
    ("'protocol:ftp verb:LIST' reply=450 'text=Not now'", "450 Not now"),
    ("'protocol:ftp verb:CWD' reply=550", "550"),
    ("protocol:ftp no-data", "Connection refused"),
])
async def test_lftp_tells_what_failed(sandbox: Sandbox, rule: str, said: str) -> None:
    strike(sandbox, rule)
    commands = ("set net:max-retries 1; set net:timeout 3; set net:reconnect-interval-base 0; set ftp:ssl-allow no; "
                f"open -u alice,wonderland ftp://{sandbox.endpoints['ftp']}; cd /; ls; cat none")
    done = await run("lftp", "-d", "-c", commands, status=None)
    assert said in done.text + done.errors


def talk(sandbox: Sandbox) -> imaplib.IMAP4:
    host, port = sandbox.endpoints["imap"]
    client = imaplib.IMAP4(host, port, timeout=5)
    client.login("alice", "wonderland")
    return client


async def test_a_mailbox_gets_another_uidvalidity(sandbox: Sandbox) -> None:
    def validity() -> list[object]:
        with talk(sandbox) as client:
            client.select("INBOX")
            return [client.response("UIDVALIDITY")[1], client.status("INBOX", "(UIDVALIDITY)")[1][0].split()[-1]]

    before = await trio.to_thread.run_sync(validity)
    strike(sandbox, "'protocol:imap account:alice' uidvalidity")
    after = await trio.to_thread.run_sync(validity)
    assert before[0] != after[0]
    assert before[1] != after[1]


async def test_an_idle_that_is_lost(sandbox: Sandbox) -> None:
    """The client is told that it idles, and hears nothing more."""
    strike(sandbox, "'protocol:imap verb:IDLE' silence=25")

    def idle() -> bytes:
        client = talk(sandbox)
        with talk(sandbox) as other:
            client.select("INBOX")
            client.send(b"x IDLE\r\n")
            assert client.readline().startswith(b"+ Idling")
            other.append("INBOX", "", "", b"Subject: new\r\n\r\n")
            client.sock.settimeout(1)
            try:
                return client.readline()
            except TimeoutError:
                return b""
            finally:
                client.shutdown()

    assert await trio.to_thread.run_sync(idle) == b""
