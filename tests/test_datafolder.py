"""The data folder: one sandbox at a time, found by others while it lives and not after."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.datafolder import Endpoint, Folder, FolderError, Running, default_data, read_running, write_whole

RUNNING = Running(pid=os.getpid(), services={"http": Endpoint("127.0.0.1", 8080)}, ca="/x/ca.pem")


def test_it_is_made_for_the_owner_alone(tmp_path: Path) -> None:
    with Folder(tmp_path / "new" / "data") as folder:
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_a_second_one_hears_who_has_it(tmp_path: Path) -> None:
    with Folder(tmp_path), pytest.raises(FolderError) as caught:
        Folder(tmp_path)
    assert f"process {os.getpid()}" in str(caught.value)
    assert "--data" in str(caught.value)
    Folder(tmp_path).close()


def test_others_find_it_while_it_runs(tmp_path: Path) -> None:
    assert read_running(tmp_path) is None
    with Folder(tmp_path) as folder:
        assert read_running(tmp_path) is None  # not ready yet
        folder.announce(RUNNING)
        assert read_running(tmp_path) == RUNNING
    assert read_running(tmp_path) is None
    assert not (tmp_path / "run.json").exists()


def test_one_that_was_killed_is_not_running(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", f"""
import signal
from pathlib import Path
from sandbox.datafolder import Folder, Running
folder = Folder(Path({str(tmp_path)!r}))
folder.announce(Running(pid=1, services={{}}))
print("ready", flush=True)
signal.pause()
"""], stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child, child.stdout:
        assert child.stdout.readline() == b"ready\n"
        assert read_running(tmp_path) == Running(pid=1, services={})
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert (tmp_path / "run.json").exists()
    assert read_running(tmp_path) is None
    with Folder(tmp_path):
        assert read_running(tmp_path) is None


def test_looking_does_not_stop_a_start(tmp_path: Path) -> None:
    Folder(tmp_path).close()
    for _ in range(100):
        assert read_running(tmp_path) is None
    Folder(tmp_path).close()


def test_a_temporary_one_goes() -> None:
    with Folder(None) as folder:
        (folder.path / "something").touch()
    assert not folder.path.exists()


def test_folders_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match="is a file"):
        Folder(tmp_path / "file")
    with pytest.raises(FolderError, match="--ephemeral"):
        Folder(tmp_path / "file" / "below")


def test_a_damaged_run_file_is_none(tmp_path: Path) -> None:
    with Folder(tmp_path) as folder:
        (folder.path / "run.json").write_text("{")
        assert read_running(tmp_path) is None


def test_what_newer_versions_add_is_passed_over(tmp_path: Path) -> None:
    with Folder(tmp_path) as folder:
        (folder.path / "run.json").write_text('{"pid": 3, "services": {}, "novelty": [1]}')
        assert read_running(tmp_path) == Running(pid=3, services={})


def test_writing_leaves_nothing_behind(tmp_path: Path) -> None:
    write_whole(tmp_path / "x", b"one")
    write_whole(tmp_path / "x", b"two")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("x", b"two")]
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "folder", b"x")
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(sys.platform == "darwin", reason="XDG is for the others")
@pytest.mark.parametrize(("environ", "expected"), [
    ({"HOME": "/h"}, "/h/.local/share/sandbox"),
    ({"HOME": "/h", "XDG_DATA_HOME": "/x"}, "/x/sandbox"),
    ({"HOME": "/h", "XDG_DATA_HOME": "relative"}, "/h/.local/share/sandbox"),
])
def test_the_users_own(environ: dict[str, str], expected: str) -> None:
    assert default_data(environ) == Path(expected)
