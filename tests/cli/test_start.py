"""Ready means ready; and a start that fails says what to do, and is never reported as one that did not."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SECONDS = 30
"""More than any of it takes, even on a busy machine."""


@contextmanager
def starting(tmp_path: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "up", "--quiet", "--ports", "ephemeral", "--data", str(tmp_path / "data"),
         "--ready-file", str(tmp_path / "ready"), *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def await_ready(tmp_path: Path, process: subprocess.Popen[str]) -> dict[str, object]:
    """What the ready file says in the first moment that it is there."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            found: dict[str, object] = json.loads((tmp_path / "ready").read_bytes())
        except FileNotFoundError:
            time.sleep(0.001)
            continue
        return found
    raise AssertionError(process.communicate()[1] or "it did not start")


def refused(tmp_path: Path, *options: str) -> str:
    """What a start says that cannot be. There is no ready file after it, not for a moment during it."""
    with starting(tmp_path, *options) as process:
        until = time.monotonic() + SECONDS
        while process.poll() is None and time.monotonic() < until:
            assert not (tmp_path / "ready").exists(), "it was said to be ready"
            time.sleep(0.001)
        said = process.communicate(timeout=SECONDS)[1]
    assert process.returncode == 2, said
    assert "Traceback" not in said
    assert not (tmp_path / "ready").exists()
    return said


def test_every_file_that_the_ready_file_names_is_there_when_it_is(tmp_path: Path) -> None:
    with starting(tmp_path) as process:
        facts = await_ready(tmp_path, process)
        ca = Path(str(facts["ca"]))
        assert ca.exists()
        assert ca.read_text().startswith("-----BEGIN CERTIFICATE-----")
        services = facts["services"]
        assert isinstance(services, dict)
        at = services["https"]["host"], services["https"]["port"]
        trusting = ssl.create_default_context(cafile=str(ca))
        with socket.create_connection(at, SECONDS) as sock, \
                trusting.wrap_socket(sock, server_hostname="www.example.com") as tls:
            assert tls.version() == "TLSv1.3", "a client that starts at once trusts it"


def test_without_encryption_no_authority_is_named(tmp_path: Path) -> None:
    off = [f"services.{name}=false" for name in ("https", "domain-s", "smtp", "submission", "submissions", "pop3",
                                                 "pop3s", "imap", "imaps", "ftp", "ftps")]
    with starting(tmp_path, *(part for one in off for part in ("--set", one))) as process:
        assert "ca" not in await_ready(tmp_path, process)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_ready_file_goes_when_the_services_do(tmp_path: Path, how: signal.Signals) -> None:
    with starting(tmp_path) as process:
        await_ready(tmp_path, process)
        process.send_signal(how)
        assert process.communicate(timeout=SECONDS)[1] == ""
    assert process.returncode == 0
    assert not (tmp_path / "ready").exists()


def test_what_a_kill_left_is_gone_before_anything_else_happens(tmp_path: Path) -> None:
    with starting(tmp_path) as process:
        before = await_ready(tmp_path, process)
        process.kill()
        process.wait(SECONDS)
    assert (tmp_path / "ready").exists(), "nobody could remove it"
    with starting(tmp_path, "--set", "services.nonsense=1") as process:
        assert "nonsense" in process.communicate(timeout=SECONDS)[1]
    assert not (tmp_path / "ready").exists(), "it is removed by a start that fails, too"
    with starting(tmp_path) as process:
        assert await_ready(tmp_path, process)["pid"] == process.pid != before["pid"]


def test_the_ready_file_of_another_sandbox_stays(tmp_path: Path) -> None:
    with starting(tmp_path) as process:
        await_ready(tmp_path, process)
        (tmp_path / "ready").write_text("somebody else's")
        process.terminate()
        process.communicate(timeout=SECONDS)
    assert (tmp_path / "ready").read_text() == "somebody else's"


@pytest.mark.parametrize(("name", "content", "words"), [
    ("mail/mail.db", b"SQLite format 3\0" + b"x" * 5000, ("mail.db", "move it away")),
    ("mail/mail.db", b"no database at all" * 300, ("mail.db", "move it away")),
    ("resources.sqlite3", b"no database at all" * 300, ("resources.sqlite3", "move it away")),
    ("world.sqlite3", b"no database at all" * 300, ("world.sqlite3", "Move it away")),
    ("journal.sqlite3", b"no database at all" * 300, ("journal.sqlite3", "move it away")),
    ("ca/ca.pem", b"-----BEGIN CERTIFICATE-----\n", ("ca.pem", "Remove the folder")),
    ("ssh_host_ed25519_key", b"-----BEGIN\n", ("ssh_host_ed25519_key", "Move it away")),
    ("homes", b"a file where a folder belongs", ("homes", "Move it away")),
    ("public", b"a file where a folder belongs", ("public", "Move it away")),
    ("mail", b"a file where a folder belongs", ("mail", "Move it away")),
])
def test_what_is_damaged_is_named_with_what_to_do(tmp_path: Path, name: str, content: bytes,
                                                  words: tuple[str, ...]) -> None:
    file = tmp_path / "data" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    said = refused(tmp_path)
    for word in (*words, str(file)):
        assert word in said, said


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: to mount a small disk")
@pytest.mark.parametrize("size", ["32k", "160k", "400k"])
def test_a_full_disk(tmp_path: Path, size: str) -> None:
    (tmp_path / "data").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(tmp_path / "data")], check=True)
    try:
        said = refused(tmp_path)
    finally:
        subprocess.run(["umount", str(tmp_path / "data")], check=True)
    assert "free some space" in said.lower(), said
    assert str(tmp_path / "data") in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "data" / "mail").mkdir(parents=True, mode=0)
    said = refused(tmp_path)
    assert "not ours to use" in said
    assert str(tmp_path / "data" / "mail") in said


@pytest.mark.parametrize(("options", "says"), [
    (["--bind", "192.0.2.77"], "see --bind"), (["--world", "nowhere.toml"], "nowhere.toml"),
    ([], "is in use by another sandbox"),
])
def test_what_else_is_wrong_is_not_hidden_by_a_folder_in_use(options: list[str], says: str, tmp_path: Path) -> None:
    with starting(tmp_path) as process:
        await_ready(tmp_path, process)
        said = subprocess.run([sys.executable, "-m", "sandbox", "up", "--quiet", "--ports", "ephemeral",
                               "--data", str(tmp_path / "data"), *options],
                              capture_output=True, text=True, timeout=SECONDS, check=False)
    assert said.returncode == 2
    assert says in said.stderr
    assert "Traceback" not in said.stderr
