"""What a status promises: each belongs to its own request, and says what was done."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncssh
import pytest
from asyncssh import FXF_APPEND, FXF_CREAT, FXF_EXCL, FXF_READ, FXF_TRUNC, FXF_WRITE, SFTPAttrs
from asyncssh.constants import FXP_CLOSE, FXP_MKDIR, FXP_OPEN, FXP_READ, FXP_SETSTAT, FXP_WRITE
from asyncssh.packet import SSHPacket, String, UInt32, UInt64
from asyncssh.sftp import SFTPLimits

from sandbox.app import Sandbox
from sandbox.config import Config, Files, Limits
from tests.protocols.sftp.test_session import with_client
from tests.support.network import watching


@pytest.fixture
def config() -> Config:
    return Config(ports="ephemeral", limits=Limits(grace=0.1), files=Files(quota=1_000_000, entries=100))


class Requests:
    """Single requests, as they stand on the wire."""

    def __init__(self, client: asyncssh.SFTPClient) -> None:
        self._handler = client._handler

    async def open(self, path: str, flags: int, **attrs: int) -> bytes:
        request = String(path) + UInt32(flags) + SFTPAttrs(**attrs).encode(3)
        handle = await self._handler._make_request(FXP_OPEN, request)
        assert isinstance(handle, bytes)
        return handle

    async def write(self, handle: bytes, offset: int, data: bytes) -> None:
        await self._handler._make_request(FXP_WRITE, String(handle) + UInt64(offset) + String(data))

    async def read(self, handle: bytes, offset: int, length: int) -> bytes:
        answer = await self._handler._make_request(FXP_READ, String(handle) + UInt64(offset) + UInt32(length))
        assert isinstance(answer, tuple)
        return bytes(answer[0])

    async def close(self, handle: bytes) -> None:
        await self._handler._make_request(FXP_CLOSE, String(handle))

    async def set_attributes(self, path: str, **attrs: int) -> None:
        await self._handler._make_request(FXP_SETSTAT, String(path) + SFTPAttrs(**attrs).encode(3))

    async def make_directory(self, path: str, **attrs: int) -> None:
        await self._handler._make_request(FXP_MKDIR, String(path) + SFTPAttrs(**attrs).encode(3))


@asynccontextmanager
async def refused(reason: str) -> AsyncIterator[None]:
    with pytest.raises(asyncssh.SFTPError, match=reason):
        yield


@pytest.mark.parametrize(("offset", "reason"), [(1_000_000, "no room"), (2**63 - 4, "no room|that long"),
                                                (2**64 - 8, "that long")])
async def test_a_write_that_cannot_be_is_refused_itself_and_the_close_fails(
        sandbox: Sandbox, offset: int, reason: str) -> None:
    async def work(client: asyncssh.SFTPClient) -> None:
        requests = Requests(client)
        handle = await requests.open("f", FXF_WRITE | FXF_CREAT)
        await requests.write(handle, 0, b"fits")
        async with refused(reason):
            await requests.write(handle, offset, b"does not")
        await requests.write(handle, 4, b" too")
        async with refused(reason):
            await requests.close(handle)

    with watching(sandbox.journal) as watcher:
        await with_client(sandbox, work)
        await watcher.wait_closed()
    assert (sandbox.data / "homes" / "alice" / "f").read_bytes() == b"fits too", "what was answered OK is there"
    assert [exchange.outcome for _, exchange in watcher.exchanges if exchange.verb == "WRITE"] == ["FAILURE"]


async def test_what_was_refused_does_not_replace(sandbox: Sandbox) -> None:
    page = sandbox.data / "homes" / "alice" / "www" / "index.html"
    page.write_text("old")

    async def work(client: asyncssh.SFTPClient) -> None:
        requests = Requests(client)
        handle = await requests.open("www/index.html", FXF_WRITE | FXF_CREAT | FXF_TRUNC)
        await requests.write(handle, 0, b"new")
        async with refused("no room"):
            await requests.write(handle, 2_000_000, b"x")
        async with refused("no room"):
            await requests.close(handle)

    await with_client(sandbox, work)
    assert page.read_text() == "old"


async def test_create_exclusive_and_truncate_count_for_reading_too(sandbox: Sandbox) -> None:
    home = sandbox.data / "homes" / "alice"
    (home / "there").write_text("content")

    async def work(client: asyncssh.SFTPClient) -> None:
        requests = Requests(client)
        async with refused("already"):
            await requests.open("there", FXF_READ | FXF_CREAT | FXF_EXCL)
        async with refused("CREAT"):
            await requests.open("there", FXF_WRITE | FXF_EXCL)
        async with refused("no such file"):
            await requests.open("new", FXF_READ | FXF_TRUNC)
        await requests.close(await requests.open("new", FXF_READ | FXF_CREAT))
        await requests.close(await requests.open("there", FXF_READ | FXF_CREAT))
        assert (home / "there").read_text() == "content"
        await requests.close(await requests.open("there", FXF_READ | FXF_TRUNC))

    await with_client(sandbox, work)
    assert (home / "new").read_bytes() == (home / "there").read_bytes() == b""


async def test_permissions_are_kept_or_refused(sandbox: Sandbox) -> None:
    home = sandbox.data / "homes" / "alice"

    def mode(name: str) -> int:
        return os.stat(home / name).st_mode & 0o7777

    async def work(client: asyncssh.SFTPClient) -> None:
        requests = Requests(client)
        await requests.close(await requests.open("f", FXF_WRITE | FXF_CREAT, permissions=0o100640))
        await requests.make_directory("d", permissions=0o40711)
        assert (mode("f"), mode("d")) == (0o640, 0o711)
        await requests.set_attributes("f", permissions=0o100444)
        assert mode("f") == 0o444
        async with refused("permissions do not allow"):
            await requests.open("f", FXF_WRITE)
        for name, permissions in [("f", 0o4755), ("f", 0o044), ("d", 0o555), ("d", 0o2755)]:
            async with refused("Permissions are"):
                await requests.set_attributes(name, permissions=permissions, size=0, atime=1, mtime=1)
        async with refused("Permissions are"):
            await requests.make_directory("e", permissions=0o600)
        async with refused("Permissions are"):
            await requests.open("e", FXF_WRITE | FXF_CREAT, permissions=0o200)
        assert (mode("f"), mode("d")) == (0o444, 0o711)
        assert sorted(os.listdir(home)) == ["d", "f", "www"]

    await with_client(sandbox, work)


async def test_the_owner_stays_and_others_are_refused(sandbox: Sandbox) -> None:
    (sandbox.data / "homes" / "alice" / "f").write_text("x")

    async def work(client: asyncssh.SFTPClient) -> None:
        owner = await client.stat("f")
        assert owner.uid is not None
        assert owner.gid is not None
        await client.chown("f", owner.uid, owner.gid)
        async with refused("owner"):
            await client.chown("f", 0, 0)

    await with_client(sandbox, work)


async def test_the_time_of_reading_is_not_the_time_of_writing(sandbox: Sandbox) -> None:
    (sandbox.data / "homes" / "alice" / "f").write_text("x")

    async def work(client: asyncssh.SFTPClient) -> None:
        await client.utime("f", (86_400, 172_800))
        async with client.open("g", "wb") as file:
            await file.utime((259_200, 345_600))

    await with_client(sandbox, work)
    for name, times in [("f", (86_400, 172_800)), ("g", (259_200, 345_600))]:
        status = os.stat(sandbox.data / "homes" / "alice" / name)
        assert (status.st_atime, status.st_mtime) == times


async def test_answers_fit_into_openssh_s_packets(sandbox: Sandbox) -> None:
    (sandbox.data / "homes" / "alice" / "f").write_bytes(bytes(600_000))

    async def work(client: asyncssh.SFTPClient) -> None:
        requests = Requests(client)
        handle = await requests.open("f", FXF_READ)
        for offset in (0, 300_000):
            assert len(await requests.read(handle, offset, 262_144)) == 261_120
        await requests.close(handle)
        packet = await client._handler._make_request(b"limits@openssh.com")
        assert isinstance(packet, SSHPacket)
        limits = SFTPLimits.decode(packet)
        assert (limits.max_packet_len, limits.max_read_len, limits.max_write_len) == (262_144, 261_120, 261_120)
        assert limits.max_open_handles == 256

    await with_client(sandbox, work)


async def test_to_read_nothing_is_no_end_of_file(sandbox: Sandbox) -> None:
    (sandbox.data / "homes" / "alice" / "f").write_text("abc")

    async def work(client: asyncssh.SFTPClient) -> None:
        requests = Requests(client)
        handle = await requests.open("f", FXF_READ)
        for offset in (0, 3, 100):
            assert await requests.read(handle, offset, 0) == b""
        with pytest.raises(asyncssh.SFTPEOFError):
            await requests.read(handle, 3, 1)
        with pytest.raises(asyncssh.SFTPError, match="handle"):
            await requests.read(b"none", 0, 0)

    await with_client(sandbox, work)


@pytest.mark.parametrize("flags", [FXF_WRITE | FXF_CREAT, FXF_WRITE | FXF_CREAT | FXF_APPEND])
async def test_what_came_before_the_client_left_is_kept_and_not_called_complete(
        sandbox: Sandbox, flags: int) -> None:
    async def work(client: asyncssh.SFTPClient) -> None:
        requests = Requests(client)
        handle = await requests.open("part", flags)
        for piece in range(4):
            await requests.write(handle, piece * 25_000, bytes([piece]) * 25_000)

    with watching(sandbox.journal) as watcher:
        await with_client(sandbox, work)
        await watcher.wait_closed()
    expected = b"".join(bytes([piece]) * 25_000 for piece in range(4))
    assert (sandbox.data / "homes" / "alice" / "part").read_bytes() == expected
    assert [exchange.outcome for _, exchange in watcher.exchanges if exchange.verb == "WRITE"] == ["broken-off"]


async def test_the_work_of_another_stays_theirs(sandbox: Sandbox) -> None:
    folder = "/sites/files.sandbox.test"
    path = f"{folder}/essay.txt"
    numbers: set[int | None] = set()

    async def hand_in(client: asyncssh.SFTPClient) -> None:
        async with client.open(path, "wb") as file:
            await file.write(b"work")
            numbers.add((await file.stat()).uid)

    async def meddle(client: asyncssh.SFTPClient) -> None:
        requests = Requests(client)
        for flags in (FXF_WRITE, FXF_WRITE | FXF_CREAT | FXF_TRUNC, FXF_READ | FXF_TRUNC):
            async with refused("somebody else"):
                await requests.open(path, flags)
        for operation in (client.remove(path), client.rename(path, "mine"), client.posix_rename(path, "mine"),
                          client.truncate(path, 0), client.chmod(path, 0o666), client.utime(path, (0, 0))):
            async with refused("somebody else"):
                await operation
        async with client.open(path, "rb") as file:
            assert await file.read() == b"work"  # type: ignore[comparison-overlap]
            numbers.add((await file.stat()).uid)
        numbers.add((await client.stat(path)).uid)
        listed = {entry.filename: entry for entry in await client.readdir(folder)}
        numbers.add(listed["essay.txt"].attrs.uid)
        assert str(listed["essay.txt"].longname).split()[2] == "alice"
        assert str(listed["."].longname).split()[2] == "sandbox"

    async def correct(client: asyncssh.SFTPClient) -> None:
        await client.remove(path)

    await with_client(sandbox, hand_in)
    await with_client(sandbox, meddle, username="bob", password="builder")
    await with_client(sandbox, correct, username="teacher", password="chalk")
    assert len(numbers) == 1
