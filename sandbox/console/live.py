"""The live lines: an observer of the journal that never makes a client wait.

The loop only puts records on a list, as many as the second still has room for, and counts the rest; a thread of its
own renders and writes. The room is given back by that thread, so a terminal that is stopped (Ctrl-S) or slow lets
the count grow, not the memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TextIO

from sandbox.console.lines import closing_line, json_line, line
from sandbox.console.terminal import DIM, look, paint, tolerate
from sandbox.journal.bus import Happened
from sandbox.journal.records import Exchange, Session

__all__ = ["Console"]

LINES_PER_SECOND = 100
"""As many as still make sense to a person; the journal has them all."""

JSON_PER_SECOND = 20_000
"""A program reads faster. Beyond this, and while it does not read at all, lines are left out and counted."""

QUIET_ENDS = frozenset({"", "client-closed", "server-closed", "flow-idle", "stopped", "tls-failed", "tls-truncated"})
"""Ends of connections that are not worth a line."""

Item = tuple[Session, Exchange | None]
"""An exchange, or None for the end of its session."""


class Console:
    """Writes live lines to `stream` from a thread of its own, from `start` to `close`.

    It is an observer for the journal's bus: call it with a batch. color: as `terminal.look` has it; json: JSON lines
    instead of text, where a line {"skipped": n} stands for n exchanges left out; clock: seconds, rising.
    """

    def __init__(self, stream: TextIO, *, color: str = "auto", explain: bool = True, json: bool = False,
                 clock: Callable[[], float] = time.monotonic) -> None:
        tolerate(stream)
        self._stream = stream
        self._color = color
        self._look = look(stream, color)
        self._explain = explain
        self._json = json
        self._clock = clock
        self._rate = JSON_PER_SECOND if json else LINES_PER_SECOND
        self._room = self._rate
        self._waiting: list[Item] = []
        self._skipped = 0
        self._stopped = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def __call__(self, happened: Happened) -> None:
        items: Sequence[Item] = happened.exchanges
        ends = () if self._json else [session for session in happened.closed if session.end not in QUIET_ENDS]
        if ends:
            told = {exchange.session for _, exchange in happened.exchanges if exchange.key.startswith("end.")}
            items = [*items, *((session, None) for session in ends if session.id not in told)]
        if not items:
            return
        with self._news:  # held elsewhere only to take the list: this cannot block the loop
            if self._stopped:
                return
            taken = min(self._room, len(items))
            if taken:
                self._waiting.extend(items[:taken])
                self._room -= taken
                self._news.notify()
            self._skipped += len(items) - taken

    def close(self, timeout: float = 1.0) -> None:
        """Write what is waiting and stop. timeout: seconds to wait for a terminal that does not take it."""
        with self._news:
            self._stopped = True
            self._news.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        except (OSError, ValueError):  # the reader has gone, or the stream was closed; the sandbox goes on
            with self._news:
                self._stopped = True
                self._waiting.clear()

    def _turn(self) -> bool:
        """One second in which something happens, from its first record on. False at the end."""
        first = self._take(None)
        self._look = look(self._stream, self._color)  # the window may have changed its size
        self._write(first)
        over = self._clock() + 1
        while (left := over - self._clock()) > 0 and not self._stopped:
            self._write(self._take(left))
        stopped = self._stopped
        if stopped:
            self._write(self._take(0))
        with self._news:
            skipped, self._skipped = self._skipped, 0
            self._room = self._rate
        if skipped:
            self._stream.write(self._left_out(skipped, late=self._clock() > over + 1))
            self._stream.flush()
        return not stopped

    def _take(self, seconds: float | None) -> Sequence[Item]:
        """What is waiting; waits for it, for so long at most (None: until there is some)."""
        with self._news:
            if not self._waiting and not self._stopped:
                self._news.wait(seconds)
            waiting, self._waiting = self._waiting, []
            return waiting

    def _write(self, items: Sequence[Item]) -> None:
        if items:
            self._stream.write("".join(self._render(session, exchange) for session, exchange in items))
            self._stream.flush()

    def _render(self, session: Session, exchange: Exchange | None) -> str:
        color, width = self._look
        if exchange is None:
            return closing_line(session, color=color, explain=self._explain, width=width) + "\n"
        if self._json:
            return json_line(session, exchange).decode("ascii")
        return line(session, exchange, color=color, explain=self._explain, width=width) + "\n"

    def _left_out(self, count: int, *, late: bool) -> str:
        if self._json:
            return f'{{"skipped":{count}}}\n'
        when = "while the terminal stood still" if late else "in this second"
        return paint(f"... and {count:,} more {when}; see `sandbox log`", DIM, color=self._look.color) + "\n"
