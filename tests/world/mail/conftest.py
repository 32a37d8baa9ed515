from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.world.mail import MailStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MailStore]:
    store = MailStore(tmp_path / "mail", durability="process")
    yield store
    store.close()
