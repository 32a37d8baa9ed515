"""The observer: it never blocks, and what it leaves out it counts."""

from __future__ import annotations

import io
import json
import threading

from sandbox.address import Address
from sandbox.console.live import JSON_PER_SECOND, LINES_PER_SECOND, Console
from sandbox.journal.bus import Happened
from sandbox.journal.records import Exchange, Session

CLIENT, SERVER = Address("127.0.0.1", 50000), Address("127.0.0.1", 8007)


def session(end: str = "") -> Session:
    return Session(id=1, service="echo", protocol="tcp", transport="tcp", client=CLIENT, server=SERVER, opened=0.0,
                   end=end)


def batch(count: int, closed: tuple[Session, ...] = ()) -> Happened:
    exchanges = [(session(), Exchange(number, 1, 0.0, 0.0, "echo", f"<{number}>", "done", "", "", (0, 0), (0, 0)))
                 for number in range(count)]
    return Happened([], exchanges, closed)


class Stuck(io.StringIO):
    """A terminal that takes nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        assert self.go_on.wait(10)
        return super().write(text)


def test_everything_is_written_before_the_end() -> None:
    out = io.StringIO()
    console = Console(out, explain=False)
    console.start()
    console(batch(3))
    console.close()
    console(batch(1))  # after the end: nothing happens
    assert [text.split()[4] for text in out.getvalue().splitlines()] == ["<0>", "<1>", "<2>"]


def test_too_many_are_counted() -> None:
    out = io.StringIO()
    console = Console(out, explain=False)
    console.start()
    console(batch(LINES_PER_SECOND + 12_345))
    console.close()
    *lines, last = out.getvalue().splitlines()
    assert len(lines) == LINES_PER_SECOND
    assert last == "... and 12,345 more in this second; see `sandbox log`"


def test_a_terminal_that_stands_still_holds_up_nobody() -> None:
    out = Stuck()
    console = Console(out, explain=False)
    console.start()
    console(batch(1))
    assert out.reached.wait(10)
    for _ in range(1000):
        console(batch(100))
    assert len(console._waiting) < LINES_PER_SECOND
    console.close(timeout=0.01)  # does not wait for it either
    out.go_on.set()
    console.close(timeout=10)
    *lines, last = out.getvalue().splitlines()
    assert len(lines) == LINES_PER_SECOND
    assert last == f"... and {100_001 - LINES_PER_SECOND:,} more in this second; see `sandbox log`"


def test_a_reader_that_has_gone_is_not_an_error() -> None:
    out = io.StringIO()
    console = Console(out, explain=False)
    console.start()
    out.close()
    console(batch(3))
    console.close()
    assert not console._thread.is_alive()


def test_connections_that_did_not_end_well_get_a_line() -> None:
    out = io.StringIO()
    console = Console(out, explain=False)
    console.start()
    console(batch(0, (session("client-closed"), session("idle-timeout"), session("flow-idle"))))
    console.close()
    assert [text.split()[-1] for text in out.getvalue().splitlines()] == ["(idle-timeout)"]


def test_an_end_is_told_once() -> None:
    out = io.StringIO()
    console = Console(out, explain=False)
    console.start()
    unfinished = Exchange(1, 1, 0.0, 0.0, "", "rubbish", "", "", "end.idle-timeout", (0, 7), (0, 0))
    console(Happened([], [(session(), unfinished)], [session("idle-timeout")]))
    console.close()
    assert len(out.getvalue().splitlines()) == 1


def test_json_lines() -> None:
    out = io.StringIO()
    console = Console(out, json=True)
    console.start()
    console(batch(2, (session("idle-timeout"),)))
    console(batch(JSON_PER_SECOND))
    console.close(timeout=20)
    *lines, last = map(json.loads, out.getvalue().splitlines())
    assert [fields["asked"] for fields in lines[:3]] == ["<0>", "<1>", "<0>"]
    assert last == {"skipped": 2}


def test_a_second_has_room_again_after_it_is_over() -> None:
    now = 0.0
    out = io.StringIO()
    console = Console(out, explain=False, clock=lambda: now)
    console(batch(LINES_PER_SECOND + 5))
    console.close()
    now = 10.0
    assert not console._turn()
    assert console._room == LINES_PER_SECOND
    assert "... and 5 more" in out.getvalue()
