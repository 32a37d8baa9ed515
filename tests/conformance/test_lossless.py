"""From the journal alone both directions of every connection are rebuilt, byte for byte, however the input arrives.

Every role of the registry takes part: a role without a sample here fails the first test.
"""

from __future__ import annotations

import ssl
import struct
from collections.abc import Callable
from itertools import pairwise

import pytest
import trio

from sandbox.app import Sandbox
from sandbox.config import Config
from sandbox.journal.records import Session, Stream
from sandbox.protocols.contract.registry import PROTOCOLS
from tests.support.facts import stray
from tests.support.network import pieces, read_all, reader, watching

QUERY = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03com\x00\x00\x01\x00\x01"


def over_tcp(*queries: bytes) -> bytes:
    return b"".join(struct.pack("!H", len(query)) + query for query in queries)


GET = b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"
SAMPLES: dict[str, list[bytes]] = {
    "http": [
        GET * 3 + b"GET /nothing HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\n\r\n",
        b"POST /httpbin/post HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + GET,
        b"PUT /httpbin/put HTTP/1.1\r\nHost: h\r\nContent-Length: 70000\r\n\r\n" + b"b" * 70000 + GET,
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + GET,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 not http at all",
        b"GET / HTTP/1.1\r\nHost: cut of",
    ],
    "dns": [over_tcp(QUERY, QUERY, b"\xff" + QUERY[1:]), over_tcp(b"short", QUERY), over_tcp(QUERY)[:9], b"\x00"],
    "smtp": [
        b"EHLO me\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\nSubject: s\r\n\r\n..\r\n"
        b".\r\nRSET\r\nNOOP\r\nQUIT\r\n",
        b"EHLO me\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<alice@example.com>\r\n"
        b"BDAT 9 LAST\r\nA: b\r\n\r\nxQUIT\r\n",
        b"HELO me\r\nDATA\r\nMAIL\r\n\x00\xff\r\nRCPT TO:<half",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    "submission": [b"EHLO me\r\nAUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=\r\nMAIL FROM:<alice@example.com>\r\nQUIT\r\n",
                   b"EHLO me\r\nAUTH LOGIN\r\n*\r\nAUTH NONSENSE\r\n"],
    "pop3": [b"CAPA\r\nUSER alice\r\nPASS wonderland\r\nSTAT\r\nLIST\r\nUIDL\r\nQUIT\r\n",
             b"USER alice\r\nPASS wrong\r\nAUTH\r\nAPOP x y\r\nSTAT", b"\xff\xfe\r\n" * 5],
    "ftp": [
        b"USER alice\r\nPASS wonderland\r\nPWD\r\nEPSV\r\nABOR\r\nTYPE I\r\nMKD new\r\nMLST new\r\n"
        b"RMD new\r\nQUIT\r\n",
        b"USER anonymous\r\nPASS\r\nSTAT /\r\nHELP\r\nFEAT\r\nPORT 1,2,3,4,5,6\r\nLIST\r\n"
        b"\xff\xf4\xff\xf2ABOR\r\nSIZE wel",
        b"RETR x\r\nPASS y\r\n\x00\xff\xfe\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    "sftp": [b"SSH-2.0-Test\r\n" + bytes(40), b"not SSH at all\r\n" * 3, b"SSH-2.0-Te"],
    "imap": [b"a CAPABILITY\r\nb LOGIN alice wonderland\r\nc SELECT INBOX\r\nd FETCH 1:* ALL\r\ne IDLE\r\nDONE\r\n"
             b"f APPEND INBOX {16+}\r\nSubject: x\r\n\r\ny\r\n\r\ng LOGOUT\r\n",
             b"a LOGIN {5}\r\nalice {3}\r\nbad\r\nb LOGIN \"\r\nc\r\n", b"\xff\xfe\r\n" * 5],
    "echo": [b"say it again\r\n" * 50, b"", bytes(range(256)) * 700],
    "discard": [b"thrown away" * 1000],
    "daytime": [b"", b"ignored"],
    "qotd": [b""],
    "chargen": [b""],
    "time": [b""],
}
"""What a client sends, by role; well formed, broken and unfinished."""
SAMPLES |= dict.fromkeys(("dns-root", "dns-tld", "dns-domains", "resolver"), SAMPLES["dns"])

ENDLESS = {"chargen"}
"""What goes on until the client leaves, with bytes still on their way to it."""

ROLES = [(protocol.name, role) for protocol in PROTOCOLS for role in protocol.roles]

END = b"GET /end HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
OVER_TLS: dict[str, tuple[list[bytes], Callable[[bytearray], bool]]] = {
    "https": ([GET + END, b"not http\r\n"], lambda _: False),
    "https-legacy": ([GET + END], lambda _: False),
    "submissions": ([b"EHLO me\r\nNOOP\r\nQUIT\r\n"], lambda _: False),
    "pop3s": ([b"CAPA\r\nUSER alice\r\nPASS wonderland\r\nSTAT\r\nQUIT\r\n"], lambda _: False),
    "ftps": ([b"USER alice\r\nPASS wonderland\r\nPBSZ 0\r\nPROT P\r\nPWD\r\nQUIT\r\n"], lambda _: False),
    "imaps": ([b"a LOGIN alice wonderland\r\nb LIST \"\" *\r\nc LOGOUT\r\n"], lambda _: False),
    "domain-s": ([over_tcp(QUERY, QUERY)], lambda received: received.count(b"\x12\x34") == 2),
}
"""Of roles that encrypt from the start: what a client says, and whether what it has heard is all it waits for. It
cannot half-close and listen on, so its own closing is the end."""


@pytest.fixture
def config() -> Config:
    return Config(ports="ephemeral", services={role.name: True for _, role in ROLES})


def test_every_role_has_a_sample() -> None:
    assert SAMPLES.keys() | OVER_TLS.keys() == {role.name for _, role in ROLES}


@pytest.mark.parametrize("name", SAMPLES)
async def test_both_directions_are_rebuilt(sandbox: Sandbox, name: str) -> None:
    with watching(sandbox.journal) as watcher:
        seen: list[tuple[bytes, bytes, int]] = []
        for sample in SAMPLES[name]:
            for seed in range(5 if len(sample) < 3000 else 3):
                received, port = await talk(sandbox, name, sample, seed)
                seen.append((sample, received, port))
        await watcher.wait_closed(len(seen))
        await sandbox.journal.settle()
        sessions = {session.client.port: session for session in watcher.closed}
        with reader(sandbox) as journal:
            for sample, received, port in seen:
                session = sessions[port]
                assert journal.stream(session.id, Stream.SERVER)[:len(received)] == received
                if name not in ENDLESS:
                    assert sent_part(journal.stream(session.id, Stream.SERVER), session) == received
                assert journal.stream(session.id, Stream.CLIENT) == sample[:len(journal.stream(
                    session.id, Stream.CLIENT))]
                check_partition(sandbox, session)


async def talk(sandbox: Sandbox, name: str, sample: bytes, seed: int) -> tuple[bytes, int]:
    """Say the sample in pieces, half-close, and read to the end: what came, and the client's port."""
    stream = await trio.open_tcp_stream(*sandbox.endpoints[name])
    received = bytearray()
    port: int = stream.socket.getsockname()[1]
    async with stream, trio.open_nursery() as nursery:
        async def speak() -> None:
            try:
                for piece in pieces(sample, seed):
                    await stream.send_all(piece)
                await stream.send_eof()
            except trio.BrokenResourceError:
                pass  # the server has said all it will

        nursery.start_soon(speak)
        with trio.fail_after(20):
            if name in ENDLESS:
                while len(received) < 10_000:
                    received += await stream.receive_some()
            else:
                received += await read_all(stream)
    return bytes(received), port


@pytest.mark.parametrize("name", OVER_TLS)
async def test_the_plain_and_the_wire_streams_of_tls_are_rebuilt(sandbox: Sandbox, name: str) -> None:
    samples, enough = OVER_TLS[name]
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    for sample in samples:
        for seed in range(3):
            with watching(sandbox.journal) as watcher:
                tap = Tap(await trio.open_tcp_stream(*sandbox.endpoints[name]))
                stream = trio.SSLStream(tap, trusting, server_hostname="www.example.com")
                received = bytearray()
                with trio.fail_after(20):
                    for piece in pieces(sample, seed):
                        await stream.send_all(piece)
                    while not enough(received) and (data := await stream.receive_some()):
                        received += data
                    await stream.aclose()
                    session = await watcher.wait_closed()
            await sandbox.journal.settle()
            with reader(sandbox) as journal:
                assert journal.stream(session.id, Stream.CLIENT) == sample
                assert journal.stream(session.id, Stream.SERVER) == received
                assert bytes(tap.sent).startswith(journal.stream(session.id, Stream.CLIENT_WIRE))
                assert journal.stream(session.id, Stream.SERVER_WIRE).startswith(tap.received)
                check_partition(sandbox, session)


class Tap(trio.abc.Stream):
    """A stream that keeps what passes."""

    def __init__(self, inner: trio.SocketStream) -> None:
        self._inner = inner
        self.sent = bytearray()
        self.received = bytearray()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data
        await self._inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._inner.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        data = await self._inner.receive_some(max_bytes)
        self.received += data
        return bytes(data)

    async def aclose(self) -> None:
        await self._inner.aclose()


def sent_part(stream: bytes, session: Session) -> bytes:
    """What the kernel took: all but what was still queued when the client had gone."""
    unsent = int(session.facts["close"].get("unsent", 0))
    return stream[:len(stream) - unsent]


def check_partition(sandbox: Sandbox, session: Session) -> None:
    """The exchanges of a session cover both streams without a gap or an overlap, except what is in no exchange at
    the end; and every fact of theirs has a name that the table knows."""
    with reader(sandbox) as journal:
        exchanges = [exchange for owner, exchange in journal.exchanges() if owner.id == session.id]
    for side in ("client", "server"):
        ranges = [getattr(exchange, side) for exchange in exchanges]
        assert all(before[1] == after[0] for before, after in pairwise(ranges))
        assert not ranges or ranges[0][0] == 0
    for exchange in exchanges:
        assert stray(session, exchange) == [], exchange


@pytest.mark.parametrize("name", [role.name for _, role in ROLES if "udp" in role.transports])
async def test_datagrams_are_rebuilt(sandbox: Sandbox, name: str) -> None:
    sent = [QUERY, b"x", b"", bytes(600)] if name.startswith("dns") else [b"one", b"", b"three" * 100]
    received = []
    with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as sock:
        await sock.connect(sandbox.endpoints[name])
        for data in sent:
            await sock.send(data)
        # An echo of our own marks the end: whatever comes, comes before it.
        with trio.move_on_after(0.3):
            while True:
                received.append(await sock.recv(65535))
    await sandbox.journal.settle()
    with reader(sandbox) as journal:
        [session] = [found for found in journal.sessions(service=name) if found.transport == "udp"]
        assert journal.stream(session.id, Stream.CLIENT) == b"".join(sent)
        assert journal.stream(session.id, Stream.SERVER) == b"".join(received)
        assert len(list(journal.exchanges(service=name))) == len(sent)
