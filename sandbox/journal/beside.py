"""How a search is a good neighbour to the loop, in whose process it runs in a thread."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["beside_the_loop"]

TURN = 0.001
"""Seconds that a thread may keep the interpreter's lock from others; Python's own value is five times that."""

lock = threading.Lock()
searching = 0
before = (True, 0.005)
"""What is put back when the last slice is over: whether the collector runs, and its turn."""


@contextmanager
def beside_the_loop() -> Iterator[None]:
    """For one slice. The lock changes hands sooner, and the collector of cycles rests: nothing that is decoded can be
    in a cycle, and it would look for them in all that the process has, while the loop waits."""
    global searching, before
    with lock:
        if not searching:
            before = (gc.isenabled(), sys.getswitchinterval())
            gc.disable()
            sys.setswitchinterval(min(TURN, before[1]))
        searching += 1
    try:
        yield
    finally:
        with lock:
            searching -= 1
            if not searching:
                collects, turn = before
                sys.setswitchinterval(turn)
                if collects:
                    gc.enable()
