"""Numbers for Prometheus: what happened since the sandbox started, and how it is. Nothing is counted, nor imported,
until somebody asks."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from sandbox import __version__
from sandbox.dashboard.archive import Archive
from sandbox.journal.asking import Pair
from sandbox.journal.bus import Happened
from sandbox.journal.journal import Journal

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

__all__ = ["MEDIA", "Metrics"]

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
LABELS = 1_000
"""Pairs of protocol and outcome that are told apart; programs of a website can answer what they like."""
LOOKS = 5
"""Turns of the loop that are timed for its lag."""


class Metrics:
    """The numbers of one sandbox. first: the last exchange before it started."""

    def __init__(self, journal: Journal, archive: Archive, first: int, started: float) -> None:
        self._journal = journal
        self._archive = archive
        self._first = first
        self._upto = 0
        self._started = started
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lag = 0.0
        self._size = 0
        self._registry: CollectorRegistry | None = None
        self._asking = trio.Lock()

    async def text(self) -> bytes:
        """All of them, in the text format that Prometheus reads."""
        async with self._asking:
            if self._registry is None:
                await self._begin()
            assert self._registry is not None
            self._lag = await lag()
            self._size = await trio.to_thread.run_sync(size, self._journal.path)
            return await trio.to_thread.run_sync(rendered, self._registry)

    def collect(self) -> Iterator[Metric]:
        """As prometheus_client asks its collectors."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        exchanges = CounterMetricFamily("sandbox_exchanges", "Exchanges since the sandbox started.",
                                        labels=("protocol", "outcome"))
        for (protocol, outcome), count in list(self._counts.items()):
            exchanges.add_metric((protocol, outcome), count)
        yield exchanges
        yield GaugeMetricFamily("sandbox_sessions_open", "Sessions under way.", value=len(self._journal.under_way))
        yield GaugeMetricFamily("sandbox_journal_bytes", "Octets the journal takes on the disk.", value=self._size)
        yield GaugeMetricFamily("sandbox_loop_lag_seconds", "The longest of some turns of the event loop just now.",
                                value=self._lag)
        yield GaugeMetricFamily("sandbox_start_time_seconds", "When the sandbox started, since the epoch.",
                                value=self._started)
        yield InfoMetricFamily("sandbox", "Which sandbox it is.", value={"version": __version__})

    async def _begin(self) -> None:
        """From now on count what happens; what happened before is in the journal."""
        self._upto = self._journal.last
        self._journal.bus.watch(self._happened)
        async with self._archive.asking.history(None, after=self._first, before=self._upto + 1) as history:
            async for part in history:
                for pair in part.exchanges:
                    self._count(pair)
        self._registry = await trio.to_thread.run_sync(self._register)

    def _register(self) -> CollectorRegistry:
        from prometheus_client import CollectorRegistry, ProcessCollector

        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(self)
        return registry

    def _happened(self, happened: Happened) -> None:
        for pair in happened.exchanges:
            if pair[1].id > self._upto:
                self._count(pair)

    def _count(self, pair: Pair) -> None:
        key = (pair[0].protocol, pair[1].outcome)
        if key not in self._counts and len(self._counts) >= LABELS:
            key = (pair[0].protocol, "other")
        self._counts[key] += 1


def rendered(registry: CollectorRegistry) -> bytes:
    from prometheus_client import generate_latest

    return generate_latest(registry)


async def lag() -> float:
    """Seconds of the longest of some turns of the loop."""
    longest = 0.0
    for _ in range(LOOKS):
        before = time.perf_counter()
        await trio.lowlevel.checkpoint()
        longest = max(longest, time.perf_counter() - before)
    return longest


def size(path: Path) -> int:
    """With what SQLite has beside it."""
    total = 0
    for suffix in ("", "-wal", "-shm"):
        try:
            total += os.stat(f"{path}{suffix}").st_size
        except OSError:
            continue
    return total
