"""A sandbox in a thread of this process: started, stopped, and nothing left."""

from __future__ import annotations

import gc
import os
import tempfile
import threading
from pathlib import Path

import msgspec
import pytest

from sandbox.config import Config
from sandbox.starting import StartError
from sandbox.testing import InProcess, Space


def test_nothing_is_left_of_many(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    InProcess().close()
    before = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(10):
        server = InProcess()
        space = Space.open(server)
        space.mail.send("alice@example.com", "bob@example.com", "Hello")
        assert space.mail.wait_for(subject="Hello").mailbox == "bob"
        server.close()
        server.close()
    gc.collect()  # TLS contexts, which hold their key log, know each other
    assert len(os.listdir("/proc/self/fd")) <= before[0] + 2
    assert list(tmp_path.iterdir()) == []


def test_a_start_that_fails_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    wrong = msgspec.structs.replace(Config(), bind=("192.0.2.1",), ports="ephemeral")
    with pytest.raises(StartError):
        InProcess(wrong)
    assert list(tmp_path.iterdir()) == []
