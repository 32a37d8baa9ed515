"""The table of facts is held to what real dialogues set, in both directions."""

from __future__ import annotations

import base64
import ftplib
import re
import socket
import ssl
from itertools import starmap
from pathlib import Path

import asyncssh
import dns.edns
import dns.message
import dns.tsig
import dns.tsigkeyring
import pytest
import trio
import trio_asyncio

from sandbox.app import Sandbox
from sandbox.config import Config
from sandbox.filter import parse
from sandbox.journal.facts import FACTS
from sandbox.journal.records import Exchange, Session
from sandbox.protocols.contract.facts import LONGEST, MOST, bounded, listed
from sandbox.protocols.contract.registry import PROTOCOLS
from tests.support.facts import setter, stray
from tests.support.network import read_all, reader, watching

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "reference" / "facts.md").read_text()

ELSEWHERE = {
    ("reloaded", "http"): "tests/websites/test_application.py",
    ("errors", "http"): "tests/websites/test_application.py",
    ("change", "http"): "tests/dashboard/test_changes.py",
    ("route", "http"): "tests/websites/test_scripted.py",
    ("stream", "http"): "tests/protocols/http/http2/test_session.py",
    ("reset", "http"): "tests/protocols/http/http2/test_session.py",
    ("report", "smtp"): "tests/protocols/smtp/test_session.py",
    ("uncertain", "ftp"): "tests/net/test_data.py",
    ("thrown-away", "all"): "tests/net/layers/tls/test_conversation.py",
    ("traceback", "all"): "tests/net/test_conversation.py",
    ("fault", "all"): "tests/clients/test_faults_curl.py",
}
"""Facts that need more than a short dialogue, with the test that has it."""


@pytest.fixture
def config() -> Config:
    roles = [role.name for protocol in PROTOCOLS for role in protocol.roles]
    return Config(ports="ephemeral", services=dict.fromkeys(roles, True))


FINDS = [
    "protocol:http host:www.example.com path:/search query:q=x agent:Test/1.0 referer:a.example "
    'fetch:"document navigate none"',
    "protocol:http account:alice has:password path:/protected/basic",
    "protocol:http host:files.sandbox.test file:/",
    "protocol:http name:www.example.com path:/dns-query", "protocol:dns verb:AXFR name:example.com",
    "protocol:http is:background has:probe", "protocol:http is:error has:problem",
    "verb:TLS host:www.example.com alpn:http/1.1", "protocol:http is:encrypted encrypted:TLS path:/",
    'service:smtp verb:message sender:a@example.org recipients:alice@example.com message-id:"<1@example.org>" '
    "has:message",
    "service:submission verb:AUTH has:password account:alice", "service:submission verb:NOOP account:alice",
    "protocol:pop3 verb:PASS has:password", "protocol:pop3 verb:RETR has:message account:alice",
    "protocol:pop3 verb:DELE has:message", "protocol:imap verb:LOGIN has:password account:alice",
    "protocol:imap verb:FETCH has:message account:alice", "protocol:imap verb:STORE has:message",
    "protocol:imap verb:COPY has:message", 'protocol:imap agent:"Test 1"',
    "protocol:ftp verb:STOR file:/notes.txt account:alice outcome:226",
    "protocol:ftp verb:STOR file:/notes.txt account:alice outcome:complete has:sha256",
    "protocol:ftp verb:PASS email:me@example.com",
    "protocol:sftp verb:WRITE file:/new.txt account:alice is:encrypted", "protocol:sftp verb:RENAME file:/newer.txt",
    "protocol:sftp verb:handshake has:cipher -is:encrypted",
]
"""What can be asked of the dialogues below; each finds something."""

NEVER = ["account:bob", "-protocol:http -protocol:dns has:query", "is:encrypted verb:TLS", "protocol:dns has:secret"]


async def test_what_is_set_is_in_the_table_and_what_is_in_the_table_is_set(sandbox: Sandbox) -> None:
    with watching(sandbox.journal) as watcher:
        for dialogue in (web, names, mail, files, shell, handshakes):
            await dialogue(sandbox)
        for last in ("alert-received", "alert-sent"):      # what is known when the client has gone already
            await watcher.wait_for(lambda session, exchange, last=last: last in exchange.facts)  # type: ignore[misc]
    await sandbox.journal.settle()
    with reader(sandbox) as journal:
        recorded = list(journal.exchanges())
    assert [found for found in recorded if stray(*found)] == []
    table = {(name, one) for name, fact in FACTS.items() for one in fact.setters}
    assert ELSEWHERE.keys() <= table
    found = {pair for session, exchange in recorded for pair in pairs(session, exchange)}
    assert sorted(table - found - ELSEWHERE.keys()) == [], "nothing here sets these"
    assert [text for text in FINDS if not any(starmap(parse(text).matches, recorded))] == []
    assert [text for text in NEVER if any(starmap(parse(text).matches, recorded))] == []


def pairs(session: Session, exchange: Exchange) -> set[tuple[str, str]]:
    return {(name, "all" if "all" in FACTS[name].setters else setter(session, exchange)) for name in exchange.facts}


@pytest.mark.parametrize(("pair", "place"), ELSEWHERE.items())
def test_what_is_shown_elsewhere_is_there(pair: tuple[str, str], place: str) -> None:
    text = (ROOT / place).read_text()
    assert f'facts["{pair[0]}"]' in text or re.search(rf'"{pair[0]}" in .*\.facts', text)


def test_the_table_reads_well() -> None:
    protocols = {protocol.name for protocol in PROTOCOLS} | {"tls", "all"}
    for name, fact in FACTS.items():
        assert fact.name == name
        assert re.fullmatch(r"[a-z][a-z0-9-]*", name)
        assert fact.meaning.endswith(".")
        assert fact.setters <= protocols, name
        assert fact.setters


def test_the_page_has_every_fact() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(name, fact.meaning, ", ".join(sorted(fact.setters))) for name, fact in FACTS.items()]


def test_facts_have_bounds() -> None:
    assert bounded("x" * LONGEST) == "x" * LONGEST
    assert len(bounded("x" * (LONGEST + 1))) == LONGEST
    assert listed(map(str, range(1000))).split() == [str(number) for number in range(MOST)]
    assert f"{LONGEST:,} characters" in PAGE
    assert f"first {MOST}" in PAGE


# -- dialogues ----------------------------------------------------------------------------------------------------


async def say(sandbox: Sandbox, role: str, *said: bytes) -> bytes:
    """Send all, half-close, and hear what is answered."""
    with trio.fail_after(20):
        stream = await trio.open_tcp_stream(*sandbox.endpoints[role])
        async with stream:
            await stream.send_all(b"".join(said))
            await stream.send_eof()
            return bytes(await read_all(stream))


def get(target: str, host: str = "www.example.com", *fields: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {host}", *fields, "", ""]).encode()


async def web(sandbox: Sandbox) -> None:
    browser = ("User-Agent: Test/1.0", "Referer: http://a.example/", "Cookie: a=1; b=2",
               "Sec-Fetch-Dest: document",
               "Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: none")
    basic = "Authorization: Basic " + base64.b64encode(b"alice:wonderland").decode()
    question = dns.message.make_query("www.example.com", "A").to_wire()
    doh = base64.urlsafe_b64encode(question).rstrip(b"=").decode()
    answers = await say(
        sandbox, "http", get("/search?q=x", "www.example.com", *browser),
        get("/protected/basic", "www.example.com", basic), get("/protected/digest"),
        get("http://www.example.com/", "www.example.com"), get("/success.txt", "detectportal.firefox.com"),
        get(f"/dns-query?dns={doh}"), get("/", "files.sandbox.test"),
        get("www.example.com:80", "www.example.com:80", method="CONNECT"))
    assert answers.count(b"HTTP/1.1 200") >= 4
    await say(sandbox, "http", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")


async def names(sandbox: Sandbox) -> None:
    cookie = dns.edns.GenericOption(dns.edns.OptionType.COOKIE, b"12345678")
    signed = dns.message.make_query("www.example.com", "A")
    signed.use_tsig(dns.tsigkeyring.from_text({"key.example.": "c2VjcmV0c2VjcmV0"}), algorithm=dns.tsig.HMAC_SHA256)
    questions = [dns.message.make_query("version.bind", "TXT", "CH"), dns.message.make_query("example.com", "AXFR"),
                 dns.message.make_query("www.example.com", "A", use_edns=0, options=[cookie]), signed]
    wires = [question.to_wire() for question in questions] + [questions[0].to_wire()[:20]]
    await say(sandbox, "dns", *(len(wire).to_bytes(2) + wire for wire in wires))


async def mail(sandbox: Sandbox) -> None:
    plain = base64.b64encode(b"\0alice\0wonderland").decode()
    assert b"Accepted" in await say(
        sandbox, "smtp", b"EHLO me\r\nNOOP\nMAIL FROM:<a@example.org>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\n"
        b"Message-ID: <1@example.org>\r\nSubject: s\r\n\r\ntext\r\n.\r\nQUIT\r\n")
    await say(sandbox, "submission", f"EHLO me\r\nAUTH PLAIN {plain}\r\nNOOP\r\nQUIT\r\n".encode())
    await say(sandbox, "pop3", b"USER alice\r\nPASS wonderland\r\nNOOP\nRETR 1\r\nDELE 1\r\nRSET\r\nQUIT\r\n")
    await say(sandbox, "imap", b'a LOGIN alice wonderland\r\nb ID ("name" "Test" "version" "1")\r\nc SELECT INBOX\r\n'
              b"d FETCH 1 FLAGS\r\ne STORE 1 +FLAGS (\\Flagged)\r\nf COPY 1 INBOX\r\ng LOGOUT\r\n")


async def files(sandbox: Sandbox) -> None:
    host, port = sandbox.endpoints["ftp"]

    def transfer() -> None:
        with ftplib.FTP() as client, (ROOT / "LICENSE").open("rb") as file:
            client.connect(host, port, timeout=20)
            client.login("alice", "wonderland")
            client.storbinary("STOR notes.txt", file)
            client.quit()

    await trio.to_thread.run_sync(transfer)
    await say(sandbox, "ftp", b"USER anonymous\r\nPASS me@example.com\r\nNOOP\nQUIT\r\n")


async def shell(sandbox: Sandbox) -> None:
    host, port = sandbox.endpoints["sftp"]

    async def session() -> None:
        async with asyncssh.connect(host, port, username="alice", password="wonderland", known_hosts=None,
                                    client_keys=None, config=None) as connection, \
                connection.start_sftp_client() as client:
            async with client.open("new.txt", "wb") as file:
                await file.write(b"text")
            await client.rename("new.txt", "newer.txt")

    with trio.fail_after(20):
        async with trio_asyncio.open_loop():
            await trio_asyncio.aio_as_trio(session)()
    await say(sandbox, "sftp", b"SSH-2.0-Test\r\n" + bytes(40))


async def handshakes(sandbox: Sandbox) -> None:
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    trusting.set_alpn_protocols(["http/1.1"])
    doubting = ssl.create_default_context()
    doubting.maximum_version = ssl.TLSVersion.TLSv1_2       # with 1.3 the handshake is over before the alert comes
    address = sandbox.endpoints["https"]

    def ask(context: ssl.SSLContext) -> bytes:
        with socket.create_connection(address, timeout=20) as plain, \
                context.wrap_socket(plain, server_hostname="www.example.com") as secure:
            secure.sendall(get("/", "www.example.com", "Connection: close"))
            return secure.recv(100)

    assert b"HTTP/1.1 200" in await trio.to_thread.run_sync(ask, trusting)
    with pytest.raises(ssl.SSLCertVerificationError):
        await trio.to_thread.run_sync(ask, doubting)
    await say(sandbox, "https", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")
