"""A gigabyte up and down again, by curl: every octet comes back, and the sandbox stays as small as it was."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SIZE = 1_000_000_000
ROOM = 3 * SIZE
"""Octets of the disk that are needed: here, in alice's home, and what the journal keeps of it."""
GROWTH = 128_000_000
"""Octets of memory that a transfer may take at its height: what may wait for the journal's writer (64 MiB), and some
pieces in each place they pass."""
SECONDS = 120

pytestmark = pytest.mark.program("curl", "curl")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    if shutil.disk_usage(tmp_path).free < ROOM:
        pytest.skip(f"there are no {ROOM:,} octets free on the disk")
    path = tmp_path / "large"
    with path.open("wb") as file:
        for place in range(0, SIZE, SIZE // 50):  # the rest is a hole, which reads as zeros
            file.seek(place)
            file.write(os.urandom(100_000))
        file.truncate(SIZE)
    return path


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[int, dict[str, dict[str, int]]]]:
    """A sandbox in a process of its own: its id, and its services."""
    ready = tmp_path / "ready.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "up", "--quiet", "--ports", "ephemeral", "--data", tmp_path / "data",
         "--ready-file", ready, "--set", "files.quota=3000000000", "--set", "journal.body_limit=10000000"])
    try:
        subprocess.run([sys.executable, "-m", "sandbox", "ready", "--data", tmp_path / "data", "--wait", "30"],
                       check=True, stdout=subprocess.DEVNULL)
        yield process.pid, json.loads(ready.read_text())["services"]
    finally:
        process.terminate()
        process.wait(SECONDS)


def highest(process: int) -> int:
    """Octets of memory it had at its height."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def sha256_of(words: list[str]) -> str:
    """Of what a program prints."""
    digest = hashlib.sha256()
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while piece := process.stdout.read(1 << 20):
            digest.update(piece)
    assert process.returncode == 0
    return digest.hexdigest()


@pytest.mark.parametrize(("scheme", "options"), [
    ("ftp", []), ("ftp", ["--ssl-reqd", "--insecure"]), ("sftp", ["--insecure"]),
], ids=["ftp", "ftp-tls", "sftp"])
def test_a_gigabyte(large: Path, served: tuple[int, dict[str, dict[str, int]]], scheme: str,
                    options: list[str]) -> None:
    process, services = served
    curl = ["curl", "--silent", "--show-error", "--max-time", str(SECONDS), "--user", "alice:wonderland", *options]
    url = f"{scheme}://127.0.0.1:{services[scheme]['port']}/"
    subprocess.run([*curl, "--upload-file", large.parent / "ready.json", f"{url}small"], check=True)
    before = highest(process)
    subprocess.run([*curl, "--upload-file", large, f"{url}large"], check=True)
    with large.open("rb") as file:
        expected = hashlib.file_digest(file, "sha256").hexdigest()
    for _ in range(1 if options else 2):  # in the clear, what has passed once may come another way
        assert sha256_of([*curl, f"{url}large"]) == expected
    assert highest(process) - before < GROWTH
