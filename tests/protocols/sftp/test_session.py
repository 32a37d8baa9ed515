"""SFTP, by asyncssh as the client of a running sandbox, and by octets that are no SSH at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncssh
import pytest
import trio
import trio_asyncio
from asyncssh.constants import FXP_WRITE
from asyncssh.packet import String, UInt64

from sandbox.app import Sandbox, running
from sandbox.config import Config, Files, Limits
from sandbox.journal.records import Stream
from tests.support.network import reader, watching


@pytest.fixture
def config() -> Config:
    return Config(ports="ephemeral", limits=Limits(grace=0.1), files=Files(quota=2_000_000, entries=1_000))


Work = Callable[[asyncssh.SFTPClient], Awaitable[None]]


async def with_client(sandbox: Sandbox, work: Work, **options: object) -> None:
    """Run asyncio code with an SFTP session of alice's."""
    host, port = sandbox.endpoints["sftp"]

    async def session() -> None:
        settings: dict[str, object] = {
            "username": "alice",
            "password": "wonderland",
            "known_hosts": None,
            "client_keys": None,
            "config": None,
            **options,
        }
        async with asyncssh.connect(host, port, **settings) as connection, connection.start_sftp_client() as client:
            await work(client)

    with trio.fail_after(20):
        async with trio_asyncio.open_loop():
            await trio_asyncio.aio_as_trio(session)()


async def test_a_file_comes_back_as_it_went_and_is_one_exchange(sandbox: Sandbox) -> None:
    content = os.urandom(1_200_000)

    async def work(client: asyncssh.SFTPClient) -> None:
        async with client.open("new.bin", "wb") as file:
            await file.write(content)
        async with client.open("new.bin", "rb") as file:
            assert await file.read() == content  # type: ignore[comparison-overlap]

    with watching(sandbox.journal) as watcher:
        await with_client(sandbox, work)
        session = await watcher.wait_closed()
    said = {exchange.verb: exchange for _, exchange in watcher.exchanges}
    for verb in ("WRITE", "READ"):
        assert (said[verb].asked, said[verb].outcome, said[verb].answered) == ("new.bin", "OK", "1200000 octets")
        assert said[verb].facts["sha256"] == hashlib.sha256(content).hexdigest()
    assert [said[verb].outcome for verb in ("handshake", "login", "disconnect")] == [
        "encrypted",
        "accepted",
        "closed",
    ]
    await sandbox.journal.settle()
    with reader(sandbox) as journal:
        wire = journal.stream(session.id, Stream.CLIENT)
        assert wire.startswith(b"SSH-2.0-")
        assert content[:64] not in wire, "what is recorded is what is on the wire"


async def test_whole_files_there_and_back(sandbox: Sandbox, tmp_path: Path) -> None:
    """As asyncssh copies them, which asks first which parts of a file are empty, where the server can tell."""
    content = os.urandom(700_000)
    (tmp_path / "up").write_bytes(content)

    async def work(client: asyncssh.SFTPClient) -> None:
        await client.put(str(tmp_path / "up"), "copy.bin")
        await client.get("copy.bin", str(tmp_path / "down"))
        await client.copy("copy.bin", "again.bin")

    await with_client(sandbox, work)
    assert (tmp_path / "down").read_bytes() == content
    assert (sandbox.data / "homes" / "alice" / "again.bin").read_bytes() == content


async def test_octets_behind_a_request_are_passed_over(sandbox: Sandbox) -> None:
    """Go's SFTP sends its whole buffer with the last part of a file."""
    written: list[bytes] = []

    async def work(client: asyncssh.SFTPClient) -> None:
        async with client.open("new.bin", "wb") as file:
            assert file._handle is not None
            request = String(file._handle) + UInt64(0) + String(b"all of it") + b"left over in the buffer"
            await client._handler._make_request(FXP_WRITE, request)
        written.append((sandbox.data / "homes" / "alice" / "new.bin").read_bytes())

    await with_client(sandbox, work)
    assert written == [b"all of it"]


async def test_a_file_is_replaced_at_its_close(sandbox: Sandbox) -> None:
    page = sandbox.data / "homes" / "alice" / "www" / "index.html"
    page.write_text("old")

    async def work(client: asyncssh.SFTPClient) -> None:
        async with client.open("www/index.html", "wb") as file:
            await file.write(b"new")
            assert page.read_text() == "old"
        assert page.read_text() == "new"

    await with_client(sandbox, work)


async def test_what_was_not_closed_does_not_replace(sandbox: Sandbox) -> None:
    page = sandbox.data / "homes" / "alice" / "www" / "index.html"
    page.write_text("old")

    with watching(sandbox.journal) as watcher:
        host, port = sandbox.endpoints["sftp"]

        async def session() -> None:
            connection = await asyncssh.connect(
                host, port, username="alice", password="wonderland", known_hosts=None, client_keys=None, config=None
            )
            client = await connection.start_sftp_client()
            file = await client.open("www/index.html", "wb")
            await file.write(b"half")
            connection.abort()
            await connection.wait_closed()

        async with trio_asyncio.open_loop():
            await trio_asyncio.aio_as_trio(session)()
        await watcher.wait_closed()
    assert page.read_text() == "old"
    assert os.listdir(page.parent) == ["index.html"]


async def test_parts_are_read_and_written_in_any_order(sandbox: Sandbox) -> None:
    async def work(client: asyncssh.SFTPClient) -> None:
        async with client.open("f", "wb") as file:
            await file.write(b"c", 2)
            await file.write(b"a", 0)
            await file.write(b"b", 1)
        async with client.open("f", "ab") as file:
            await file.write(b"d")
        async with client.open("f", "r+b") as file:
            assert await file.read(2, 1) == b"bc"  # type: ignore[comparison-overlap]
            await file.write(b"X", 1)
            assert await file.read(4, 0) == b"aXcd"  # type: ignore[comparison-overlap]
            assert (await file.stat()).size == 4
            assert not await file.read(10, 100)
            with pytest.raises(asyncssh.SFTPFailure, match="No file is that long"):
                await file.read(10, 2**63)

    await with_client(sandbox, work)


async def test_the_folder_can_be_full(sandbox: Sandbox) -> None:
    async def work(client: asyncssh.SFTPClient) -> None:
        file = await client.open("big", "wb")
        with pytest.raises(asyncssh.SFTPError, match="no room"):
            await file.write(bytes(3_000_000))
        with contextlib.suppress(asyncssh.SFTPError):
            await file.close()
        async with client.open("small", "wb") as file:
            await file.write(b"fits")

    await with_client(sandbox, work)


async def test_how_much_room_there_is(tmp_path: Path) -> None:
    """As sftp's own df, sshfs's and `rclone about` ask: what a place's quota says, and nothing of the disk."""
    (tmp_path / "handout").mkdir()
    (tmp_path / "handout" / "task.txt").write_bytes(bytes(5_000))
    (tmp_path / "world.toml").write_text('[[site]]\nhost = "handout.example.com"\nfolder = "handout"\n')
    (tmp_path / "data").mkdir()
    found: list[asyncssh.SFTPVFSAttrs] = []

    async def work(client: asyncssh.SFTPClient) -> None:
        async with client.open("f", "wb") as file:
            await file.write(bytes(100_000))
        async with client.open("f", "rb") as reading, client.open("f", "r+b") as changing:
            found.extend([await reading.statvfs(), await changing.statvfs()])
        found.extend([await client.statvfs("/"), await client.statvfs("/sites/handout.example.com")])

    settings = Config(ports="ephemeral", world=str(tmp_path / "world.toml"), limits=Limits(grace=0.1),
                      files=Files(quota=2_048_000, entries=1_000))
    async with running(settings, tmp_path / "data") as started:
        with watching(started.journal) as watcher:
            await with_client(started, work)
            await watcher.wait_closed()
        asked = [(exchange.asked, exchange.outcome, exchange.answered) for _, exchange in watcher.exchanges
                 if exchange.verb == "STATVFS"]
    room = asyncssh.SFTPVFSAttrs(bsize=1024, frsize=1024, blocks=2_000, bfree=1_902, bavail=1_902, files=1_000,
                                 ffree=998, favail=998, namemax=255)
    full = asyncssh.SFTPVFSAttrs(bsize=1024, frsize=1024, blocks=5, files=1, flags=1, namemax=255)
    assert list(map(str, found)) == [*[str(room)] * 3, str(full)], "f and the folder www, in whole blocks"
    assert asked == [
        *[(path, "OK", "100000 of 2048000 octets, 2 of 1000 files and folders") for path in ("f", "f", "/")],
        ("/sites/handout.example.com", "OK", "5000 of 5000 octets, 1 of 1 files and folders")]


async def test_only_what_there_is_is_announced(sandbox: Sandbox) -> None:
    """A client that is told of hard links tries them, and takes the refusal for an error."""
    async def work(client: asyncssh.SFTPClient) -> None:
        assert client._handler._supports_posix_rename
        assert client._handler._supports_statvfs
        assert not client._handler._supports_hardlink

    await with_client(sandbox, work)


async def test_what_cannot_be_done(sandbox: Sandbox) -> None:
    home = sandbox.data / "homes" / "alice"
    (home / "out").symlink_to("/etc")

    async def work(client: asyncssh.SFTPClient) -> None:
        refusals: list[tuple[type[Exception], Awaitable[object]]] = [
            (asyncssh.SFTPNoSuchFile, client.stat("nothing")),
            (asyncssh.SFTPNoSuchFile, client.stat("../../etc/passwd")),
            (asyncssh.SFTPError, client.stat("out/passwd")),
            (asyncssh.SFTPOpUnsupported, client.symlink("/etc", "link")),
            (asyncssh.SFTPOpUnsupported, client.readlink("out")),
            (asyncssh.SFTPOpUnsupported, client.link("www", "link")),
            (asyncssh.SFTPNoSuchFile, client.statvfs("nothing")),
            (asyncssh.SFTPPermissionDenied, client.rmdir("/public")),
            (asyncssh.SFTPError, client.mkdir("a\nb")),
            (asyncssh.SFTPError, client.mkdir(b"\xff")),
            (asyncssh.SFTPError, client.rename("www", "public")),
            (asyncssh.SFTPError, client.open("www", "wb")),
            (asyncssh.SFTPError, client.open("/etc/passwd")),
            (asyncssh.SFTPError, client.rename("www", "../../../tmp/www")),
        ]
        for refused, operation in refusals:
            with pytest.raises(refused):
                await operation

    with watching(sandbox.journal) as watcher:
        await with_client(sandbox, work)
        await watcher.wait_closed()
    assert sorted(os.listdir(home)) == ["out", "www"]
    assert {"NO_SUCH_FILE", "PERMISSION_DENIED", "FAILURE", "OP_UNSUPPORTED"} <= {
        exchange.outcome for _, exchange in watcher.exchanges
    }


async def test_keys_from_the_world_file(tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    public = key.export_public_key().decode().strip()
    (tmp_path / "world.toml").write_text(f'[people.mei]\npassword = "x"\nssh_keys = ["{public}"]\n')
    (tmp_path / "data").mkdir()

    async def work(client: asyncssh.SFTPClient) -> None:
        assert sorted(await client.listdir("/")) == [".", "..", "public", "sites", "www"]

    world = str(tmp_path / "world.toml")
    async with running(
        Config(ports="ephemeral", world=world, limits=Limits(grace=0.1)), tmp_path / "data"
    ) as started:
        await with_client(started, work, username="mei", password=None, client_keys=[key])
        with pytest.RaisesGroup(asyncssh.PermissionDenied, flatten_subgroups=True):
            await with_client(started, work, username="alice", password=None, client_keys=[key])


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"GET / HTTP/1.1\r\n\r\n",
        b"SSH-2.0-x\r\n" + b"\xff" * 64,
        b"SSH-1.5-old\r\n",
        b"SSH-2.0-x\r\n\x00\x00\x00\x0c\x0a\x14" + bytes(10),
        b"x" * 70_000,
        b"SSH-2.0-x\r\n" + os.urandom(5000),
    ],
)
async def test_garbage_is_refused_and_noted(sandbox: Sandbox, garbage: bytes) -> None:
    with watching(sandbox.journal) as watcher:
        stream = await trio.open_tcp_stream(*sandbox.endpoints["sftp"])
        async with stream:
            with trio.fail_after(10):
                try:
                    await stream.send_all(garbage)
                    await stream.send_eof()
                    while await stream.receive_some():
                        pass
                except trio.BrokenResourceError:
                    pass
        session = await watcher.wait_closed()
    assert session.end != "failed"
    assert [(exchange.verb, exchange.outcome) for _, exchange in watcher.exchanges][:1] == [("handshake", "failed")]
