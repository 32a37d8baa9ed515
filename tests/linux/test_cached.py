"""Small files that the system has in memory, read without waiting."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from sandbox.linux import cached
from sandbox.linux.cached import read_cached, takes_file

LIMIT = 1000


@pytest.fixture
def top(tmp_path: Path) -> str:
    """A folder whose files have just been written, so that all of it is in memory."""
    folder = tmp_path / "top"
    (folder / "in").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"outside")
    (folder / "file").write_bytes(b"content")
    (folder / "in" / "gr\u00fc\u00dfe").write_bytes(b"below")
    (folder / "empty").touch()
    (folder / "long").write_bytes(bytes(LIMIT + 1))
    (folder / "limit").write_bytes(bytes(LIMIT))
    (folder / "link").symlink_to("file")
    (folder / "out").symlink_to("../secret")
    (folder / "up").symlink_to("..")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(os.fspath(folder / "sock"))
    return os.fspath(folder)


@pytest.mark.parametrize(("names", "content"), [
    (("file",), b"content"), (("in", "gr\u00fc\u00dfe"), b"below"), (("empty",), b""), (("limit",), bytes(LIMIT)),
])
def test_a_small_file(top: str, names: tuple[str, ...], content: bytes) -> None:
    assert read_cached(top, names, LIMIT) == content


@pytest.mark.parametrize("names", [
    (), ("nothing",), ("in",), ("long",), ("link",), ("out",), ("up", "secret"), ("..", "secret"), ("pipe",),
    ("sock",), ("file", "x"), ("in", "nothing"), ("in", "..", "..", "secret"),
])
def test_what_is_left_to_a_thread(top: str, names: tuple[str, ...]) -> None:
    before = os.listdir("/proc/self/fd")
    assert read_cached(top, names, LIMIT) is None
    assert os.listdir("/proc/self/fd") == before, "nothing stays open"


@pytest.mark.parametrize(("names", "takes"), [
    (("file",), True), (("in", "new"), True), (("new",), True), (("long",), True), (("nothing", "new"), False),
    (("in",), False), (("link",), False), (("pipe",), False), (("file", "new"), False), (("up", "new"), False),
    ((), False),
])
def test_where_a_file_may_come_to_be(top: str, names: tuple[str, ...], takes: bool) -> None:
    Path(top, *names).exists()  # the system remembers also what is not there
    before = os.listdir("/proc/self/fd")
    assert takes_file(top, names) is takes
    assert os.listdir("/proc/self/fd") == before, "nothing stays open"


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    assert read_cached(os.fspath(tmp_path / "gone"), ("file",), LIMIT) is None


def test_what_is_not_in_memory_is_left_to_a_thread(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    found = read_cached(os.fspath(tmp_path), ("file",), LIMIT)
    if found is not None:
        assert found == b"content"
        pytest.skip("this file system keeps everything in memory")
    assert path.read_bytes() == b"content"
    assert read_cached(os.fspath(tmp_path), ("file",), LIMIT) == b"content"


def test_a_system_without_the_call(top: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached, "syscall", None)
    assert read_cached(top, ("file",), LIMIT) is None
    assert not takes_file(top, ("file",))
    monkeypatch.setattr(cached, "syscall", lambda *args: -1)
    assert read_cached(top, ("file",), LIMIT) is None
    assert not takes_file(top, ("file",))
