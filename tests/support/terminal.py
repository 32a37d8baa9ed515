"""A program on a terminal of its own, with somebody who looks at it and types."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import termios
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio

__all__ = ["Terminal", "terminal"]

CONTROL = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[()][A-Z0-9]|[=>78A-Z]|\][^\x07]*\x07)|[\x00-\x08\x0e-\x1f]")
"""What moves the cursor and colours, and shows nothing."""


class Terminal:
    def __init__(self, stream: trio.lowlevel.FdStream) -> None:
        self._stream = stream
        self._shown = b""

    async def see(self, *words: str, seconds: float = 30) -> None:
        """Wait until each of these has been shown since the last key was pressed, one after the other."""
        for word in words:
            try:
                with trio.fail_after(seconds):
                    while (found := (shown := CONTROL.sub(b"", self._shown)).find(word.encode())) < 0:
                        self._shown += await self._stream.receive_some()
            except (trio.TooSlowError, trio.BrokenResourceError) as error:
                pytest.fail(f"{word!r} was not shown ({error!r}), but\n{shown.decode('utf-8', 'replace')}",
                            pytrace=False)
            self._shown = shown[found + len(word):]

    async def type(self, keys: str) -> None:
        self._shown = b""
        await self._stream.send_all(keys.encode())

    async def drain(self) -> None:
        """Until the program has gone, which Linux reports as an error (EIO)."""
        with contextlib.suppress(trio.BrokenResourceError):
            while True:
                await self._stream.receive_some()


@asynccontextmanager
async def terminal(command: Sequence[str], home: Path, **environment: str) -> AsyncIterator[Terminal]:
    """Run a program on a terminal of 100 by 40, its /dev/tty. It must end well by itself when the block has ended."""
    near, far = pty.openpty()
    try:
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        known: Mapping[str, str] = {"HOME": str(home), "PATH": "/usr/bin:/bin", "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        async with trio.lowlevel.FdStream(near) as stream, trio.open_nursery() as nursery:
            process: trio.Process = await nursery.start(partial(
                trio.run_process, ["setsid", "--ctty", *command], stdin=far, stdout=far, stderr=far,
                env={**known, **environment}, check=False))
            os.close(far)
            far = -1
            screen = Terminal(stream)
            yield screen
            with trio.fail_after(20):
                await screen.drain()
                assert await process.wait() == 0
    finally:
        if far >= 0:
            os.close(far)
