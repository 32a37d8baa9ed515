"""Fixtures that every test may use: a running sandbox, and real programs as its clients."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.app import Sandbox, running
from sandbox.config import Config

pytest.register_assert_rewrite("tests.support")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose program is missing, saying which Debian package has it; where all must run, fail."""
    for mark in item.iter_markers("program"):
        name, package = mark.args
        if shutil.which(name) is None:
            reason = f"needs {name}: apt-get install {package}"
            if os.environ.get("SANDBOX_ALL_PROGRAMS"):
                pytest.fail(reason)
            pytest.skip(reason)


@pytest.fixture
def config() -> Config:
    """Free ports on the loopback addresses. A test module may have its own."""
    return Config(ports="ephemeral")


@pytest.fixture
async def sandbox(config: Config, tmp_path: Path) -> AsyncIterator[Sandbox]:
    """A sandbox of its own for one test, every service on."""
    async with running(config, tmp_path) as started:
        yield started
