"""The pytest plugin. Nothing is started, and little imported, before a test asks for a sandbox.

    sandbox           a space of its own for each test, in one sandbox that the tests of a process share
    async_sandbox     the same for trio and asyncio tests: its methods are awaited
    fresh_sandbox     a whole sandbox of its own

`--sandbox-url` has them use a running one, with a space for each test, so any number of processes may share it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox.config import Config
    from sandbox.testing.away import AsyncSpace
    from sandbox.testing.running import Server
    from sandbox.testing.space import Space

__all__: list[str] = []

SPACES: pytest.StashKey[list[Space]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("sandbox")
    group.addoption("--sandbox-url", metavar="URL", default=os.environ.get("SANDBOX_URL", ""),
                    help="the live page of a running sandbox to use (default: $SANDBOX_URL, or one in this process)")
    group.addoption("--sandbox-token", metavar="TOKEN", default=os.environ.get("SANDBOX_TOKEN", ""),
                    help="the teacher's token, for a sandbox on another machine (default: $SANDBOX_TOKEN)")
    parser.addini("sandbox_config", "configuration of the sandbox in this process: a file, or the name of one that "
                  "comes with it", default="ci")
    parser.addini("sandbox_world", "its world file", type="string", default="")


@pytest.fixture(scope="session")
def sandbox_server(pytestconfig: pytest.Config) -> Iterator[Server]:
    """The sandbox that the tests of this process share."""
    from sandbox.testing.running import InProcess, Remote
    url = pytestconfig.getoption("--sandbox-url")
    server: Server = Remote(url, pytestconfig.getoption("--sandbox-token")) if url else InProcess(
        configuration(pytestconfig))
    yield server
    server.close()


@pytest.fixture
def sandbox(sandbox_server: Server, request: pytest.FixtureRequest) -> Iterator[Space]:
    """A space of its own for this test."""
    from sandbox.testing.space import Space
    space = Space.open(sandbox_server, f"test-{secrets.token_hex(6)}")
    request.node.stash.setdefault(SPACES, []).append(space)
    yield space
    space.close()


@pytest.fixture
def async_sandbox(sandbox: Space) -> AsyncSpace:
    """The space of this test, whose methods are awaited."""
    from sandbox.testing.away import AsyncSpace
    return AsyncSpace(sandbox)


@pytest.fixture
def fresh_sandbox(pytestconfig: pytest.Config, request: pytest.FixtureRequest) -> Iterator[Space]:
    """A whole sandbox of its own for this test, in this process."""
    from sandbox.testing.running import InProcess
    from sandbox.testing.space import Space
    server = InProcess(configuration(pytestconfig))
    try:
        space = Space(server, server.api.get("spaces")["spaces"][0])
        request.node.stash.setdefault(SPACES, []).append(space)
        yield space
    finally:
        server.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None],
                              ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The report of a test that failed says what happened in its spaces."""
    report = yield
    if report.when == "call" and report.failed:
        for space in item.stash.get(SPACES, ()):
            report.sections.append((f"sandbox, space {space.name}", told(space.report)))
    return report


def told(report: Callable[[], str]) -> str:
    try:
        return report()
    except Exception as error:  # the report of a failure is never another one
        return f"what happened cannot be told: {error}"


def configuration(pytestconfig: pytest.Config) -> Config:
    """Raises ConfigError."""
    from sandbox.config.load import load
    from sandbox.config.named import config_file
    world = pytestconfig.getini("sandbox_world")
    options: dict[str, object] = {"ports": "ephemeral", "bind": ["127.0.0.1"], "ephemeral": True}
    if world:
        options["world"] = str(Path(pytestconfig.rootpath, world))
    named: str = pytestconfig.getini("sandbox_config")
    return load(config_file(named, pytestconfig.rootpath), {}, options)
