"""Real programs as clients of SFTP."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from sandbox.app import Sandbox
from sandbox.config import Config, Limits
from tests.support.network import watching

sftp_needed = pytest.mark.program("sftp", "openssh-client")
scp_needed = pytest.mark.program("scp", "openssh-client")
lftp_needed = pytest.mark.program("lftp", "lftp")


@pytest.fixture
def config() -> Config:
    return Config(ports="ephemeral", limits=Limits(grace=0.1))


@pytest.fixture
async def options(sandbox: Sandbox, tmp_path: Path) -> list[str]:
    """How OpenSSH's programs come in as alice: by a key, and with the host key known beforehand."""
    await run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key"))
    folder = sandbox.data / "homes" / "alice" / ".ssh"
    folder.mkdir()
    (folder / "authorized_keys").write_text("# my keys\nbroken line\n" + (tmp_path / "key.pub").read_text())
    host, port = sandbox.endpoints["sftp"]
    (tmp_path / "known").write_text(f"[{host}]:{port} {sandbox.world.host_key.public}\n")
    (tmp_path / "config").write_text(
        f"Host *\n Port {port}\n User alice\n IdentityFile {tmp_path}/key\n UserKnownHostsFile {tmp_path}/known\n"
        " StrictHostKeyChecking yes\n PreferredAuthentications publickey\n IdentitiesOnly yes\n LogLevel ERROR\n"
    )
    return ["-F", str(tmp_path / "config")]


async def run(*words: str, stdin: bytes = b"", status: int = 0, env: dict[str, str] | None = None) -> str:
    """What a program prints."""
    with trio.fail_after(30):
        done = await trio.run_process(
            list(words), stdin=stdin, capture_stdout=True, stderr=subprocess.STDOUT, check=False, env=env
        )
    text = done.stdout.decode("utf-8", "replace")
    assert done.returncode == status, text
    return text


@sftp_needed
async def test_sftp(sandbox: Sandbox, options: list[str], tmp_path: Path) -> None:
    content = os.urandom(1_500_000)
    (tmp_path / "up x.bin").write_bytes(content)
    (tmp_path / "part.bin").write_bytes(content[:400_000])
    batch = f"""put "{tmp_path}/up x.bin" "ü x.bin"
pwd
ls -la
df
mkdir d
rename "ü x.bin" d/renamed.bin
get d/renamed.bin {tmp_path}/down.bin
reget d/renamed.bin {tmp_path}/part.bin
chmod 600 d/renamed.bin
put {tmp_path}/part.bin d/renamed.bin
rm d/renamed.bin
rmdir d
"""
    said = await run("sftp", *options, "-b", "-", sandbox.endpoints["sftp"].host, stdin=batch.encode())
    assert "Remote working directory: /" in said
    assert "alice    users     1500000" in said
    quota = sandbox.config.files.quota // 1024
    assert re.search(rf"^ +{quota} +1465 +{quota - 1465} ", said, re.MULTILINE), said
    assert (tmp_path / "down.bin").read_bytes() == (tmp_path / "part.bin").read_bytes() == content
    assert sorted(os.listdir(sandbox.data / "homes" / "alice")) == [".ssh", "www"]


@sftp_needed
@pytest.mark.parametrize(
    "command",
    [
        "ln -s /etc/passwd link",
        "get ../../../etc/passwd",
        "get out/passwd",
        "put {} out/x",
        "cd /etc",
        "get /proc/self/environ",
        "rename www ../../x/y",
        "rm public/../../bob",
        "put {} sites/x",
        "rmdir public",
        'mkdir "a\nb"',
        "ls ../../../etc",
    ],
)
async def test_nothing_outside_is_read_written_or_revealed(
    sandbox: Sandbox, options: list[str], tmp_path: Path, command: str
) -> None:
    home = sandbox.data / "homes" / "alice"
    (home / "out").symlink_to("/etc")
    (tmp_path / "x").write_text("x")
    said = await run(
        "sftp",
        *options,
        "-b",
        "-",
        sandbox.endpoints["sftp"].host,
        status=1,
        stdin=command.format(tmp_path / "x").encode(),
    )
    assert "root:" not in said
    assert sorted(os.listdir(home)) == [".ssh", "out", "www"]
    assert "x" not in os.listdir("/etc")


@scp_needed
@pytest.mark.parametrize("how", [[], ["-O"]], ids=["sftp", "legacy"])
async def test_scp(sandbox: Sandbox, options: list[str], tmp_path: Path, how: list[str]) -> None:
    (tmp_path / "site" / "img").mkdir(parents=True)
    (tmp_path / "site" / "index.html").write_text("<h1>hi</h1>")
    (tmp_path / "site" / "img" / "a.bin").write_bytes(os.urandom(300_000))
    host = sandbox.endpoints["sftp"].host
    await run("scp", *how, *options, "-r", str(tmp_path / "site"), f"{host}:www/")
    await run("scp", *how, *options, "-r", f"{host}:www/site", str(tmp_path / "copy"))
    assert (tmp_path / "copy" / "img" / "a.bin").read_bytes() == (tmp_path / "site" / "img" / "a.bin").read_bytes()
    await run("scp", *how, *options, f"{host}:../../../etc/passwd", str(tmp_path / "stolen"), status=1)
    assert not (tmp_path / "stolen").exists()


@sftp_needed
async def test_a_shell_and_a_command_are_refused_with_a_sentence(sandbox: Sandbox, options: list[str]) -> None:
    host = sandbox.endpoints["sftp"].host
    assert "there are files here, and no shell" in await run("ssh", *options, host, status=1)
    assert "there are files here, and no shell" in await run("ssh", *options, host, "cat /etc/passwd", status=1)


@sftp_needed
async def test_a_tunnel_is_refused(sandbox: Sandbox, options: list[str]) -> None:
    with watching(sandbox.journal) as watcher:
        host, port = sandbox.endpoints["http"]
        await run("ssh", *options, "-W", f"{host}:{port}", host, status=255)
        await watcher.wait_closed()
        assert ("tunnel", "refused") in {(exchange.verb, exchange.outcome) for _, exchange in watcher.exchanges}


@sftp_needed
@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
@pytest.mark.parametrize(("password", "status"), [("wonderland", 0), ("wrong", 255)])
async def test_passwords(
    sandbox: Sandbox, options: list[str], tmp_path: Path, method: str, password: str, status: int
) -> None:
    (tmp_path / "ask").write_text(f"#!/bin/sh\necho {password}\n")
    (tmp_path / "ask").chmod(0o700)
    env = {**os.environ, "SSH_ASKPASS": str(tmp_path / "ask"), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}
    with watching(sandbox.journal) as watcher:
        await run(
            "sftp",
            "-o",
            "BatchMode=no",
            "-o",
            f"PreferredAuthentications={method}",
            *options,
            "-b",
            "-",
            sandbox.endpoints["sftp"].host,
            stdin=b"pwd\n",
            status=status,
            env=env,
        )
        await watcher.wait_closed()
    logins = [exchange for _, exchange in watcher.exchanges if exchange.verb == "login"]
    assert {exchange.outcome for exchange in logins} == {"accepted" if status == 0 else "refused"}
    assert {exchange.asked for exchange in logins} == {f"alice by {method}"}


@sftp_needed
async def test_another_key_does_not_open(sandbox: Sandbox, options: list[str], tmp_path: Path) -> None:
    (sandbox.data / "homes" / "alice" / ".ssh" / "authorized_keys").unlink()
    await run("sftp", *options, "-b", "-", sandbox.endpoints["sftp"].host, stdin=b"pwd\n", status=255)


@sftp_needed
async def test_the_fingerprint_is_in_dns(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "host.pub").write_text(sandbox.world.host_key.public + "\n")
    said = await run("ssh-keygen", "-r", "ftp.example.com", "-f", str(tmp_path / "host.pub"))
    assert f"ftp.example.com IN SSHFP {sandbox.world.host_key.sshfp}" in said
    shown = await run("ssh-keygen", "-l", "-f", str(tmp_path / "host.pub"))
    assert sandbox.world.host_key.fingerprint in shown


@lftp_needed
@sftp_needed
async def test_lftp_mirrors_up_and_down(sandbox: Sandbox, options: list[str], tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name, content in {
        "with space.txt": b"s",
        "ünïcödé.txt": b"u",
        "empty": b"",
        "sub/deep/f.bin": os.urandom(700_000),
    }.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    await run(
        "lftp",
        "-u",
        "alice,",
        f"sftp://{sandbox.endpoints['sftp']}",
        "-e",
        f"set sftp:connect-program 'ssh -a -x {options[0]} {options[1]}'; mirror -R --parallel=2 {source} up; "
        f"mirror --parallel=2 up {tmp_path}/copy; rm -r up; bye",
    )
    for path in source.rglob("*"):
        if path.is_file():
            assert (tmp_path / "copy" / path.relative_to(source)).read_bytes() == path.read_bytes()


def in_paramiko(sandbox: Sandbox, work: Callable[..., None]) -> None:
    paramiko = pytest.importorskip("paramiko", reason="needs paramiko: pip install paramiko")
    transport = paramiko.Transport(tuple(sandbox.endpoints["sftp"]))
    try:
        transport.connect(username="alice", password="wonderland")
        work(paramiko.SFTPClient.from_transport(transport))
    finally:
        transport.close()


async def test_paramiko(sandbox: Sandbox, tmp_path: Path) -> None:
    content = os.urandom(900_000)
    (tmp_path / "up").write_bytes(content)

    def work(client) -> None:  # type: ignore[no-untyped-def]
        client.put(str(tmp_path / "up"), "/new.bin")
        with client.open("/new.bin", "r+") as file:
            file.seek(10)
            file.write(b"changed")
        with client.open("/new.bin", "a") as file:
            file.write(b"end")
        with client.open("/new.bin") as file:
            file.prefetch()
            assert file.read() == content[:10] + b"changed" + content[17:] + b"end"
        client.truncate("/new.bin", 5)
        client.utime("/new.bin", (1000, 2000))
        assert (client.stat("/new.bin").st_size, client.stat("/new.bin").st_mtime) == (5, 2000)
        with pytest.raises(OSError, match="already"):
            client.rename("/new.bin", "/www")
        client.posix_rename("/new.bin", "/newer.bin")
        assert sorted(client.listdir("/")) == ["newer.bin", "public", "sites", "www"]
        with pytest.raises(FileNotFoundError):
            client.stat("/new.bin")
        with pytest.raises(OSError, match="cannot"):
            client.symlink("/etc/passwd", "/link")
        client.remove("/newer.bin")

    await trio.to_thread.run_sync(in_paramiko, sandbox, work)


@pytest.mark.program("sshfs", "sshfs")
@pytest.mark.skipif(not os.access("/dev/fuse", os.R_OK | os.W_OK), reason="needs /dev/fuse")
async def test_sshfs(sandbox: Sandbox, options: list[str], tmp_path: Path) -> None:
    place = tmp_path / "mounted"
    place.mkdir()
    try:
        await run("sshfs", *options, f"{sandbox.endpoints['sftp'].host}:/", str(place))
    except AssertionError as error:
        pytest.skip(f"sshfs cannot mount here: {error}")
    try:

        def work() -> None:
            (place / "a.txt").write_text("one")
            with (place / "a.txt").open("a") as file:
                file.write(" two")
            assert (place / "a.txt").read_text() == "one two"
            (place / "a.txt").write_text("3")
            assert (place / "a.txt").read_text() == "3"
            (place / "d").mkdir()
            (place / "a.txt").rename(place / "d" / "b.txt")
            assert os.listdir(place / "d") == ["b.txt"]
            room = os.statvfs(place)
            assert room.f_frsize * room.f_blocks == sandbox.config.files.quota
            (place / "d" / "b.txt").unlink()
            (place / "d").rmdir()

        await trio.to_thread.run_sync(work)
    finally:
        await run("fusermount", "-u", str(place))
