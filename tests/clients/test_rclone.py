"""rclone, which is written in Go with libraries of its own for FTP and SFTP, as a client."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandbox.app import Sandbox
from sandbox.config import Config, Limits
from tests.support.network import watching
from tests.support.programs import run

pytestmark = pytest.mark.program("rclone", "rclone")

FILES = {
    "index.html": b"<h1>hello</h1>",
    "with space/ünïcödé [1] \"q\".txt": b"u",
    "empty": b"",
    "sub/deep/big.bin": os.urandom(3_000_000),
    **{f"many/file{number}": os.urandom(100) for number in range(60)},
}

REMOTES = {"ftp": "type = ftp", "explicit": "type = ftp\nexplicit_tls = true\nno_check_certificate = true",
           "ftps": "type = ftp\ntls = true\nno_check_certificate = true", "sftp": "type = sftp"}
"""How each is configured, beside the address and the person."""


@pytest.fixture
def config() -> Config:
    return Config(ports="ephemeral", limits=Limits(grace=0.1))


async def configured(sandbox: Sandbox, folder: Path, way: str) -> list[str]:
    """rclone with a remote called "box"."""
    host, port = sandbox.endpoints["ftp" if way == "explicit" else way]
    secret = (await run("rclone", "obscure", "wonderland")).text
    (folder / "rclone.conf").write_text(
        f"[box]\n{REMOTES[way]}\nhost = {host}\nport = {port}\nuser = alice\npass = {secret}\n")
    return ["rclone", "--config", str(folder / "rclone.conf"), "--retries", "1"]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("way", REMOTES)
async def test_rclone_keeps_two_folders_alike(sandbox: Sandbox, tmp_path: Path, way: str) -> None:
    rclone = await configured(sandbox, tmp_path, way)
    source, home = tmp_path / "source", sandbox.data / "homes" / "alice"
    for name, content in FILES.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    await run(*rclone, "copy", "--transfers", "8", source, "box:up")
    assert contents(home / "up") == FILES
    await run(*rclone, "check", "--download", source, "box:up")
    (source / "index.html").write_bytes(b"a longer page than before")
    (source / "empty").unlink()
    await run(*rclone, "sync", source, "box:up")
    assert contents(home / "up") == contents(source)
    await run(*rclone, "copy", "box:up", tmp_path / "copy")
    assert contents(tmp_path / "copy") == contents(source)
    assert (await run(*rclone, "cat", "--offset", "1000", "--count", "9", "box:up/sub/deep/big.bin")).output == (
        FILES["sub/deep/big.bin"][1000:1009])
    await run(*rclone, "moveto", "box:up/index.html", "box:up/moved")
    await run(*rclone, "rcat", "box:up/streamed", stdin=b"from a pipe")
    assert (home / "up" / "streamed").read_bytes() == b"from a pipe"
    await run(*rclone, "purge", "box:up")
    assert os.listdir(home) == ["www"]


async def test_rclone_does_without_a_shell(sandbox: Sandbox, tmp_path: Path) -> None:
    rclone = await configured(sandbox, tmp_path, "sftp")
    (tmp_path / "copy").mkdir()
    for folder in (tmp_path / "copy", sandbox.data / "homes" / "alice" / "www"):
        (folder / "page.html").write_text("hello")
    with watching(sandbox.journal) as watcher:
        said = await run(*rclone, "check", tmp_path / "copy", "box:www")
        await watcher.wait_closed()
    assert "1 matching files" in said.errors, "by their sizes"
    asked = {exchange.asked: exchange.outcome for _, exchange in watcher.exchanges if exchange.verb == "exec"}
    assert asked["md5sum"] == "refused"
