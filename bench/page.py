"""The live page: what those who watch it cost the loop and other clients, and how fast it finds something."""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import trio

from bench import journal
from bench.peers import end
from sandbox.journal.store import FILE

__all__ = ["PAGES", "RATE", "Watched", "memories", "searches", "watched"]

PAGES = 50
RATE = 1_000
"""Exchanges a second."""
CLIENTS = 10
REQUEST = b"GET /generate_204 HTTP/1.1\r\nHost: www.example.com\r\n\r\n"
BURST = 10
"""Exchanges between two looks at the clock."""


class Watched(NamedTuple):
    """loop: the share of one processor that the thread of the loop took; rate: exchanges a second; usual, late:
    seconds that a client waited for its answer, the median and the 99th percentile; rows: that each page got."""

    loop: float
    rate: float
    usual: float
    late: float
    rows: int


class Running(NamedTuple):
    pid: int
    services: dict[str, Any]
    page: tuple[str, int]


@contextmanager
def running(data: Path) -> Iterator[Running]:
    """A sandbox in a process of its own."""
    ready = data.parent / "ready.json"
    process = subprocess.Popen([sys.executable, "-m", "sandbox", "up", "--quiet", "--ports", "ephemeral", "--data",
                                str(data), "--ready-file", str(ready)], stdin=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        until = time.monotonic() + 30
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.01)
        facts = json.loads(ready.read_text())
        host, _, port = facts["dashboard"]["url"].removeprefix("http://").rstrip("/").rpartition(":")
        yield Running(process.pid, facts["services"], (host, int(port)))
    finally:
        end(process)


def watched(pages: int, seconds: float) -> Watched:
    """So many pages watch while clients ask at a steady rate."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, running(Path(name) / "data") as sandbox:
        return trio.run(watch, sandbox, pages, seconds)


async def watch(sandbox: Running, pages: int, seconds: float) -> Watched:
    waits: list[float] = []
    rows = [0] * pages
    async with trio.open_nursery() as watching:
        for number in range(pages):
            await watching.start(look, sandbox, rows, number)
        await drive(sandbox, 1.0, [])        # what is imported and cached at first
        rows[:] = [0] * pages
        before, began = ticks(sandbox.pid), time.perf_counter()
        await drive(sandbox, seconds, waits)
        took = time.perf_counter() - began
        loop = (ticks(sandbox.pid) - before) / os.sysconf("SC_CLK_TCK") / took
        await trio.sleep(0.5)
        watching.cancel_scope.cancel()
    return Watched(loop, len(waits) / took, statistics.median(waits),
                   statistics.quantiles(waits, n=100, method="inclusive")[98], min(rows, default=0))


async def look(sandbox: Running, rows: list[int], number: int,
               task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    """One page that watches."""
    async with await trio.open_tcp_stream(*sandbox.page) as stream:
        await stream.send_all(f"GET /api/v1/events HTTP/1.1\r\nHost: {sandbox.page[0]}\r\n\r\n".encode())
        await stream.receive_some()
        task_status.started()
        async for data in stream:
            rows[number] += data.count(b'"explanation"')


async def drive(sandbox: Running, seconds: float, waits: list[float]) -> None:
    async with trio.open_nursery() as clients:
        for _ in range(CLIENTS):
            clients.start_soon(ask, sandbox, seconds, waits)


async def ask(sandbox: Running, seconds: float, waits: list[float]) -> None:
    """One client with its share of the rate."""
    where = sandbox.services["http"]
    async with await trio.open_tcp_stream(where["host"], where["port"]) as stream:
        due = trio.current_time()
        until = due + seconds
        while due < until:
            due += CLIENTS / RATE
            await trio.sleep_until(due)
            began = time.perf_counter()
            await stream.send_all(REQUEST)
            await stream.receive_some()
            waits.append(time.perf_counter() - began)


def ticks(pid: int) -> int:
    """What the main thread of a process has used, in clock ticks (proc(5))."""
    fields = Path(f"/proc/{pid}/task/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def searches(exchanges: int = journal.EXCHANGES) -> Iterator[tuple[str, float, str]]:
    """What is asked of a large journal over the API, the seconds it takes, and what was found."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        data = Path(name) / "data"
        data.mkdir(mode=0o700)
        journal.fill(data, exchanges)
        assert (data / FILE).exists()
        with running(data) as sandbox:
            get(sandbox, "me")
            for question, query in QUESTIONS.items():
                began = time.perf_counter()
                found, answers, first = 0, 0, 0.0
                before: int | None = 0
                while before is not None:
                    answer = get(sandbox, "exchanges", **query, before=before)
                    answers += 1
                    first = first or time.perf_counter() - began
                    found += len(answer["exchanges"])
                    before = None if answer["complete"] else answer["next"]
                yield question, time.perf_counter() - began, (
                    f"{found} found in {answers} {'answer' if answers == 1 else 'answers'}, "
                    f"the first after {first:.3f}")


QUESTIONS: dict[str, dict[str, object]] = {
    "the newest 100": {"limit": 100},
    "the newest 50 under a filter": {"limit": 50, "filter": "protocol:http outcome:200 host:example.com"},
    "the newest 50 of one protocol": {"limit": 50, "filter": "protocol:dns"},
    "the newest 50 with a text": {"limit": 50, "filter": "page-2.html"},
    "a text that is nowhere": {"limit": 50, "filter": '"nowhere to be found"'},
}


def get(sandbox: Running, path: str, **query: object) -> Any:
    with closing(http.client.HTTPConnection(*sandbox.page, timeout=60)) as client:
        client.request("GET", f"/api/v1/{path}?{urlencode(query)}")
        return json.loads(client.getresponse().read())


def memories() -> tuple[float, float]:
    """Resident octets with the dashboard on, before anybody has looked at it and after."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, running(Path(name) / "data") as sandbox:
        time.sleep(1.0)       # what is imported right after the start
        before = resident(sandbox.pid)
        for path in ("me", "services", "exchanges", "filter/keys"):
            get(sandbox, path)
        return before, resident(sandbox.pid)


def resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell the size of a process")
