"""The small services over TCP, on the real net room."""

from __future__ import annotations

import re
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from sandbox.address import Address
from sandbox.config import Config, Limits
from sandbox.config import Journal as JournalSection
from sandbox.journal.bus import Happened
from sandbox.journal.reader import Reader
from sandbox.journal.records import Exchange, Session, Stream
from sandbox.protocols.tcp.session import PATTERN, SHOWN, shown, size
from tests.support.service import STORE, serving


async def read_all(stream: trio.SocketStream) -> bytes:
    return b"".join([data async for data in stream])


async def connect(address: Address) -> trio.SocketStream:
    return await trio.open_tcp_stream(address.host, address.port)


def recorded(data: Path) -> list[tuple[Session, Exchange]]:
    with Reader(data / STORE) as reader:
        return list(reader.exchanges())


@pytest.mark.parametrize("pieces", [[b"hello\r\n"], [b"h", b"ello", b"\r\n\x00\xff"], [b"x" * 300_000], []])
async def test_echo_gives_back_what_it_gets(pieces: list[bytes], tmp_path: Path) -> None:
    async def send(stream: trio.SocketStream) -> None:
        for piece in pieces:
            await stream.send_all(piece)
        await stream.send_eof()

    async with serving("echo", tmp_path) as address, await connect(address) as stream, \
            trio.open_nursery() as nursery:
        nursery.start_soon(send, stream)
        assert await read_all(stream) == b"".join(pieces)
    with Reader(tmp_path / STORE) as reader:
        for session in reader.sessions():
            assert reader.stream(session.id, Stream.CLIENT) == b"".join(pieces)
            assert reader.stream(session.id, Stream.SERVER) == b"".join(pieces)
        for _, exchange in reader.exchanges():
            assert (exchange.verb, exchange.outcome) == ("echo", "done")


async def test_echo_shows_what_was_said(tmp_path: Path) -> None:
    async with serving("echo", tmp_path) as address, await connect(address) as stream:
        await stream.send_all(b"hello\r\n")
        await stream.send_eof()
        await read_all(stream)
    [(session, exchange)] = recorded(tmp_path)
    assert (session.service, session.protocol, session.transport) == ("echo", "tcp", "tcp")
    assert (exchange.asked, exchange.answered, exchange.client, exchange.server) == (
        "hello", "7 octets", (0, 7), (0, 7))


async def test_discard_says_nothing(tmp_path: Path) -> None:
    async with serving("discard", tmp_path) as address, await connect(address) as stream:
        await stream.send_all(b"into the void\n")
        await stream.send_eof()
        assert await read_all(stream) == b""
    [(_, exchange)] = recorded(tmp_path)
    assert (exchange.verb, exchange.asked, exchange.outcome) == ("discard", "into the void", "done")
    assert (exchange.client, exchange.server) == ((0, 14), (0, 0))


@pytest.mark.parametrize(("role", "said"), [
    ("qotd", rb"[ -~]{1,509}\r\n"),
    ("daytime", rb"[A-Z][a-z]+day, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\r\n"),
    ("time", rb"(?s).{4}"),
])
async def test_says_one_thing_and_closes(role: str, said: bytes, tmp_path: Path) -> None:
    async with serving(role, tmp_path) as address, await connect(address) as stream:
        await stream.send_all(b"this is thrown away")
        assert re.fullmatch(said, await read_all(stream))
    (_, exchange), *_ = recorded(tmp_path)
    assert (exchange.verb, exchange.outcome) == (role, "done")
    assert exchange.answered


async def test_time_is_four_octets(tmp_path: Path) -> None:
    async with serving("time", tmp_path) as address, await connect(address) as stream:
        said = await read_all(stream)
    # RFC 868: "the time 2,208,988,800 corresponds to 00:00 1 Jan 1970 GMT"
    assert len(said) == 4
    assert abs(int.from_bytes(said, "big") - (int(time.time()) + 2_208_988_800) % 2**32) <= 2


def test_chargen_pattern() -> None:
    lines = PATTERN.split(b"\r\n")[:-1]
    assert len(lines) == 95
    assert lines[0] == bytes(range(0x20, 0x20 + 72))
    assert {len(line) for line in lines} == {72}
    ring = bytes(range(0x20, 0x7F))
    for line, after in pairwise([*lines, lines[0]]):
        assert after[:-1] == line[1:]
        assert (ring * 2).index(line[-1:] + after[-1:]) >= 0


async def test_chargen_stops_when_the_client_leaves(tmp_path: Path) -> None:
    async with serving("chargen", tmp_path) as address:
        stream = await connect(address)
        got = b""
        while len(got) < 3 * len(PATTERN):
            got += await stream.receive_some()
        assert (PATTERN * (len(got) // len(PATTERN) + 1)).startswith(got)
        stream.socket.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await stream.aclose()
    [(session, exchange)] = recorded(tmp_path)
    assert (exchange.verb, exchange.outcome) == ("chargen", "left")
    assert session.end in ("client-reset", "client-closed")


async def test_chargen_stops_when_the_client_stops_reading(tmp_path: Path) -> None:
    config = Config(limits=Limits(idle=0.3))
    closed = trio.Event()

    def observe(happened: Happened) -> None:
        if happened.closed:
            closed.set()

    async with serving("chargen", tmp_path, config, observe) as address, await connect(address) as stream:
        await stream.receive_some(1)
        with trio.fail_after(20):
            await closed.wait()
    [(session, exchange)] = recorded(tmp_path)
    assert (exchange.outcome, session.end) == ("left", "idle-timeout")


async def test_chargen_ends_at_its_limit(tmp_path: Path) -> None:
    limit = 2 * len(PATTERN) + 7
    config = Config(journal=JournalSection(body_limit=limit))
    async with serving("chargen", tmp_path, config) as address, await connect(address) as stream:
        said = await read_all(stream)
    assert said == PATTERN * 2 + PATTERN[:7]
    [(_, exchange)] = recorded(tmp_path)
    assert (exchange.outcome, exchange.answered, exchange.cuts) == ("done", size(limit), [])


@given(st.binary(max_size=200))
def test_shown_is_short_text_or_a_size(data: bytes) -> None:
    text = shown(data)
    assert text.isprintable()
    assert len(text) <= SHOWN
    assert text == size(len(data)) or data.rstrip(b"\r\n") == text.encode()


@pytest.mark.parametrize(("data", "text"), [
    (b"", ""), (b"hello\r\n", "hello"), ("gr\u00fcn\n".encode(), "gr\u00fcn"), (b"\xff", "1 octet"),
    (b"\x1b[2J", "4 octets"), (b"x" * SHOWN, "x" * SHOWN), (b"x" * 1000, "1,000 octets"),
])
def test_shown(data: bytes, text: str) -> None:
    assert shown(data) == text


@pytest.mark.program("nc", "netcat-openbsd")
async def test_a_beginner_with_netcat(tmp_path: Path) -> None:
    async with serving("echo", tmp_path) as address:
        result = await trio.run_process(["nc", "-w", "1", address.host, str(address.port)], stdin=b"hello\n",
                                        capture_stdout=True, stderr=subprocess.STDOUT)
    assert result.stdout == b"hello\n"
