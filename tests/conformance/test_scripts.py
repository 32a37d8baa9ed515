"""In every protocol an answer can stand in for what would be done, in its own words, and nothing changes."""

from __future__ import annotations

import os
import sqlite3
import struct

import asyncssh
import dns.message
import pytest
import trio
import trio_asyncio

from sandbox.app import Sandbox
from sandbox.config import Config
from sandbox.filter import parse
from sandbox.journal.records import Exchange, Session
from sandbox.protocols.contract.registry import PROTOCOLS
from sandbox.protocols.contract.script import Manner, ScriptedAnswer
from sandbox.protocols.http.session import HttpService
from tests.conformance.test_lossless import QUERY, SAMPLES, talk
from tests.support.conversation import MemoryConversation
from tests.support.http import context, hello
from tests.support.http2 import Heard, client, request
from tests.support.network import read_all, reader, watching

WORDS: dict[str, tuple[ScriptedAnswer, bytes]] = {
    "http": (ScriptedAnswer("503", fields=(("Retry-After", "7"),), body=b"not today\n"), b"HTTP/1.1 503 "),
    "dns": (ScriptedAnswer("SERVFAIL"), QUERY[:2] + b"\x81\x82"),
    "smtp": (ScriptedAnswer("451", "Not today", "4.7.1"), b"451 4.7.1 Not today\r\n"),
    "pop3": (ScriptedAnswer("-ERR", "Not today", "SYS/TEMP"), b"-ERR [SYS/TEMP] Not today\r\n"),
    "ftp": (ScriptedAnswer("450", "Not today"), b"450 Not today\r\n"),
    "imap": (ScriptedAnswer("NO", "Not today", "UNAVAILABLE"), b"a NO [UNAVAILABLE] Not today\r\n"),
    "sftp": (ScriptedAnswer("PERMISSION_DENIED", "Not today"), b""),
    "tcp": (ScriptedAnswer("done", "Not today"), b"Not today"),
}
"""What a script says in each protocol, and what the client must hear."""

QUESTIONS = {role.name: protocol.name for protocol in PROTOCOLS for role in protocol.roles if role.name in SAMPLES}
OWN = {"tcp-open", "TLS", "DONE", "push", "login"}
"""Verbs of exchanges in which the client is not answered."""


@pytest.fixture
def config() -> Config:
    return Config(ports="ephemeral", services=dict.fromkeys(QUESTIONS, True))


def state(sandbox: Sandbox) -> list[str]:
    """What the world has: all mail, and everybody's files."""
    sandbox.world.open_mail(sandbox.config.mail.durability, sandbox.config.mail.quota)
    with sqlite3.connect(sandbox.data / "mail" / "mail.db") as mail:
        found = list(mail.iterdump())
    mail.close()
    homes = sandbox.data / "files"
    return found + sorted(f"{path} {path.stat().st_size}" for path in homes.rglob("*") if path.is_file())


def test_every_protocol_has_words() -> None:
    assert WORDS.keys() == {protocol.name for protocol in PROTOCOLS}


@pytest.mark.parametrize("role", [role for role in QUESTIONS if role != "sftp"])
async def test_a_script_answers_every_question(sandbox: Sandbox, role: str) -> None:
    answer, heard = WORDS[QUESTIONS[role]]
    marked = ScriptedAnswer(answer.code, answer.text, answer.detail, answer.fields, answer.body,
                            facts={"problem": "scripted"})
    before = state(sandbox)
    asked: list[str] = []

    def decide(session: Session, question: Exchange) -> ScriptedAnswer:
        assert session.service == role
        asked.append(question.verb)
        return marked

    sandbox.script.decide = decide
    sample = SAMPLES[role][0] or b"x"
    with watching(sandbox.journal) as watcher:
        received, _ = await talk(sandbox, role, sample, 1) if role != "chargen" else await ask(sandbox, role)
        await watcher.wait_closed()
    if role != "discard":
        assert heard in received
    assert state(sandbox) == before
    await sandbox.journal.settle()
    with reader(sandbox) as journal:
        exchanges = [exchange for _, exchange in journal.exchanges() if exchange.verb not in OWN and exchange.verb]
    assert len(asked) == len(exchanges) > 0
    assert {exchange.outcome for exchange in exchanges} == {answer.code}
    assert all(exchange.facts["problem"] == "scripted" for exchange in exchanges)


async def ask(sandbox: Sandbox, role: str) -> tuple[bytes, int]:
    """Connect, and read to the end."""
    async with await trio.open_tcp_stream(*sandbox.endpoints[role]) as stream:
        await stream.send_eof()
        return bytes(await read_all(stream)), 0


async def test_sftp_says_a_status(sandbox: Sandbox) -> None:
    answer, _ = WORDS["sftp"]
    verbs: list[str] = []

    def decide(_: Session, question: Exchange) -> ScriptedAnswer:
        verbs.append(question.verb)
        return answer

    before = state(sandbox)
    sandbox.script.decide = decide
    host, port = sandbox.endpoints["sftp"]

    async def session() -> None:
        async with asyncssh.connect(host, port, username="alice", password="wonderland", known_hosts=None,
                                    client_keys=None, config=None) as connection, \
                connection.start_sftp_client() as files:
            for work in (files.mkdir("new"), files.open("new.txt", "w"), files.stat("/"), files.remove("a")):
                with pytest.raises(asyncssh.SFTPPermissionDenied, match="Not today"):
                    await work

    with trio.fail_after(20):
        async with trio_asyncio.open_loop():
            await trio_asyncio.aio_as_trio(session)()
    assert verbs == ["MKDIR", "WRITE", "STAT", "REMOVE"]
    assert state(sandbox) == before


async def test_http2_says_the_same_response() -> None:
    connection = client()
    connection.send_headers(1, request("/"), end_stream=True)
    conversation = MemoryConversation([connection.data_to_send()], secure=True, alpn="h2", service="https")
    conversation.script = lambda _, asked: ScriptedAnswer("503", "not today", facts={"problem": asked})
    await HttpService(context(), hello).session(conversation)
    heard = Heard()
    heard.take(connection.receive_data(conversation.sent))
    assert (heard.answers[1].status, heard.answers[1].body) == ("503", b"not today\n")
    exchange = next(one for one in conversation.exchanges if one.verb == "GET")
    assert (exchange.outcome, exchange.facts["problem"]) == ("503", exchange.asked)


async def test_what_matches_exchanges_decides(sandbox: Sandbox) -> None:
    """A filter is asked about a question as about an exchange that is over."""
    wanted = parse("service:pop3 verb:USER asked:alice -is:encrypted space:main since:1h")
    sandbox.script.decide = lambda session, exchange: (
        ScriptedAnswer("-ERR", "Not you") if wanted.matches(session, exchange) else None)
    received, _ = await talk(sandbox, "pop3", b"USER bob\r\nUSER alice\r\nQUIT\r\n", 1)
    assert received.count(b"-ERR Not you\r\n") == 1
    assert received.count(b"+OK") == 3


async def test_a_message_is_read_to_its_end_and_not_kept(sandbox: Sandbox) -> None:
    """Both ways of sending one: what follows a command that is not obeyed is no place for commands."""
    sandbox.script.decide = lambda _, question: (
        ScriptedAnswer("452", "Not this one", "4.2.2") if question.verb in ("message", "BDAT") else None)
    before = state(sandbox)
    start = b"EHLO me\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<alice@example.com>\r\n"
    received, _ = await talk(sandbox, "smtp", start + b"DATA\r\nSubject: s\r\n\r\nRSET\r\n.\r\n"
                             + start + b"BDAT 6 LAST\r\nNOOP\r\nRSET\r\nQUIT\r\n", 1)
    lines = received.split(b"\r\n")
    assert lines.count(b"452 4.2.2 Not this one") == 2
    assert len([line for line in lines if line.startswith(b"250 2.0.0")]) == 1, "RSET once, and no NOOP"
    assert state(sandbox) == before


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("manner", Manner)
async def test_dns_answers_in_every_manner(sandbox: Sandbox, manner: Manner, transport: str) -> None:
    sandbox.script.decide = lambda *_: ScriptedAnswer("", manner=manner)
    if transport == "udp":
        with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as sock:
            await sock.connect(sandbox.endpoints["dns"])
            await sock.send(QUERY)
            with trio.move_on_after(0.3 if manner is Manner.SILENT else 10):
                answer: bytes | None = await sock.recv(4096)
                assert manner is not Manner.SILENT
                check(answer, manner)
        return
    received, _ = await talk(sandbox, "dns", struct.pack("!H", len(QUERY)) + QUERY, 1)
    if manner is Manner.SILENT:
        assert received == b""
    else:
        check(received[2:], manner)


def check(data: bytes | None, manner: Manner) -> None:
    assert data is not None
    message = dns.message.from_wire(data, raise_on_truncation=False)
    assert (data[:2] == QUERY[:2]) == (manner is not Manner.WRONG_ID)
    assert bool(message.flags & dns.flags.TC) == (manner is Manner.TRUNCATED)
    assert bool(message.flags & dns.flags.AA) == (manner not in (Manner.LAME, Manner.TRUNCATED))
    assert (message.answer == []) == (manner in (Manner.TRUNCATED, Manner.LAME))
    assert {rrset.ttl for rrset in message.answer} in ([set(), {30}] if manner is Manner.STALE else [set(), {60}])


async def test_the_small_services_answer_datagrams(sandbox: Sandbox) -> None:
    sandbox.script.decide = lambda *_: ScriptedAnswer("done", body=os.fsencode("odd\xff"))
    with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as sock:
        await sock.connect(sandbox.endpoints["echo"])
        await sock.send(b"hello")
        with trio.fail_after(10):
            assert await sock.recv(4096) == os.fsencode("odd\xff")
