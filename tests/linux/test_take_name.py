"""A new version takes a file's name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.linux import take_name as exchange
from sandbox.linux.take_name import take_name


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "new").write_text("new")
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture(params=["exchanged", "renamed"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Linux does it, and as other systems do."""
    if request.param == "renamed":
        monkeypatch.setattr(exchange, "renameat2", None)


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("before", ["nothing", "file", "link"])
def test_it_is_the_file_from_now_on(tmp_path: Path, directory: int, before: str) -> None:
    if before == "file":
        (tmp_path / "name").write_text("old")
    elif before == "link":
        (tmp_path / "name").symlink_to("elsewhere")
    take_name("new", "name", directory)
    assert [path.name for path in tmp_path.iterdir()] == ["name"]
    assert (tmp_path / "name").read_text() == "new"


@pytest.mark.usefixtures("_way")
def test_a_folder_keeps_its_name(tmp_path: Path, directory: int) -> None:
    (tmp_path / "name").mkdir()
    with pytest.raises(IsADirectoryError):
        take_name("new", "name", directory)
    assert (tmp_path / "name").is_dir()
    assert (tmp_path / "new").read_text() == "new"


def test_a_reader_sees_the_old_or_the_new(tmp_path: Path, directory: int) -> None:
    (tmp_path / "name").write_text("old")
    with (tmp_path / "name").open() as reader:
        take_name("new", "name", directory)
        assert reader.read() == "old"
    with pytest.raises(FileNotFoundError):
        take_name("new", "name", directory)
