"""Real programs as clients of FTP, in the clear and over TLS."""

from __future__ import annotations

import asyncio
import ftplib
import io
import os
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from sandbox.app import Sandbox
from sandbox.config import Config, Limits

curl_needed = pytest.mark.program("curl", "curl")
lftp_needed = pytest.mark.program("lftp", "lftp")
tnftp_needed = pytest.mark.program("tnftp", "tnftp")
ncftp_needed = pytest.mark.program("ncftpput", "ncftp")


@pytest.fixture
def config() -> Config:
    return Config(ports="ephemeral", limits=Limits(grace=0.1))


async def run(*words: str, stdin: bytes = b"", folder: Path | None = None) -> bytes:
    """What a program prints; it must succeed."""
    with trio.fail_after(30):
        done = await trio.run_process(
            list(words), stdin=stdin, capture_stdout=True, stderr=subprocess.STDOUT, check=False, cwd=folder
        )
    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")
    return bytes(done.stdout)


def make_folder(folder: Path) -> Path:
    """A small tree with the names that clients get wrong."""
    for name, content in {
        "index.html": b"<h1>hello</h1>",
        "with space.txt": b"s",
        "ünïcödé.txt": b"u",
        "empty": b"",
        "sub/deep/file.bin": os.urandom(700_000),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


CURL = {
    "ftp": ["ftp://{}/"],
    "explicit": ["-k", "--ssl-reqd", "ftp://{}/"],
    "ftps": ["-k", "ftps://{}/"],
    "active": ["--ftp-port", "-", "ftp://{}/"],
    "pasv": ["--disable-epsv", "ftp://{}/"],
}


@curl_needed
@pytest.mark.parametrize("way", CURL)
async def test_curl(sandbox: Sandbox, tmp_path: Path, way: str) -> None:
    service = "ftps" if way == "ftps" else "ftp"
    *options, base = [word.format(sandbox.endpoints[service]) for word in CURL[way]]
    curl = ["curl", "-sS", "-u", "alice:wonderland", *options]
    content = os.urandom(600_000)
    (tmp_path / "up.bin").write_bytes(content)
    await run(*curl, "-T", str(tmp_path / "up.bin"), f"{base}new/%C3%BC%20x.bin", "--ftp-create-dirs")
    assert await run(*curl, f"{base}new/%C3%BC%20x.bin") == content
    assert await run(*curl, "-r", "1000-", f"{base}new/%C3%BC%20x.bin") == content[1000:]
    assert b"x.bin" in await run(*curl, f"{base}new/")
    (tmp_path / "down.bin").write_bytes(content[:1234])
    await run(*curl, "-C", "-", "-o", str(tmp_path / "down.bin"), f"{base}new/%C3%BC%20x.bin")
    assert (tmp_path / "down.bin").read_bytes() == content
    await run(*curl, "-a", "-T", str(tmp_path / "up.bin"), f"{base}new/%C3%BC%20x.bin")
    assert len(await run(*curl, f"{base}new/%C3%BC%20x.bin")) == 1_200_000
    await run(*curl, "-o", os.devnull, base, "-Q", "DELE /new/ü x.bin", "-Q", "RMD /new")
    assert not (sandbox.data / "homes" / "alice" / "new").exists()


@curl_needed
async def test_curl_as_anonymous(sandbox: Sandbox) -> None:
    assert b"welcome.txt" in await run("curl", "-sS", f"ftp://{sandbox.endpoints['ftp']}/")


@lftp_needed
@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("ftp://", "set ftp:ssl-allow no"),
        ("ftp://", "set ftp:ssl-force yes; set ftp:ssl-protect-data yes"),
        ("ftps://", ""),
        ("ftp://", "set ftp:passive-mode no; set ftp:ssl-allow no"),
        ("ftp://", "set ftp:use-mlsd yes; set ftp:ssl-allow no"),
    ],
)
async def test_lftp_mirrors_up_and_down(sandbox: Sandbox, tmp_path: Path, url: str, settings: str) -> None:
    source = make_folder(tmp_path / "source")
    address = sandbox.endpoints["ftps" if url == "ftps://" else "ftp"]
    await run(
        "lftp",
        "-u",
        "alice,wonderland",
        f"{url}{address}",
        "-e",
        f"set ssl:verify-certificate no; {settings}; mirror -R --parallel=3 {source} up; "
        f"mirror --parallel=3 up {tmp_path}/copy; mv up moved; rm -r moved; bye",
    )
    assert contents(tmp_path / "copy") == contents(source)
    assert os.listdir(sandbox.data / "homes" / "alice") == ["www"]


@tnftp_needed
async def test_tnftp(sandbox: Sandbox, tmp_path: Path) -> None:
    content = os.urandom(300_000)
    (tmp_path / "up.bin").write_bytes(content)
    (tmp_path / "rest.bin").write_bytes(content[:1000])
    host, port = sandbox.endpoints["ftp"]
    script = (
        "user alice wonderland\nbinary\nput up.bin\nmkdir d\nrename up.bin d/renamed.bin\ncd d\nls\n"
        "mls renamed.bin -\n"
        "get renamed.bin down.bin\nsize renamed.bin\nmodtime renamed.bin\nreget renamed.bin rest.bin\nbye\n"
    )
    said = await run("tnftp", "-n", host, str(port), stdin=script.encode(), folder=tmp_path)
    assert (tmp_path / "down.bin").read_bytes() == content, said.decode()
    assert (tmp_path / "rest.bin").read_bytes() == content


@ncftp_needed
async def test_ncftp(sandbox: Sandbox, tmp_path: Path) -> None:
    source = make_folder(tmp_path / "source")
    host, port = sandbox.endpoints["ftp"]
    login = ["-u", "alice", "-p", "wonderland", "-P", str(port)]
    await run("ncftpput", *login, "-R", host, "/", str(source))
    (tmp_path / "copy").mkdir()
    await run("ncftpget", *login, "-R", host, str(tmp_path / "copy"), "/source")
    assert contents(tmp_path / "copy" / "source") == contents(source)


def in_thread(session: Callable[[ftplib.FTP], None], client: ftplib.FTP, sandbox: Sandbox) -> None:
    client.connect(*sandbox.endpoints["ftp"], timeout=10)
    client.login("alice", "wonderland")
    if isinstance(client, ftplib.FTP_TLS):
        client.prot_p()
    session(client)
    client.quit()


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def clients() -> list[ftplib.FTP]:
    return [ftplib.FTP(encoding="utf-8"), ftplib.FTP_TLS(context=trusting(), encoding="utf-8")]


@pytest.mark.parametrize("kind", [0, 1], ids=["clear", "tls"])
async def test_ftplib(sandbox: Sandbox, kind: int) -> None:
    content = os.urandom(600_000)

    def session(client: ftplib.FTP) -> None:
        assert client.pwd() == "/"
        assert client.mkd("ü d") == "/ü d"
        client.cwd("ü d")
        client.storbinary("STOR a.bin", io.BytesIO(content))
        found = bytearray()
        client.retrbinary("RETR a.bin", found.extend)
        assert found == content
        found.clear()
        client.retrbinary("RETR a.bin", found.extend, rest=599_000)
        assert found == content[599_000:]
        client.storlines("STOR t.txt", io.BytesIO(b"one\ntwo\n"))
        lines: list[str] = []
        client.retrlines("RETR t.txt", lines.append)
        assert lines == ["one", "two"]
        assert client.nlst() == ["a.bin", "t.txt"]
        assert {name: facts["type"] for name, facts in client.mlsd()} == {
            "a.bin": "file",
            "t.txt": "file",
        }
        client.voidcmd("TYPE I")
        assert client.size("a.bin") == 600_000
        client.rename("a.bin", "b.bin")
        client.delete("b.bin")
        client.delete("t.txt")
        client.cwd("..")
        client.rmd("ü d")

    await trio.to_thread.run_sync(in_thread, session, clients()[kind], sandbox)


@pytest.mark.parametrize("way", ["ftp", "explicit", "ftps"])
async def test_aioftp(sandbox: Sandbox, tmp_path: Path, way: str) -> None:
    aioftp = pytest.importorskip("aioftp", reason="needs aioftp: pip install aioftp")
    source = make_folder(tmp_path / "source")
    host, port = sandbox.endpoints["ftps" if way == "ftps" else "ftp"]

    async def session() -> None:
        client = aioftp.Client(ssl=trusting() if way == "ftps" else None, socket_timeout=10)
        await client.connect(host, port)
        if way == "explicit":
            await client.upgrade_to_tls(trusting())
        await client.login("alice", "wonderland")
        await client.upload(source, "up", write_into=True)
        await client.download("up", tmp_path / "copy", write_into=True)
        assert {str(path): facts["type"] for path, facts in await client.list("up")}["up/sub"] == "dir"
        async with client.download_stream("up/sub/deep/file.bin", offset=699_000) as stream:
            assert len(await stream.read()) == 1_000
        await client.rename("up/empty", "up/renamed")
        await client.remove("up")
        assert not await client.exists("up")
        await client.quit()

    await trio.to_thread.run_sync(asyncio.run, session())
    assert contents(tmp_path / "copy") == contents(source)


class Resuming(ftplib.FTP_TLS):
    """Takes the control connection's TLS session along to the data connections, as many clients do. PHP refuses to
    go on where it got none."""

    def __init__(self) -> None:
        super().__init__(context=trusting(), encoding="utf-8")
        self.resumed: list[bool] = []

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        data, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        assert isinstance(self.sock, ssl.SSLSocket)
        dressed = self.context.wrap_socket(data, server_hostname=self.host, session=self.sock.session)
        self.resumed.append(bool(dressed.session_reused))
        return dressed, size


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_data_goes_on_with_the_tls_session_of_the_commands(sandbox: Sandbox, version: ssl.TLSVersion) -> None:
    client = Resuming()
    client.context.minimum_version = client.context.maximum_version = version
    content = os.urandom(600_000)

    def session(client: ftplib.FTP) -> None:
        for number in range(5):
            client.storbinary(f"STOR {number}.bin", io.BytesIO(content))
            found = bytearray()
            client.retrbinary(f"RETR {number}.bin", found.extend)
            assert found == content

    await trio.to_thread.run_sync(in_thread, session, client, sandbox)
    assert client.resumed == [True] * 10


async def test_ftplib_breaks_off(sandbox: Sandbox) -> None:
    huge = sandbox.data / "homes" / "alice" / "huge"
    huge.write_bytes(b"")
    os.truncate(huge, 1 << 30)

    def session(client: ftplib.FTP) -> None:
        data = client.transfercmd("RETR huge")
        data.recv(1000)
        assert client.abort().startswith("426")
        data.close()
        assert client.voidresp().startswith("226")
        assert client.pwd() == "/"

    await trio.to_thread.run_sync(in_thread, session, clients()[0], sandbox)
