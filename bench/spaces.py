"""Spaces: how long one takes to open and to close, in a running sandbox, and what a thousand of them leave behind."""

from __future__ import annotations

import os
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import trio

from sandbox.app import running
from sandbox.config import Config
from sandbox.spaces import SpaceSpec

__all__ = ["KINDS", "Cost", "cost"]

KINDS = {
    "with ports of its own": SpaceSpec("bench"),
    "for a client of the main one": SpaceSpec("bench", bind=(), clients=("127.0.0.9",)),
}


class Cost(NamedTuple):
    """Seconds, the median of many; kept: octets of resident memory, and open descriptors, that are left of all."""

    opening: float
    closing: float
    kept: tuple[int, int]


def cost(spec: SpaceSpec, count: int) -> Cost:
    """Open and close a space `count` times."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return trio.run(measure, spec, count, Path(folder))


async def measure(spec: SpaceSpec, count: int, folder: Path) -> Cost:
    opening, closing = [], []
    async with running(Config(ports="ephemeral"), folder) as sandbox:
        before = state()
        for number in range(count):
            began = time.perf_counter()
            await sandbox.spaces.open(spec)
            opened = time.perf_counter()
            await sandbox.spaces.close(spec.name)
            opening.append(opened - began)
            closing.append(time.perf_counter() - opened)
            if number == count // 10:
                before = state()  # what is made once has been made
        after = state()
    return Cost(statistics.median(opening), statistics.median(closing),
                (after[0] - before[0], after[1] - before[1]))


def state() -> tuple[int, int]:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize(), len(os.listdir("/proc/self/fd"))
