"""Real programs as clients of a running sandbox: run one, and find in the journal what it did."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import trio

from sandbox.explain import sentence
from sandbox.journal.records import Exchange
from tests.support.network import Watcher

__all__ = ["Finished", "run", "told"]

SHOWN = 4_000
"""Characters of a program's output that a failure shows."""


class Finished(NamedTuple):
    """What a program printed, and the exit status."""

    output: bytes
    errors: str
    status: int

    @property
    def text(self) -> str:
        return self.output.decode("utf-8", "replace")


async def run(*command: str | Path, stdin: bytes = b"", status: int | None = 0, seconds: float = 30,
              cwd: Path | None = None) -> Finished:
    """Run a program to its end. status: the one it must have, None for any; seconds: how long it may take.

    A failure says what was run and what it printed, also when it was stopped because it took too long.
    """
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        ended: int | None = None
        with trio.move_on_after(seconds):
            done = await trio.run_process(words, stdin=stdin, stdout=output, stderr=errors, check=False, cwd=cwd)
            ended = done.returncode
        output.seek(0)
        errors.seek(0)
        printed, complained = output.read(), errors.read().decode("utf-8", "replace")
    outcome = f"took more than {seconds:g} seconds" if ended is None else f"ended with {ended}"
    if ended is None or status not in (None, ended):
        pytest.fail(f"{' '.join(words)}\n{outcome}\n--- it printed\n{printed.decode('utf-8', 'replace')[-SHOWN:]}\n"
                    f"--- and complained\n{complained[-SHOWN:]}", pytrace=False)
    return Finished(printed, complained, ended)


async def told(watcher: Watcher, *expected: Sequence[str]) -> list[Exchange]:
    """Wait until the journal has so many exchanges: (verb, asked, outcome) each, in this order, and explained."""
    found = await watcher.wait_exchanges(len(expected))
    assert [(exchange.verb, exchange.asked, exchange.outcome) for exchange in found] == [
        tuple(words) for words in expected]
    for session, exchange in watcher.exchanges:
        assert sentence(session, exchange), f"no explanation for {exchange.verb} {exchange.outcome}"
    return found
