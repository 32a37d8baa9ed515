"""TLS on a conversation over real sockets: at once and by upgrade, both views recorded, failures said."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from sandbox.config import Limits
from sandbox.journal.records import Exchange, Stream
from sandbox.net.layers.tls.channel import TlsSettings
from sandbox.net.layers.tls.contexts import Contexts
from sandbox.pki import ca_path
from sandbox.protocols.contract.conversation import Conversation
from tests.support.network import Bench, read_all, serving


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> Contexts:
    return Contexts(tmp_path_factory.mktemp("data") / "ca")


@pytest.fixture
def trusting(contexts: Contexts) -> ssl.SSLContext:
    contexts.warm()
    return ssl.create_default_context(cafile=str(ca_path(contexts._folder.parent)))


async def say_lines(conversation: Conversation) -> None:
    """Answers lines in capitals; `starttls` encrypts, `quit` ends."""
    while True:
        line = await conversation.read_line()
        exchange = conversation.begin("say", line.decode().strip())
        conversation.write(b"[%s] " % (b"secure" if conversation.secure else b"plain") + line.upper())
        exchange.end("ok")
        if line == b"quit\n":
            return
        if line == b"starttls\n":
            await conversation.start_tls()


@asynccontextmanager
async def encrypted(contexts: Contexts, folder: Path, *, at_once: bool = True,
                    limits: Limits | None = None) -> AsyncIterator[Bench]:
    async with serving(say_lines, folder, limits=limits, tls=TlsSettings(contexts, ("test",)),
                       encrypted=at_once) as bench:
        yield bench


async def handshakes(bench: Bench) -> list[Exchange]:
    with await bench.read() as journal:
        return [exchange for _, exchange in journal.exchanges() if exchange.verb == "TLS"]


async def test_both_views_are_recorded(contexts: Contexts, trusting: ssl.SSLContext, tmp_path: Path) -> None:
    trusting.set_alpn_protocols(["test"])
    async with encrypted(contexts, tmp_path) as bench:
        stream = trio.SSLStream(await bench.connect(), trusting, server_hostname="www.example.com")
        async with stream:
            await stream.send_all(b"a secret\nquit\n")
            assert await read_all(stream) == b"[secure] A SECRET\n[secure] QUIT\n"
        session = await bench.watcher.wait_closed()
        with await bench.read() as journal:
            assert journal.stream(session.id, Stream.CLIENT) == b"a secret\nquit\n"
            assert journal.stream(session.id, Stream.SERVER) == b"[secure] A SECRET\n[secure] QUIT\n"
            wire = journal.stream(session.id, Stream.CLIENT_WIRE)
            assert wire[:3] == b"\x16\x03\x01"
            assert b"www.example.com" in wire, "the name stands in clear in the ClientHello"
            assert b"secret" not in wire
            assert journal.stream(session.id, Stream.SERVER_WIRE)[:1] == b"\x16"
        [handshake] = await handshakes(bench)
    assert (handshake.asked, handshake.outcome) == ("www.example.com", "TLS 1.3")
    assert handshake.key == "tls:version.TLS 1.3"
    assert handshake.answered.startswith("TLS_")
    assert handshake.facts["alpn"] == "test"
    assert handshake.facts["ja4"].startswith("t13d")


async def test_an_upgrade_throws_away_what_was_slipped_in_before_it(
        contexts: Contexts, trusting: ssl.SSLContext, tmp_path: Path) -> None:
    async with encrypted(contexts, tmp_path, at_once=False) as bench:
        plain = await bench.connect()
        await plain.send_all(b"starttls\ninjected\n")
        assert await plain.receive_some() == b"[plain] STARTTLS\n"
        stream = trio.SSLStream(plain, trusting, server_hostname="mail.example.com")
        async with stream:
            await stream.send_all(b"mine\nquit\n")
            assert await read_all(stream) == b"[secure] MINE\n[secure] QUIT\n"
        session = await bench.watcher.wait_closed()
        with await bench.read() as journal:
            assert journal.stream(session.id, Stream.CLIENT) == b"starttls\ninjected\nmine\nquit\n"
        [handshake] = await handshakes(bench)
    assert handshake.facts["thrown-away"] == "9 octets"


async def test_a_client_that_does_not_trust_us_is_explained(contexts: Contexts, tmp_path: Path) -> None:
    async with encrypted(contexts, tmp_path) as bench:
        stranger = ssl.create_default_context()
        stream = trio.SSLStream(await bench.connect(), stranger, server_hostname="www.example.com")
        with pytest.raises(trio.BrokenResourceError) as caught:
            await stream.do_handshake()
        assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value.__cause__)
        await trio.aclose_forcefully(stream)
        session = await bench.watcher.wait_closed()
        exchanges = await handshakes(bench)
    # With TLS 1.3 the server's side of the handshake is over before the client's alert comes.
    assert session.end in ("tls-failed", "client-closed", "client-reset")
    assert exchanges


@pytest.mark.parametrize(("first", "said", "why"), [
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 400 ", "plain-http"),
    (b"\x80\x1c\x01\x00\x02\x00\x03\x00\x00\x00\x10\x01\x00\x80" + bytes(16), b"\x15\x03\0\0\x02\x02\x46", "sslv2"),
    (b"EHLO me\r\n", b"", "plain-text"),
    (b"\x16\x03\x01\x00\x05hello", b"\x15\x03", "not-tls"),
    (b"", b"", "broken-off"),
])
async def test_what_is_no_handshake_gets_an_answer_and_an_explanation(
        contexts: Contexts, tmp_path: Path, first: bytes, said: bytes, why: str) -> None:
    async with encrypted(contexts, tmp_path) as bench:
        stream = await bench.connect()
        async with stream:
            await stream.send_all(first)
            await stream.send_eof()
            assert (await read_all(stream)).startswith(said)
        session = await bench.watcher.wait_closed()
        [handshake] = await handshakes(bench)
        with await bench.read() as journal:
            assert journal.stream(session.id, Stream.CLIENT_WIRE) == first
    assert (handshake.outcome, handshake.key, session.end) == ("failed", f"tls:situation.{why}", "tls-failed")


async def test_a_trickling_handshake_ends_at_its_deadline(contexts: Contexts, tmp_path: Path) -> None:
    async with encrypted(contexts, tmp_path, limits=Limits(handshake=0.2, grace=0.1)) as bench:
        stream = await bench.connect()
        async with stream, trio.open_nursery() as nursery:
            async def trickle() -> None:
                with contextlib.suppress(trio.BrokenResourceError):
                    while True:
                        await stream.send_all(b"\x16")
                        await trio.sleep(0.02)

            nursery.start_soon(trickle)
            with trio.fail_after(5):
                await read_all(stream)
            nursery.cancel_scope.cancel()
        assert (await bench.watcher.wait_closed()).end in ("idle-timeout", "tls-failed")


async def test_two_hundred_handshakes_at_once(contexts: Contexts, trusting: ssl.SSLContext, tmp_path: Path) -> None:
    async with encrypted(contexts, tmp_path) as bench:
        async def talk() -> None:
            stream = trio.SSLStream(await bench.connect(), trusting, server_hostname="www.example.com")
            async with stream:
                await stream.send_all(b"quit\n")
                assert await read_all(stream) == b"[secure] QUIT\n"

        async with trio.open_nursery() as nursery:
            for _ in range(200):
                nursery.start_soon(talk)
        await bench.watcher.wait_closed(200)
        assert len(await handshakes(bench)) == 200


async def test_large_replies_pass_a_slow_reader_whole(contexts: Contexts, trusting: ssl.SSLContext,
                                                      tmp_path: Path) -> None:
    body = bytes(range(256)) * 20_000

    async def session(conversation: Conversation) -> None:
        await conversation.send(body)

    async with serving(session, tmp_path, tls=TlsSettings(contexts), encrypted=True) as bench:
        stream = trio.SSLStream(await bench.connect(), trusting, server_hostname="www.example.com")
        async with stream:
            received = bytearray()
            while data := await stream.receive_some(50_000):
                received += data
                await trio.sleep(0.0005)
    assert received == body


async def test_an_upload_over_tls(contexts: Contexts, trusting: ssl.SSLContext, tmp_path: Path) -> None:
    async def session(conversation: Conversation) -> None:
        data = await conversation.read_exactly(3_000_000)
        conversation.write(b"%d" % data.count(b"u"))

    async with serving(session, tmp_path, tls=TlsSettings(contexts), encrypted=True) as bench:
        stream = trio.SSLStream(await bench.connect(), trusting, server_hostname="www.example.com")
        async with stream:
            await stream.send_all(b"u" * 3_000_000)
            assert await stream.receive_some() == b"3000000"


@pytest.mark.parametrize(("polite", "end"), [(True, "client-closed"), (False, "tls-truncated")])
async def test_an_end_without_a_goodbye_is_noticed(contexts: Contexts, trusting: ssl.SSLContext, tmp_path: Path,
                                                   polite: bool, end: str) -> None:
    async with encrypted(contexts, tmp_path) as bench:
        plain = await bench.connect()
        stream = trio.SSLStream(plain, trusting, server_hostname="www.example.com")
        await stream.send_all(b"word\n")
        assert await stream.receive_some() == b"[secure] WORD\n"
        if polite:
            await stream.aclose()
        else:
            await plain.send_eof()
        session = await bench.watcher.wait_closed()
        await plain.aclose()
    assert session.end == end


async def wire(plain: trio.SocketStream, tls: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO,
               step: Callable[[], object], *, last: bool = True) -> object:
    """One step of a client over two memory buffers. last: whether what it has to say at its end is sent."""
    while True:
        try:
            return step()
        except ssl.SSLWantReadError:
            if outgoing.pending:
                await plain.send_all(outgoing.read())
            data = await plain.receive_some()
            if data:
                incoming.write(data)
            else:
                incoming.write_eof()
        finally:
            if last and outgoing.pending:
                await plain.send_all(outgoing.read())


@pytest.mark.parametrize("only", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("half", ["close_notify", "FIN"])
async def test_the_clients_goodbye_is_answered_with_one(
        contexts: Contexts, trusting: ssl.SSLContext, tmp_path: Path, only: ssl.TLSVersion, half: str) -> None:
    """RFC 8446 §6.1: each side says so before it closes. Without it, the end could be an attacker's."""
    trusting.minimum_version = trusting.maximum_version = only
    async with encrypted(contexts, tmp_path) as bench, await bench.connect() as plain:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = trusting.wrap_bio(incoming, outgoing, server_hostname="www.example.com")
        await wire(plain, tls, incoming, outgoing, tls.do_handshake)
        tls.write(b"word\n")
        assert await wire(plain, tls, incoming, outgoing, lambda: tls.read(100)) == b"[secure] WORD\n"
        with trio.fail_after(5):
            if half == "FIN":
                await plain.send_eof()
                # SSLEOFError, were it not there.
                assert await wire(plain, tls, incoming, outgoing, lambda: tls.read(100)) == b""
            else:
                await wire(plain, tls, incoming, outgoing, tls.unwrap)


@pytest.mark.parametrize("early", [True, False], ids=["with the handshake's end", "later"])
async def test_a_bad_record_behind_good_ones_ends_the_connection(
        contexts: Contexts, trusting: ssl.SSLContext, tmp_path: Path, early: bool) -> None:
    """In one segment, so that the socket has nothing more to tell (RFC 8446 §5.2: terminate with bad_record_mac)."""
    async with encrypted(contexts, tmp_path) as bench, await bench.connect() as plain:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = trusting.wrap_bio(incoming, outgoing, server_hostname="www.example.com")
        await wire(plain, tls, incoming, outgoing, tls.do_handshake, last=not early)
        if not early:
            tls.write(b"first\n")
            assert await wire(plain, tls, incoming, outgoing, lambda: tls.read(100)) == b"[secure] FIRST\n"
        tls.write(b"word\n")
        await plain.send_all(outgoing.read() + b"\x17\x03\x03\x00\x20" + bytes(32))
        with trio.fail_after(5), pytest.raises(ssl.SSLError, match="BAD_RECORD_MAC"):
            await wire(plain, tls, incoming, outgoing, lambda: tls.read(100))
        assert not await read_all(plain)
        session = await bench.watcher.wait_closed()
        with await bench.read() as journal:
            assert journal.stream(session.id, Stream.CLIENT).endswith(b"word\n")
        assert session.end == "tls-damaged"
        assert [handshake.outcome for handshake in await handshakes(bench)] == ["TLS 1.3"]


@pytest.mark.parametrize("polite", [True, False], ids=["close_notify", "FIN alone"])
async def test_a_session_of_tls_12_is_resumed_whoever_closed_first(
        contexts: Contexts, trusting: ssl.SSLContext, tmp_path: Path, polite: bool) -> None:
    """By its id. RFC 5246 §7.2.1: an end without close_notify is no reason not to resume."""
    trusting.maximum_version = ssl.TLSVersion.TLSv1_2
    trusting.options |= ssl.OP_NO_TICKET
    resumed = []
    session = None
    async with encrypted(contexts, tmp_path) as bench:
        for count in (1, 2):
            async with await bench.connect() as plain:
                incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
                tls = trusting.wrap_bio(incoming, outgoing, server_hostname="www.example.com", session=session)
                await wire(plain, tls, incoming, outgoing, tls.do_handshake)
                session = tls.session
                resumed.append(tls.session_reused)
                if polite:
                    await wire(plain, tls, incoming, outgoing, tls.unwrap)
            await bench.watcher.wait_closed(count)
    assert resumed == [False, True]


async def test_who_is_one_too_many_hears_nothing_in_clear_where_tls_comes_first(
        contexts: Contexts, tmp_path: Path) -> None:
    async with serving(say_lines, tmp_path, limits=Limits(connections=1), busy=b"421 busy\r\n",
                       tls=TlsSettings(contexts), encrypted=True) as bench, await bench.connect():
        async with await bench.connect() as second:
            assert await read_all(second) == b""
        session = await bench.watcher.wait_closed()
        with await bench.read() as journal:
            assert session.end == "refused"
            assert journal.stream(session.id, Stream.SERVER) == b""
