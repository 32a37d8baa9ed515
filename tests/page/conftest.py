"""One browser and one sandbox with traffic of every protocol for all tests of the live page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.live import PATIENCE, Up, Watched, traffic, up

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@contextmanager
def plain_asyncio() -> Iterator[None]:
    """The SFTP tests have trio-asyncio give out event loops, which cannot nest as the browser's driver needs."""
    given = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(asyncio.DefaultEventLoopPolicy())
    try:
        yield
    finally:
        asyncio.set_event_loop_policy(given)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The page is tested last: once started, the driver's loop counts as running, and no other loop would."""
    items.sort(key=lambda item: HERE in item.path.parents)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with plain_asyncio(), sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Shared: what a test does in it, it says by words of its own."""
    with up(tmp_path_factory.mktemp("page")) as running:
        traffic(running)
        yield running


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Up]:
    """A sandbox for one test."""
    with up(tmp_path) as running:
        yield running


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A page of its own, 1280 pixels wide. Whatever it complains of in the console fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
    context.set_default_timeout(PATIENCE)
    opened = Watched(context.new_page())
    yield opened
    context.close()
    assert opened.complaints == []


@pytest.fixture
def forgiven(watched: Watched) -> Iterator[None]:
    """The browser itself complains of what was refused, broke off, or kept from acting in a letter's frame."""
    yield
    watched.complaints[:] = [one for one in watched.complaints if "Failed to load resource" not in one
                             and "sandboxed" not in one
                             and "Content Security Policy" not in one]


@pytest.fixture
def page(watched: Watched) -> Page:
    return watched.page
