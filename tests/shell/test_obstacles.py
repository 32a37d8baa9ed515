"""What forbids a shell of its own, from the files of a system that does."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from sandbox.linux.namespaces import NamespaceError
from sandbox.shell.obstacles import advice


@pytest.mark.parametrize(("file", "text", "said"), [
    ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n", "AppArmor"),
    ("proc/sys/kernel/unprivileged_userns_clone", "0\n", "to root only"),
    ("proc/sys/user/max_user_namespaces", "0\n", "no user namespaces"),
    (".dockerenv", "", "a container"),
    ("run/.containerenv", "", "a container"),
    ("proc/sys/user/max_user_namespaces", "nonsense", "does not allow a process to make namespaces"),
])
def test_each_obstacle_has_its_sentence_and_a_way_out(tmp_path: Path, file: str, text: str, said: str) -> None:
    place = tmp_path / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    found = advice(NamespaceError("unshare", errno.EPERM), root=tmp_path, platform="linux")
    assert said in found
    assert "--proxy" in found


def test_other_systems(tmp_path: Path) -> None:
    assert "namespaces of Linux" in advice(root=tmp_path, platform="darwin")
    assert "close some shells" in advice(NamespaceError("unshare", errno.ENOSPC), root=tmp_path, platform="linux")
