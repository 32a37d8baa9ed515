"""A compressed conversation over real sockets, in clear and over TLS: any chunking, bombs, damage, both views."""

from __future__ import annotations

import random
import ssl
import zlib
from pathlib import Path

import pytest
import trio

from sandbox.config import Limits
from sandbox.journal.records import Stream
from sandbox.net.layers.tls.channel import TlsSettings
from sandbox.net.layers.tls.contexts import Contexts
from sandbox.pki import ca_path
from sandbox.protocols.contract.conversation import Conversation, TooLong
from tests.support.network import pieces, read_all, serving

HELLO = b"compress\n"


async def say_lines(conversation: Conversation) -> None:
    """Answers lines in capitals; `compress` compresses, `quit` ends."""
    while True:
        try:
            line = await conversation.read_line(100_000)
        except TooLong:
            conversation.write(b"too long\n")
            return
        exchange = conversation.begin("say", line[:20].decode("latin-1").strip())
        conversation.write(line.upper())
        exchange.end("ok")
        if line == b"quit\n":
            return
        if line == HELLO:
            await conversation.start_compression()


def packed(data: bytes, *, end: int = zlib.Z_SYNC_FLUSH) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush(end)


def unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=-15)
    found = unpacker.decompress(data)
    assert unpacker.eof, "the stream has an end"
    assert not unpacker.unused_data
    return found


async def begin(stream: trio.abc.Stream) -> None:
    await stream.send_all(HELLO)
    heard = b""
    while not heard.endswith(b"\n"):
        heard += await stream.receive_some()
    assert heard == HELLO.upper()


@pytest.mark.parametrize("seed", range(8))
async def test_any_chunking_gives_the_same_dialogue(tmp_path: Path, seed: int) -> None:
    chosen = random.Random(seed)
    lines = [bytes(chosen.choices(range(97, 123), k=chosen.choice((1, 50, 3000)))) + b"\n" for _ in range(20)]
    text = b"".join([*lines, b"quit\n"])
    wire = packed(text)
    async with serving(say_lines, tmp_path) as bench:
        async with await bench.connect() as stream:
            await begin(stream)
            for piece in pieces(wire, seed):
                await stream.send_all(piece)
            answer = await read_all(stream)
            assert unpacked(answer) == text.upper()
        session = await bench.watcher.wait_closed()
        with await bench.read() as journal:
            assert journal.stream(session.id, Stream.CLIENT) == HELLO + text
            assert journal.stream(session.id, Stream.SERVER) == (HELLO + text).upper()
            assert journal.stream(session.id, Stream.CLIENT_WIRE) == wire
            assert journal.stream(session.id, Stream.SERVER_WIRE) == answer
            for _, exchange in journal.exchanges():
                asked = journal.octets(session.id, Stream.CLIENT, *exchange.client)
                assert journal.octets(session.id, Stream.SERVER, *exchange.server) == asked.upper()


async def test_each_answer_comes_without_waiting_for_more(tmp_path: Path) -> None:
    packer, unpacker = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)
    async with serving(say_lines, tmp_path) as bench, await bench.connect() as stream:
        await begin(stream)
        for number in range(5):
            line = b"line %d\n" % number
            await stream.send_all(packer.compress(line) + packer.flush(zlib.Z_SYNC_FLUSH))
            heard = b""
            with trio.fail_after(5):
                while not heard.endswith(b"\n"):
                    heard += unpacker.decompress(await stream.receive_some())
            assert heard == line.upper()


async def test_a_bomb_swells_no_further_than_it_is_asked_for(tmp_path: Path) -> None:
    bomb = packed(b"x" * 50_000_000)
    assert len(bomb) < 60_000
    async with serving(say_lines, tmp_path) as bench:
        async with await bench.connect() as stream:
            await begin(stream)
            await stream.send_all(bomb)
            await stream.send_eof()
            assert unpacked(await read_all(stream)) == b"too long\n"
        session = await bench.watcher.wait_closed()
        with await bench.read() as journal:
            taken = len(journal.stream(session.id, Stream.CLIENT))
    assert taken < 600_000      # what a line may have, and what is read while the end is awaited


async def test_lines_that_fill_the_pieces_exactly(tmp_path: Path) -> None:
    text = (b"y" * 32_767 + b"\n") * 8
    async with serving(say_lines, tmp_path) as bench, await bench.connect() as stream:
        await begin(stream)
        await stream.send_all(packed(text))
        unpacker = zlib.decompressobj(wbits=-15)
        heard = b""
        with trio.fail_after(5):
            while len(heard) < len(text):
                heard += unpacker.decompress(await stream.receive_some())
        assert heard == text.upper()


async def test_the_end_of_the_compressed_stream_is_the_end(tmp_path: Path) -> None:
    async with serving(say_lines, tmp_path) as bench, await bench.connect() as stream:
        await begin(stream)
        await stream.send_all(packed(b"a\n", end=zlib.Z_FINISH))
        with trio.fail_after(5):
            assert (await read_all(stream)).startswith(packed(b"A\n")[:2])
        assert (await bench.watcher.wait_closed()).end == "client-closed"


async def test_damage_ends_the_connection_and_not_the_server(tmp_path: Path) -> None:
    async with serving(say_lines, tmp_path) as bench:
        for damage in (b"\xff" * 40, b"plain text\n", bytes(range(256))):
            async with await bench.connect() as stream:
                await begin(stream)
                await stream.send_all(damage)
                await stream.send_eof()
                with trio.fail_after(5):
                    await read_all(stream)
        await bench.watcher.wait_closed(3)


async def test_empty_blocks_do_nothing(tmp_path: Path) -> None:
    async with serving(say_lines, tmp_path) as bench, await bench.connect() as stream:
        await begin(stream)
        await stream.send_all(b"\x00\x00\x00\xff\xff" * 50_000 + packed(b"quit\n"))
        with trio.fail_after(5):
            assert unpacked(await read_all(stream)) == b"QUIT\n"


async def test_a_client_that_reads_late_gets_all_of_it(tmp_path: Path) -> None:
    size = 6_000_000
    noise = random.Random(1).randbytes(size)

    async def session(conversation: Conversation) -> None:
        await conversation.start_compression()
        await conversation.send(noise)

    async with serving(session, tmp_path, limits=Limits(grace=5)) as bench, await bench.connect() as stream:
        await trio.testing.wait_all_tasks_blocked(0.05)
        with trio.fail_after(10):
            assert unpacked(await read_all(stream)) == noise


async def test_over_tls(tmp_path: Path) -> None:
    contexts = Contexts(tmp_path / "ca")
    contexts.warm()
    trusting = ssl.create_default_context(cafile=str(ca_path(tmp_path)))
    text = b"say it\n" * 2000 + b"quit\n"
    async with serving(say_lines, tmp_path, tls=TlsSettings(contexts, ("test",)), encrypted=True) as bench:
        stream = trio.SSLStream(await bench.connect(), trusting, server_hostname="www.example.com",
                                https_compatible=True)
        await begin(stream)
        await stream.send_all(packed(text))
        with trio.fail_after(5):
            answer = b"".join([data async for data in stream])
        assert unpacked(answer) == text.upper()
        await stream.aclose()
        session = await bench.watcher.wait_closed()
        with await bench.read() as journal:
            assert journal.stream(session.id, Stream.CLIENT) == HELLO + text
            assert journal.stream(session.id, Stream.CLIENT_WIRE)[:1] == b"\x16", "the wire is TLS alone"
            assert len(journal.stream(session.id, Stream.SERVER_WIRE)) < len(text)


async def test_twice_is_a_fault(tmp_path: Path) -> None:
    async def session(conversation: Conversation) -> None:
        await conversation.start_compression()
        with pytest.raises(RuntimeError):
            await conversation.start_compression()
        conversation.write(b"once")

    async with serving(session, tmp_path) as bench, await bench.connect() as stream:
        assert unpacked(await read_all(stream)) == b"once"
