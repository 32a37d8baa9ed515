"""A sandbox for a command that needs one: the one that runs on the data folder, or one that is started for it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.datafolder import Running, read_running
from sandbox.errors import UserError

__all__ = ["sandbox_on"]

START = 15.0
"""Seconds that a start may take on a busy machine."""
PAUSE = 0.02
STOP = 10.0


@contextmanager
def sandbox_on(data: Path, *, quiet: bool = False, arguments: tuple[str, ...] = ()) -> Iterator[Running]:
    """The sandbox that runs on a data folder; if none does, one on any free ports, for the length of the block.

    quiet: whether not to say so; arguments: more of `sandbox up`, where one is started. Raises UserError.
    """
    running = read_running(data)
    if running is not None:
        yield running
        return
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "up", "--quiet", "--ports", "ephemeral", "--data", str(data), *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    try:
        running = wait_until_ready(data, process)
        if not quiet:
            print(f"No sandbox ran on {data}: one was started, and ends with this.", file=sys.stderr)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(STOP)
        except subprocess.TimeoutExpired:
            process.kill()
        if process.stderr is not None:
            process.stderr.close()


def wait_until_ready(data: Path, process: subprocess.Popen[bytes]) -> Running:
    """Raises UserError with what the sandbox said."""
    until = time.monotonic() + START
    while (running := read_running(data)) is None or running.pid != process.pid:
        if process.poll() is not None:
            said = process.stderr.read().decode(errors="replace") if process.stderr else ""
            raise UserError(said.strip().removeprefix("sandbox: ") or "the sandbox did not start")
        if time.monotonic() > until:
            raise UserError(f"the sandbox was not ready after {START:g} seconds")
        time.sleep(PAUSE)
    return running
