"""Data connections: accepted from the client alone, made back to the client alone, sessions of their own."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import trio

from sandbox.journal.records import Stream
from sandbox.net.data import DataRules
from sandbox.protocols.conversation import Conversation, TimedOut
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
