"""How data moves: large files again and again, small ones at once, and line ends; nothing is left behind."""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from sandbox.app import Sandbox, running
from sandbox.config import Config, Ftp, Limits
from sandbox.journal.bodies import folder_of
from sandbox.journal.records import Stream
from sandbox.journal.store import FILE
from sandbox.protocols.ftp.transfer import LITTLE, PIECE, Count, from_network, to_network
from tests.support.ftp import FtpClient, ftp
from tests.support.network import reader

LARGE = os.urandom(1 << 16) * 40
"""More than one piece."""


@pytest.fixture
def config() -> Config:
    return Config(ports="ephemeral", limits=Limits(grace=0.1))


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[FtpClient]:
    async with ftp(sandbox) as connected:
        await connected.login()
        yield connected


def home(sandbox: Sandbox) -> Path:
    return sandbox.data / "homes" / "alice"


async def kept(sandbox: Sandbox) -> tuple[list[bytes], int]:
    """What the journal says was sent over data connections, and how many long bodies it keeps."""
    await sandbox.journal.settle()
    with reader(sandbox) as journal:
        sent = [journal.stream(session.id, Stream.SERVER) for session in journal.sessions(service="ftp-data")]
    return [data for data in sent if data], len(list(folder_of(sandbox.data / FILE).iterdir()))


async def test_a_file_that_was_sent_is_fetched_often_and_kept_once(sandbox: Sandbox, client: FtpClient) -> None:
    await client.give("STOR f", LARGE)
    for _ in range(3):
        assert await client.fetch("RETR f") == LARGE
    assert await kept(sandbox) == ([LARGE] * 3, 1)
    with reader(sandbox) as journal:
        for session, exchange in journal.exchanges(service="ftp-data"):
            assert exchange.facts["sha256"] == hashlib.sha256(LARGE).hexdigest(), session
            assert exchange.facts["octets"] == str(len(LARGE))


async def test_a_file_from_elsewhere_is_kept_once_too(sandbox: Sandbox, client: FtpClient) -> None:
    path = home(sandbox) / "f"
    path.write_bytes(LARGE)
    while time.time_ns() - path.stat().st_ctime_ns < 100_000_000:  # until it has settled
        await trio.lowlevel.checkpoint()
    for _ in range(3):
        assert await client.fetch("RETR f") == LARGE
    assert await kept(sandbox) == ([LARGE] * 3, 1)


async def test_a_changed_file_is_fetched_as_it_is_now(sandbox: Sandbox, client: FtpClient) -> None:
    path = home(sandbox) / "f"
    await client.give("STOR f", LARGE)
    assert await client.fetch("RETR f") == LARGE
    with path.open("r+b") as file:
        file.write(b"changed in place")
    changed = b"changed in place" + LARGE[16:]
    assert await client.fetch("RETR f") == changed
    await client.give("APPE f", b"and longer")
    assert await client.fetch("RETR f") == changed + b"and longer"
    await client.give("STOR f", LARGE[::-1])
    assert await client.fetch("RETR f") == LARGE[::-1]
    sent, _ = await kept(sandbox)
    assert sent == [LARGE, changed, changed + b"and longer", LARGE[::-1]]


async def test_a_part_of_a_large_file(sandbox: Sandbox, client: FtpClient) -> None:
    await client.give("STOR f", LARGE)
    for start in (1, PIECE, len(LARGE) - 1):
        await client.expect((f"REST {start}", "350"))
        assert await client.fetch("RETR f") == LARGE[start:]
    await client.expect(("TYPE A", "200"))
    assert await client.fetch("RETR f") == to_network(LARGE, after_cr=False)


@pytest.mark.parametrize("size", [0, 1, LITTLE, LITTLE + 1, PIECE, PIECE + 1])
async def test_every_size(sandbox: Sandbox, client: FtpClient, size: int) -> None:
    content = LARGE[:size]
    await client.give("STOR f", content)
    assert await client.fetch("RETR f") == content
    assert await client.fetch("RETR f") == content


async def test_a_little_is_over_before_the_next_command(sandbox: Sandbox, client: FtpClient) -> None:
    await client.give("STOR f", b"little")
    data = await client.open()
    await client.send("RETR f\r\nNOOP")
    assert [(await client.reply())[:3] for _ in range(3)] == ["150", "226", "200"]
    async with data:
        assert await data.receive_some() == b"little"
        assert await data.receive_some() == b""
    await sandbox.journal.settle()
    with reader(sandbox) as journal:
        [exchange] = [exchange for session, exchange in journal.exchanges() if exchange.verb == "RETR"
                      and session.service == "ftp"]
    assert (exchange.outcome, exchange.facts["octets"]) == ("226", "6")


async def test_one_passive_port_serves_one_transfer_after_another(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = Config(ports="ephemeral", limits=Limits(grace=0.1), ftp=Ftp(passive_ports=(port, port)))
    async with running(config, tmp_path) as started, ftp(started) as client:
        await client.login()
        await client.give("STOR f", b"content")
        for _ in range(5):  # who closes first holds the port for a minute (RFC 9293 §3.6.1), and that is the server
            assert await client.fetch("RETR f") == b"content"


def open_below(folder: Path) -> list[str]:
    """The files of a folder that this process has open, also those that have been deleted meanwhile."""
    found = []
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{descriptor}")
        except FileNotFoundError:
            continue
        if target.startswith(f"{folder}/"):
            found.append(target)
    return found


@pytest.mark.parametrize("size", [0, 10, PIECE, PIECE + 1, 5 * PIECE])
async def test_files_are_closed_after_a_transfer(client: FtpClient, sandbox: Sandbox, size: int) -> None:
    # A file that stays open also keeps its room on the disk once another has taken its name.
    content = os.urandom(size)
    await client.give("STOR file.bin", content)
    assert await client.fetch("RETR file.bin") == content
    assert await client.fetch("RETR file.bin") == content
    await client.expect(("DELE file.bin", "250"))
    assert open_below(sandbox.data / "homes") == []


async def test_files_are_closed_after_a_transfer_that_nobody_fetched(client: FtpClient, sandbox: Sandbox) -> None:
    await client.give("STOR file.bin", bytes(40 * PIECE))  # more than the system holds for a connection
    data = await client.open()
    await client.expect(("RETR file.bin", "150"))
    await client.expect(("ABOR", "4"))
    await client.reply()
    await data.aclose()
    assert open_below(sandbox.data / "homes") == []


@given(st.binary(max_size=60).map(lambda data: data.replace(b"\x00", b"\r").replace(b"\x01", b"\n")),
       st.lists(st.integers(1, 9), max_size=20))
def test_line_ends_do_not_depend_on_the_pieces(data: bytes, sizes: list[int]) -> None:
    sent, after_cr, position = b"", False, 0
    for size in [*sizes, len(data)]:
        piece = data[position:position + size]
        position += len(piece)
        if piece:
            sent += to_network(piece, after_cr)
            after_cr = piece.endswith(b"\r")
    assert sent == to_network(data, after_cr=False)
    kept, rest, position = b"", b"", 0
    for size in [*sizes, len(sent)]:
        more, rest = from_network(rest + sent[position:position + size])
        position += size
        kept += more
    assert kept + rest == data.replace(b"\r\n", b"\n")


def test_the_summary_of_a_count() -> None:
    count = Count()
    count.add(3_000_000)
    count.seconds = 1.5
    assert count.summary == "3000000 octets in 1.500 s, 2.0 MB/s"
    count.octets, count.seconds = 3, 1.0
    assert count.summary == "3 octets in 1.000 s, 0.0 kB/s"


@pytest.mark.parametrize("octets", [LITTLE, LITTLE + 1])
async def test_a_data_connection_that_was_reset_before_the_command(sandbox: Sandbox, client: FtpClient,
                                                                   caplog: pytest.LogCaptureFixture,
                                                                   octets: int) -> None:
    (home(sandbox) / "f").write_bytes(bytes(octets))
    for line in ("RETR f", "LIST", "STOR g"):
        data = await client.open()
        assert isinstance(data, trio.SocketStream)
        data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        data.socket.close()
        assert (await client.ask(line)).startswith("150")
        assert await client.reply() == "426 The data connection was lost"
    assert not caplog.records
