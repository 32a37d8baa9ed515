"""What a reply promises: nothing is called done that is not, and what is refused leaves nothing behind."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
import trio

from sandbox.app import Sandbox
from sandbox.config import Config, Files, Ftp, Limits
from tests.protocols.ftp.test_session import OFF, stalled
from tests.support.ftp import FtpClient, ftp
from tests.support.network import watching


@pytest.fixture
def config() -> Config:
    return Config(ports="ephemeral", services=dict(OFF), limits=Limits(grace=0.1), ftp=Ftp(accept_seconds=0.3),
                  files=Files(quota=5_000_000, entries=20))


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[FtpClient]:
    async with ftp(sandbox) as connected:
        await connected.login()
        yield connected


def home(sandbox: Sandbox) -> list[str]:
    return sorted(os.listdir(sandbox.data / "homes" / "alice"))


# -- what is refused leaves nothing behind -----------------------------------------------------------------------


async def test_a_restart_of_nothing_makes_nothing(client: FtpClient, sandbox: Sandbox) -> None:
    await client.expect(("REST 5", "350"), ("STOR new", "554"))
    assert home(sandbox) == ["www"]


@pytest.mark.parametrize("line", ["STOU", "STOU name", "APPE new", "STOR new"])
async def test_an_upload_without_data_connection_makes_nothing(
        client: FtpClient, sandbox: Sandbox, line: str) -> None:
    for _ in range(2):
        await client.expect(("EPSV", "229"), (line, "150"))
        assert (await client.reply()).startswith("425")
    assert home(sandbox) == ["www"]


async def test_an_empty_upload_makes_an_empty_file(client: FtpClient, sandbox: Sandbox) -> None:
    for line in ("STOU a", "APPE b", "STOR c"):
        await client.give(line, b"")
    assert home(sandbox) == ["a", "b", "c", "www"]


# -- what is broken off ------------------------------------------------------------------------------------------


async def begin_upload(client: FtpClient, line: str, content: bytes) -> trio.abc.Stream:
    """Send part of a file, and wait until all of that has come."""
    data = await client.open()
    await client.expect((line, "150"))
    await data.send_all(content)
    with trio.fail_after(5):
        while f" {len(content)} octets so far" not in await client.ask("STAT"):
            pass
    return data


@pytest.mark.parametrize("size", [1, 100_000, 1_048_576, 3_000_000])
@pytest.mark.parametrize("line", ["STOR part", "APPE part", "STOU part"])
async def test_all_that_came_is_kept(client: FtpClient, sandbox: Sandbox, line: str, size: int) -> None:
    content = os.urandom(size)
    data = await begin_upload(client, line, content)
    assert (await client.ask("ABOR")).startswith("426")
    assert (await client.reply()).startswith("226 Broken off")
    await data.aclose()
    assert (sandbox.data / "homes" / "alice" / "part").read_bytes() == content
    await client.expect((f"REST {size}", "350"))
    await client.give("STOR part", b"the rest")
    assert (sandbox.data / "homes" / "alice" / "part").read_bytes() == content + b"the rest"


async def test_what_came_of_a_text_is_kept(client: FtpClient, sandbox: Sandbox) -> None:
    await client.expect(("TYPE A", "200"))
    data = await begin_upload(client, "STOR part", b"one\r\ntwo\r")
    assert (await client.ask("ABOR")).startswith("426")
    await data.aclose()
    assert (sandbox.data / "homes" / "alice" / "part").read_bytes() == b"one\ntwo\r"


async def test_the_log_of_an_aborted_upload_says_so(client: FtpClient, sandbox: Sandbox) -> None:
    with watching(sandbox.journal) as watcher:
        data = await begin_upload(client, "STOR part", b"x" * 1000)
        await client.send("NOOP")
        assert (await client.reply()).startswith("200")
        assert (await client.ask("ABOR")).startswith("426")
        assert (await client.reply()).startswith("226")
        await data.aclose()
        data = await client.open()
        await client.expect(("STOR other", "150"))
        assert (await client.ask("ABOR")).startswith("426")
        assert (await client.reply()).startswith("226")
        await data.aclose()
        await client.ask("QUIT")
        await watcher.wait_closed(3)
    said = [(exchange.verb, exchange.outcome) for session, exchange in watcher.exchanges
            if session.service == "ftp" and exchange.verb in ("STOR", "transfer", "ABOR")]
    assert said == [("STOR", "150"), ("transfer", "426"), ("ABOR", "226"), ("STOR", "426"), ("ABOR", "226")]
    spoken = next(exchange for _, exchange in watcher.exchanges if exchange.verb == "transfer")
    assert (spoken.asked, spoken.facts["octets"], spoken.facts["file"]) == ("STOR part", "1000", "/part")


# -- TLS ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [True, False], ids=["replacing", "new"])
async def test_an_upload_whose_tls_is_cut_off_is_not_complete(sandbox: Sandbox, there: bool) -> None:
    """RFC 8446 §6.1: without a close_notify nobody knows whether that was all."""
    content = os.urandom(200_000)
    async with ftp(sandbox) as client:
        await client.secure()
        await client.login()
        if there:
            await client.give("STOR f", b"old")
        bare = await client.open()
        await client.expect(("STOR f", "150"))
        dressed = await client.dressed(bare)
        await dressed.send_all(content)
        await bare.aclose()
        assert "close_notify" in (reply := await client.reply())
        assert reply.startswith("426")
        assert await client.fetch("RETR f") == (b"old" if there else content)


# -- beside a transfer -------------------------------------------------------------------------------------------


async def test_help_and_features_do_not_wait(client: FtpClient, sandbox: Sandbox) -> None:
    data = await stalled(client, sandbox)
    await client.expect(("HELP", "214"), ("HELP RETR", "214"), ("FEAT", "211"))
    assert (await client.ask("ABOR")).startswith("426")
    await data.aclose()


async def test_another_user_does_not_change_a_transfer(client: FtpClient, sandbox: Sandbox) -> None:
    """RFC 959 §4.1.1: it is completed under the old access control parameters."""
    with watching(sandbox.journal) as watcher:
        data = await begin_upload(client, "STOR f", b"alice's, ")
        await client.expect(("USER bob", "331"), ("PASS builder", "230"))
        await data.send_all(b"all of it")
        await data.aclose()
        assert (await client.reply()).startswith("226")
        await client.expect(("SIZE f", "550"))
        await client.ask("QUIT")
        await watcher.wait_closed(2)
    assert (sandbox.data / "homes" / "alice" / "f").read_bytes() == b"alice's, all of it"
    spoken = next(exchange for _, exchange in watcher.exchanges if exchange.verb == "transfer")
    assert spoken.facts["account"] == "alice"


async def test_to_begin_again_lets_a_transfer_end(client: FtpClient, sandbox: Sandbox) -> None:
    data = await begin_upload(client, "STOR f", b"x" * 10)
    await client.expect(("REIN", "220"))
    await data.send_all(b"y")
    await data.aclose()
    assert (await client.reply()).startswith("226")
    await client.expect(("PWD", "530"))
    assert (sandbox.data / "homes" / "alice" / "f").read_bytes() == b"x" * 10 + b"y"


async def test_goodbye_comes_after_the_transfer(client: FtpClient, sandbox: Sandbox) -> None:
    """RFC 959 §4.1.1: the connection stays open for the result, then the server closes it."""
    data = await begin_upload(client, "STOR f", b"x" * 10)
    await client.send("QUIT")
    await data.send_all(b"y")
    await data.aclose()
    assert (await client.reply()).startswith("226")
    assert (await client.reply()).startswith("221")
    assert await client.closed()
    assert (sandbox.data / "homes" / "alice" / "f").read_bytes() == b"x" * 10 + b"y"


# -- what others have handed in ----------------------------------------------------------------------------------


async def test_the_work_of_another_stays_theirs(sandbox: Sandbox) -> None:
    folder = "/sites/files.sandbox.test"
    async with ftp(sandbox) as alice, ftp(sandbox) as bob, ftp(sandbox) as teacher:
        await alice.login()
        await bob.login("bob", "builder")
        await teacher.login("teacher", "chalk")
        await alice.give(f"STOR {folder}/essay.txt", b"work")
        for line in ("DELE {}", "STOR {}", "APPE {}", "SITE CHMOD 666 {}", "MFMT 20200101000000 {}"):
            assert "somebody else" in await bob.ask(line.format(f"{folder}/essay.txt")), line
        await bob.expect((f"RNFR {folder}/essay.txt", "350"), (f"RNTO {folder}/mine.txt", "550"))
        assert await bob.give(f"STOU {folder}/essay.txt", b"too") == f"150 FILE: {folder}/essay.txt.1"
        assert await bob.fetch(f"RETR {folder}/essay.txt") == b"work"
        for person in (alice, bob, teacher):
            lines = (await person.fetch(f"LIST {folder}")).decode().splitlines()
            assert [line.split()[2] for line in lines] == ["alice", "bob"]
        assert "perm=r;" in await bob.ask(f"MLST {folder}/essay.txt")
        assert "UNIX.owner=alice;" in await bob.ask(f"MLST {folder}/essay.txt")
        assert "perm=rawdf;" in await teacher.ask(f"MLST {folder}/essay.txt")
        await teacher.give(f"STOR {folder}/essay.txt", b"corrected")
        await alice.expect((f"DELE {folder}/essay.txt", "250"))
