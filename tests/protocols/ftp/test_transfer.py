"""What a transfer leaves behind when it is over: nothing."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.app import Sandbox
from sandbox.config import Config, Limits
from sandbox.protocols.ftp.transfer import PIECE
from tests.support.ftp import FtpClient, ftp


@pytest.fixture
def config() -> Config:
    return Config(ports="ephemeral", limits=Limits(grace=0.1))


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[FtpClient]:
    async with ftp(sandbox) as connected:
        await connected.login()
        yield connected


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
    await client.give("STOR file.bin", bytes(5 * PIECE))
    data = await client.open()
    await client.expect(("RETR file.bin", "150"))
    await client.expect(("ABOR", "4"))
    await client.reply()
    await data.aclose()
    assert open_below(sandbox.data / "homes") == []
