"""Whether a file is still the same."""

from __future__ import annotations

import os
from pathlib import Path

from sandbox.world.files.signature import SETTLED, signature_of


def test_every_change_shows(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    os.utime(path, ns=(0, 1))
    seen = [signature_of(path.stat())]
    assert signature_of(path.stat()) == seen[0]
    path.write_bytes(b"longer")
    seen.append(signature_of(path.stat()))
    os.utime(path, ns=(0, 2))
    seen.append(signature_of(path.stat()))
    (tmp_path / "other").write_bytes(b"longer")
    os.utime(tmp_path / "other", ns=(0, 2))
    os.rename(tmp_path / "other", path)
    seen.append(signature_of(path.stat()))
    assert len(set(seen)) == 4


def test_it_settles(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    signature = signature_of(path.stat())
    latest = max(signature.modified, signature.changed)
    assert not signature.settled(latest + SETTLED)
    assert signature.settled(latest + SETTLED + 1)
