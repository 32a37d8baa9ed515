"""Data connections: accepted from the client alone, made back to the client alone, sessions of their own."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing

from sandbox.journal.records import Cut, Stream
from sandbox.net.data import DataRules
from sandbox.net.layers.tls.channel import TlsSettings
from sandbox.net.layers.tls.contexts import Contexts
from sandbox.protocols.contract.conversation import (
    Closed,
    Conversation,
    ConversationError,
    DataConversation,
    DataPort,
    TimedOut,
)
from tests.support.ftp import trusting
from tests.support.network import Bench, read_all, serving


async def passive(conversation: Conversation) -> None:
    """Tells a port, says hello on the connection that comes, and says on the first one what it heard there."""
    port = conversation.listen()
    await conversation.send(f"{port.address.host} {port.address.port}\n".encode())
    await conversation.flush()
    try:
        data = await port.accept()
    except TimedOut:
        conversation.write(b"nobody came\n")
        return
    finally:
        port.close()
    exchange = data.begin("DATA", "hello")
    data.write(b"hello")
    await data.flush()
    heard = bytearray()
    while piece := await data.read_some():
        heard += piece
    exchange.end("done")
    await data.aclose()
    conversation.write(b"heard %d\n" % len(heard))


async def told(stream: trio.SocketStream) -> tuple[str, int]:
    host, port = (await stream.receive_some()).split()
    return host.decode(), int(port)


async def test_passive_both_ways_and_recorded_as_a_child(tmp_path: Path) -> None:
    async with serving(passive, tmp_path) as bench:
        stream = await bench.connect()
        async with stream:
            host, port = await told(stream)
            assert host == "127.0.0.1"
            async with await trio.open_tcp_stream(host, port) as data:
                await data.send_all(b"x" * 100_000)
                await data.send_eof()
                assert await read_all(data) == b"hello"
            assert await read_all(stream) == b"heard 100000\n"
        await bench.watcher.wait_closed(2)
        with await bench.read() as journal:
            control, child = journal.sessions()
            assert (child.parent, child.service, child.protocol) == (control.id, "test-data", "tcp")
            assert child.end == "client-closed"
            assert child.facts["open"]["mss"]
            assert journal.stream(child.id, Stream.CLIENT) == b"x" * 100_000
            assert journal.stream(child.id, Stream.SERVER) == b"hello"


async def test_another_address_is_refused_and_the_client_still_served(tmp_path: Path) -> None:
    async with serving(passive, tmp_path) as bench:
        stream = await bench.connect()
        async with stream:
            host, port = await told(stream)
            with socket.socket() as thief:
                thief.bind(("127.0.0.2", 0))
                await trio.to_thread.run_sync(thief.connect, (host, port))
                await bench.watcher.wait_closed()
                with pytest.raises(ConnectionResetError):
                    await trio.to_thread.run_sync(thief.recv, 10)
            async with await trio.open_tcp_stream(host, port) as data:
                await data.send_eof()
                assert await read_all(data) == b"hello"
            assert await read_all(stream) == b"heard 0\n"
    assert bench.watcher.closed[0].end == "refused"


async def test_nobody_comes(tmp_path: Path) -> None:
    async with serving(passive, tmp_path) as bench:
        bench.server._data_rules = DataRules(seconds=0.05)
        stream = await bench.connect()
        async with stream:
            host, port = await told(stream)
            assert await read_all(stream) == b"nobody came\n"
            with pytest.raises(OSError, match=r"all attempts|refused"):
                await trio.open_tcp_stream(host, port)


async def test_the_port_range_and_the_advertised_address(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    async with serving(passive, tmp_path) as bench:
        bench.server._data_rules = DataRules(number, number, "192.0.2.7", 5)
        first = await bench.connect()
        async with first:
            assert await told(first) == ("192.0.2.7", number)
            second = await bench.connect()
            async with second:
                assert await read_all(second) == b""
        assert (await bench.watcher.wait_closed()).end == "failed", "a session that does not expect OSError"


async def test_active_mode_connects_to_the_client(tmp_path: Path) -> None:
    listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    port: int = listener.socket.getsockname()[1]

    async def session(conversation: Conversation) -> None:
        data = await conversation.connect_back(port)
        data.write(b"a file")
        await data.aclose()
        conversation.write(b"sent\n")

    async with listener, serving(session, tmp_path) as bench:
        stream = await bench.connect()
        async with stream:
            with trio.fail_after(5):
                async with await listener.accept() as data:
                    assert await read_all(data) == b"a file"
            assert await read_all(stream) == b"sent\n"
        await check_child(bench)


async def check_child(bench: Bench) -> None:
    await bench.watcher.wait_closed(2)
    with await bench.read() as journal:
        control, child = journal.sessions()
        assert child.parent == control.id
        assert journal.stream(child.id, Stream.SERVER) == b"a file"


async def test_active_mode_where_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]

        async def session(conversation: Conversation) -> None:
            with pytest.raises(ConnectionRefusedError):
                await conversation.connect_back(port)
            conversation.write(b"425\n")

        async with serving(session, tmp_path) as bench:
            stream = await bench.connect()
            async with stream:
                assert await read_all(stream) == b"425\n"


@pytest.mark.parametrize("waiting", [False, True], ids=["before anybody waits", "while somebody waits"])
async def test_a_port_that_is_closed_says_so(tmp_path: Path, waiting: bool) -> None:
    async def session(conversation: Conversation) -> None:
        port = conversation.listen()
        if not waiting:
            port.close()
            assert port.accept_now() is None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(closed, port)
            await trio.testing.wait_all_tasks_blocked()
            port.close()
        conversation.write(b"closed\n")

    async def closed(port: DataPort) -> None:
        with pytest.raises(Closed):
            await port.accept()

    async with serving(session, tmp_path) as bench, await bench.connect() as stream:
        assert await read_all(stream) == b"closed\n"


async def test_abort_resets_and_is_recorded(tmp_path: Path) -> None:
    async def session(conversation: Conversation) -> None:
        port = conversation.listen()
        await conversation.send(f"{port.address.host} {port.address.port}\n".encode())
        await conversation.flush()
        data = await port.accept()
        port.close()
        await data.read_exactly(1)
        data.write(b"never")
        data.abort()

    async with serving(session, tmp_path) as bench:
        stream = await bench.connect()
        async with stream:
            async with await trio.open_tcp_stream(*await told(stream)) as data:
                await data.send_all(b"x")
                with pytest.raises(trio.BrokenResourceError):
                    await data.receive_some()
            await read_all(stream)
        await bench.watcher.wait_closed(2)
    assert "server-reset" in {session.end for session in bench.watcher.closed}


# -- files that the kernel sends -----------------------------------------------------------------------------------

CONTENT = bytes(range(256)) * 64_000
"""Sixteen mebibytes: more than the system holds for a connection."""


class Files:
    """A session that takes a file, and then sends it as often as it is asked; `after` is called when octets have
    passed. Its answers say how each ended."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.after: Callable[[], None] = lambda: None

    async def __call__(self, conversation: Conversation) -> None:
        port = conversation.listen()
        try:
            await conversation.send(f"{port.address.host} {port.address.port}\n".encode())
            await conversation.flush()
            await self.take(await port.accept())
            while await conversation.read_line() == b"again\n":
                conversation.write(await self.give(await port.accept()))
                await conversation.flush()
        finally:
            port.close()

    async def take(self, data: DataConversation) -> None:
        exchange = data.begin("STOR")
        received = bytearray()
        while piece := await data.read_some(1 << 20):
            received += piece
        self.path.write_bytes(received)
        data.remember(self.path.stat(), sent=False)
        exchange.end("done")
        await data.aclose()

    async def give(self, data: DataConversation) -> bytes:
        exchange = data.begin("RETR")
        try:
            with self.path.open("rb") as file:
                known = await data.send_known(file.fileno(), lambda count: self.after())
        except (OSError, ConversationError) as error:
            exchange.end("failed")
            data.abort()
            return f"{type(error).__name__} {getattr(error, 'errno', 0)}\n".encode()
        exchange.end("done")
        await data.aclose()
        return b"known\n" if known else b"unknown\n"


@asynccontextmanager
async def filed(bench: Bench) -> AsyncIterator[tuple[trio.SocketStream, tuple[str, int]]]:
    """A connection to `Files`, with CONTENT taken; and its data port."""
    stream = await bench.connect()
    async with stream:
        place = await told(stream)
        async with await trio.open_tcp_stream(*place) as data:
            await data.send_all(CONTENT)
            await data.send_eof()
            assert await read_all(data) == b""
        yield stream, place


async def fetched(stream: trio.SocketStream, place: tuple[str, int]) -> tuple[bytes, bytes]:
    """What came, and what was said of it."""
    async with await trio.open_tcp_stream(*place) as data:
        await stream.send_all(b"again\n")
        return await read_all(data), await stream.receive_some()


async def test_a_file_that_was_received_is_sent_by_the_kernel_and_recorded_whole(tmp_path: Path) -> None:
    files = Files(tmp_path / "file")
    async with serving(files, tmp_path, body_limit=1 << 25) as bench:
        async with filed(bench) as (stream, place):
            for _ in range(2):
                assert await fetched(stream, place) == (CONTENT, b"known\n")
            files.path.write_bytes(CONTENT[::-1])
            assert await fetched(stream, place) == (b"", b"unknown\n"), "another content of the same size"
        await bench.watcher.wait_closed(5)
        with await bench.read() as journal:
            sent = [journal.stream(session.id, Stream.SERVER) for session in journal.sessions(service="test-data")]
            assert sent == [b"", CONTENT, CONTENT, b""]
        assert len(list((tmp_path / "bodies").iterdir())) == 1


async def test_a_file_that_is_changed_meanwhile_is_not_sent_to_its_end(tmp_path: Path) -> None:
    files = Files(tmp_path / "file")
    files.after = lambda: os.utime(files.path)
    async with serving(files, tmp_path, body_limit=500_000) as bench:
        async with filed(bench) as (stream, place):
            came, said = await fetched(stream, place)
        assert said == b"OSError %d\n" % errno.ESTALE
        assert CONTENT.startswith(came)
        await bench.watcher.wait_closed(3)
        with await bench.read() as journal:
            last = list(journal.sessions(service="test-data"))[-1]
            [exchange] = [exchange for session, exchange in journal.exchanges() if exchange.verb == "RETR"]
    assert (last.end, exchange.outcome) == ("server-reset", "failed")
    assert "changed" in exchange.facts["uncertain"]
    whole = exchange.server[1]
    assert whole > 500_000
    assert exchange.cuts == [Cut(Stream.SERVER, whole, hashlib.sha256(CONTENT[:whole]).hexdigest())]


async def test_a_client_that_leaves_in_the_middle(tmp_path: Path) -> None:
    files = Files(tmp_path / "file")
    async with serving(files, tmp_path, body_limit=1 << 25) as bench:
        async with filed(bench) as (stream, place):
            with socket.socket() as data:
                data.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                await trio.to_thread.run_sync(data.connect, place)
                await stream.send_all(b"again\n")
                await trio.to_thread.run_sync(data.recv, 1000)
            assert await stream.receive_some() == b"Closed 0\n"
        await bench.watcher.wait_closed(3)
        with await bench.read() as journal:
            last = list(journal.sessions(service="test-data"))[-1]
            sent = journal.stream(last.id, Stream.SERVER)
            [exchange] = [exchange for session, exchange in journal.exchanges() if exchange.verb == "RETR"]
    assert len(sent) < len(CONTENT), "it did not fit into the buffers"
    assert CONTENT.startswith(sent)
    assert exchange.server == (0, len(sent))


async def test_over_tls_nothing_is_known(tmp_path: Path) -> None:
    async def session(conversation: Conversation) -> None:
        port = conversation.listen()
        await conversation.send(f"{port.address.host} {port.address.port}\n".encode())
        await conversation.flush()
        data = await port.accept()
        port.close()
        await data.start_tls()
        (tmp_path / "file").write_bytes(CONTENT)
        await data.send(CONTENT)
        data.remember((tmp_path / "file").stat(), sent=True)
        with (tmp_path / "file").open("rb") as file:
            assert not await data.send_known(file.fileno(), lambda count: None)
        await data.aclose()

    async with serving(session, tmp_path, tls=TlsSettings(Contexts(tmp_path / "ca"))) as bench:
        stream = await bench.connect()
        async with stream:
            place = await told(stream)
            plain = await trio.open_tcp_stream(*place)
            async with trio.SSLStream(plain, trusting(), server_hostname="localhost") as data:
                assert await read_all(data) == CONTENT
