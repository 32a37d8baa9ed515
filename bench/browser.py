"""The live page in a real Chromium over a journal of a million exchanges, while a thousand more arrive a second.

    python -m bench.browser                 about two minutes
    python -m bench.browser --exchanges 100000

By the page's own clock: from the click to the first rows, to the newest under a filter, to knowing that a text is
nowhere; the memory of the tab; how long frames take while one scrolls; from the end of an exchange to its row.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import CDPSession, Page, sync_playwright

from bench import journal
from sandbox.journal.store import FILE
from tests.support.live import Up, up

__all__ = ["main"]

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--enable-precise-memory-info", "--js-flags=--expose-gc"]
PATIENCE = 60_000
RATE = 1_000
"""Questions a second that arrive while the page is looked at."""
TURNS = 5

FRAMES = """(seconds) => new Promise((done) => {
  const list = document.querySelector(".list"), took = [], end = performance.now() + seconds * 1000;
  let before = performance.now();
  requestAnimationFrame(function frame(now) {
    took.push(now - before);
    before = now;
    list.scrollTop += list.scrollTop > 20000 ? -20000 : 40;
    if (now < end) requestAnimationFrame(frame); else done(took.slice(5));
  });
})"""
ARRIVALS = """(count) => new Promise((done) => {
  const took = new Map(), space = document.querySelector(".space");
  const observer = new MutationObserver(() => {
    for (const [, at] of space.textContent.matchAll(/probe-(\\d+)/g))
      if (!took.has(at)) took.set(at, Date.now() - at);
    if (took.size >= count) { observer.disconnect(); done([...took.values()]); }
  });
  observer.observe(space, { childList: true, subtree: true });
})"""


def main() -> None:
    options = argparse.ArgumentParser(description="Measure the live page.")
    options.add_argument("--exchanges", type=int, default=journal.EXCHANGES)
    options.add_argument("--data", type=Path, help="a data folder to fill, or one that is filled already")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        data: Path = given.data or Path(temporary)
        if not (data / FILE).exists():
            print(f"filling a journal with {given.exchanges:,} exchanges", flush=True)
            journal.fill(data, given.exchanges)
        with up(data) as sandbox:
            measure(sandbox)


def measure(sandbox: Up) -> None:
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        print(f"Chromium {browser.version}")
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(sandbox.url)
        report("first view, ms", [first_view(page, sandbox.url) for _ in range(TURNS)])
        report("the newest under a filter, ms",
               [first_view(page, f"{sandbox.url}/?filter={quote('protocol:smtp')}") for _ in range(TURNS)])
        report("a text that is nowhere, ms", [nowhere(page, sandbox.url, number) for number in range(TURNS)])
        page.goto(sandbox.url)
        page.wait_for_selector(".row")
        with arriving(sandbox):
            time.sleep(2)
            measured = page.context.new_cdp_session(page)
            measured.send("Performance.enable")
            before = busy(measured)
            frames = page.evaluate(FRAMES, 10)
            report("a frame while one scrolls and 1,000 a second arrive, ms", frames)
            print(f"  of which the page itself works {1000 * (busy(measured) - before) / len(frames):.1f} ms")
            page.evaluate("document.querySelector('.list').scrollTop = 0")
            page.wait_for_timeout(500)
            if page.locator(".chip").is_visible():
                page.locator(".chip").click()
            with probing(sandbox):
                report("from an exchange to its row, with 1,000 a second beside it, ms", page.evaluate(ARRIVALS, 20))
            time.sleep(20)
            print(f"heap of the tab after half a minute of that: {heap(page):.1f} MB", flush=True)
        browser.close()


def first_view(page: Page, url: str) -> float:
    page.goto(url)
    page.wait_for_selector(".row")
    return float(page.evaluate("performance.getEntriesByName('first rows')[0].startTime"))


def nowhere(page: Page, url: str, number: int) -> float:
    page.goto(f"{url}/?filter={quote(f'asked:nowhere{number}')}")
    page.wait_for_selector("text=in the whole journal")
    return float(page.evaluate("performance.now()"))


def busy(session: CDPSession) -> float:
    """Seconds that the tab has worked."""
    return float(next(one["value"] for one in session.send("Performance.getMetrics")["metrics"]
                      if one["name"] == "TaskDuration"))


def heap(page: Page) -> float:
    return float(page.evaluate("() => { gc(); return performance.memory.usedJSHeapSize; }")) / 1e6


def report(what: str, found: list[float]) -> None:
    found = sorted(found)
    print(f"{what}: median {statistics.median(found):,.0f}, p95 {found[int(len(found) * 0.95)]:,.0f}, "
          f"most {found[-1]:,.0f}  ({len(found)})", flush=True)


@contextmanager
def arriving(sandbox: Up) -> Iterator[None]:
    """RATE questions a second, each of another name, for the length of the block."""
    with asking(sandbox, RATE, lambda number: f"n{number}.example.com"):
        yield


@contextmanager
def probing(sandbox: Up) -> Iterator[None]:
    """A few questions a second that say when they were asked."""
    with asking(sandbox, 4, lambda number: f"probe-{int(time.time() * 1000)}.example.com"):
        yield


@contextmanager
def asking(sandbox: Up, rate: float, name: Callable[[int], str]) -> Iterator[None]:
    over = threading.Event()

    def run() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.connect(("127.0.0.1", sandbox.ports["dns"]))
            wire.setblocking(False)
            number, started = 0, time.monotonic()
            while not over.is_set():
                while number < (time.monotonic() - started) * rate:
                    number += 1
                    wire.send(question(number, name(number)))
                try:
                    while wire.recv(4096):
                        pass
                except BlockingIOError:
                    time.sleep(0.005)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def question(number: int, name: str) -> bytes:
    """Made by hand, so that asking costs next to nothing."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", number & 0xFFFF, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


if __name__ == "__main__":
    main()
