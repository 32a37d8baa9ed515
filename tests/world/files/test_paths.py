"""Paths from people to files: nothing leads out, however it is said, and whoever made the links."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.world.files.paths import DEPTH, Root, bad_name, names_of, virtual

SECRET = "nobody may read this"


@pytest.fixture
def root(tmp_path: Path) -> Root:
    folder = tmp_path / "root"
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "file.txt").write_text("in")
    (folder / "sub" / "deep" / "file.txt").write_text("deep")
    (tmp_path / "secret.txt").write_text(SECRET)
    (tmp_path / "root-other").mkdir()
    (tmp_path / "root-other" / "file.txt").write_text(SECRET)
    for name, target in {
        "out": "../secret.txt",
        "sub/out": "../../secret.txt",
        "absolute-out": str(tmp_path / "secret.txt"),
        "sibling": str(tmp_path / "root-other"),
        "etc": "/etc",
        "loop": "loop",
        "chain": "out",
        "up": "..",
        "sub/deep/top": "../..",
        "sub/deep/over": "../../..",
        "in": "sub/deep",
        "absolute-in": str(folder / "sub"),
        "in-file": "sub/./deep//file.txt",
        "gone": "nowhere",
        "slash": "/",
    }.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe")
    return Root(folder)


def content(root: Root, path: str) -> str:
    descriptor = root.open(names_of(path), os.O_RDONLY)
    try:
        return os.pread(descriptor, 100, 0).decode()
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("file.txt", "in"),
        ("/file.txt", "in"),
        ("sub/../file.txt", "in"),
        ("../../file.txt", "in"),
        ("in/file.txt", "deep"),
        ("absolute-in/deep/file.txt", "deep"),
        ("in-file", "deep"),
        ("sub/deep/top/file.txt", "in"),
        ("in/top/in/top/file.txt", "in"),
    ],
)
def test_what_is_inside_is_found(root: Root, path: str, expected: str) -> None:
    assert content(root, path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "out",
        "sub/out",
        "absolute-out",
        "sibling/file.txt",
        "etc/passwd",
        "etc",
        "loop",
        "loop/x",
        "chain",
        "up/secret.txt",
        "sub/deep/over/secret.txt",
        "sub/deep/over",
        "slash/etc/passwd",
        "gone",
        "pipe",
        "in/over/root-other/file.txt",
        "up",
    ],
)
def test_what_is_outside_is_not(root: Root, path: str) -> None:
    with pytest.raises(OSError):  # noqa: PT011 -- any of its kinds
        content(root, path)
    with pytest.raises(OSError):  # noqa: PT011
        root.open((*names_of(path), "new.txt"), os.O_CREAT | os.O_WRONLY)


@pytest.mark.parametrize("path", ["etc", "sibling", "up", "slash", "sub/deep/over"])
def test_directories_outside_have_no_entries(root: Root, path: str) -> None:
    with pytest.raises(OSError):  # noqa: PT011
        root.entries(names_of(path))


def test_a_listing_shows_only_what_stays_inside(root: Root) -> None:
    assert [name for name, _ in root.entries(())] == ["absolute-in", "file.txt", "in", "in-file", "sub"]


def test_a_path_is_shown_without_links(root: Root) -> None:
    assert root.names(names_of("in/top/absolute-in/deep/file.txt")) == ("sub", "deep", "file.txt")


def test_a_new_file_through_a_link_out_is_not_made(root: Root, tmp_path: Path) -> None:
    (Path(root.path) / "later").symlink_to(tmp_path / "made.txt")
    with pytest.raises(OSError):  # noqa: PT011
        os.close(root.open(("later",), os.O_CREAT | os.O_WRONLY))
    assert not (tmp_path / "made.txt").exists()


def test_no_descriptor_stays_open(root: Root) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for path in ("file.txt", "in/top/file.txt", "out", "etc/passwd", "loop", "pipe", "nothing/at/all"):
        with contextlib.suppress(OSError):
            content(root, path)
    assert len(os.listdir("/proc/self/fd")) == before


PARTS = [
    "..",
    ".",
    "",
    "sub",
    "deep",
    "file.txt",
    "out",
    "absolute-out",
    "sibling",
    "etc",
    "passwd",
    "loop",
    "up",
    "over",
    "top",
    "in",
    "absolute-in",
    "slash",
    "secret.txt",
    "root-other",
    "..\\",
    "\uff0e\uff0e",
    "%2e%2e",
    "FILE.TXT",
    "‥",
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.sampled_from(PARTS), max_size=8), absolute=st.booleans())
def test_no_path_leads_out(root: Root, parts: list[str], absolute: bool) -> None:
    path = ("/" if absolute else "") + "/".join(parts)
    with contextlib.suppress(OSError):
        assert content(root, path) in ("in", "deep")
    with contextlib.suppress(OSError):
        assert {name for name, _ in root.entries(names_of(path))} <= {
            "absolute-in",
            "file.txt",
            "in",
            "in-file",
            "sub",
            "deep",
            "top",
        }


@given(st.text(max_size=40), st.lists(st.sampled_from(["a", "b"]), max_size=3))
def test_names_are_names_or_refused(path: str, start: list[str]) -> None:
    try:
        names = names_of(path, tuple(start))
    except (ValueError, OSError):
        return
    assert not [name for name in names if bad_name(name)]
    assert names_of(virtual(names)) == names


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("", ("home",)),
        (".", ("home",)),
        ("a//b/", ("home", "a", "b")),
        ("/", ()),
        ("/a/../..", ()),
        ("../x", ("x",)),
        ("../../../../x", ("x",)),
        ("a\\b", ("home", "a\\b")),
        ("~", ("home", "~")),
        (" a ", ("home", " a ")),
    ],
)
def test_paths_as_people_write_them(path: str, names: tuple[str, ...]) -> None:
    assert names_of(path, ("home",)) == names


@pytest.mark.parametrize(
    "name", ["a\nb", "a\rb", "a\0b", "\x7f", "\x9b[31m", "x" * 256, "é" * 128, "\udcff", "a\u2028b"]
)
def test_names_that_no_file_may_have(name: str) -> None:
    assert bad_name(name)
    with pytest.raises(ValueError, match="the name"):
        names_of(f"/a/{name}")


def test_a_path_cannot_be_too_deep() -> None:
    with pytest.raises(OSError, match="deep"):
        names_of("a/" * (DEPTH + 1))
