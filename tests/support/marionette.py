"""Mozilla's programs as clients: an X server nobody sees, and Marionette, the protocol they are driven by.

Marionette is JSON over TCP, each message with its length in front: [0, id, command, parameters] asks, and
[1, id, error, result] answers. It is Mozilla's own and has no RFC.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import trio

__all__ = ["Marionette", "MarionetteError", "x_server"]

PATIENCE = 60
"""Seconds that a script may take, with whatever it waits for."""


class MarionetteError(Exception):
    """What the program says that went wrong."""


class Marionette:
    """A connection to a program, with its privileges: scripts can do what its own windows can."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._arrived = bytearray()
        self._asked = 0

    @classmethod
    async def connect(cls, port: int) -> Marionette:
        found = cls(await trio.open_tcp_stream("127.0.0.1", port))
        await found._message()                              # who is there
        await found.ask("WebDriver:NewSession", capabilities={})
        await found.ask("Marionette:SetContext", value="chrome")
        await found.ask("WebDriver:SetTimeouts", script=PATIENCE * 1000, implicit=PATIENCE * 1000)
        return found

    async def ask(self, command: str, **parameters: Any) -> Any:
        """Raises MarionetteError."""
        self._asked += 1
        text = json.dumps([0, self._asked, command, parameters]).encode()
        with trio.fail_after(PATIENCE + 10):
            await self._stream.send_all(b"%d:%s" % (len(text), text))
            _, number, error, result = await self._message()
        assert number == self._asked
        if error is not None:
            raise MarionetteError(f"{command}: {error['error']}: {error['message']}")
        return result

    async def run(self, script: str, *arguments: Any) -> Any:
        """Run JavaScript in the current window until it calls its last argument; what it is called with."""
        result = await self.ask("WebDriver:ExecuteAsyncScript", script=script, args=arguments, sandbox="system")
        return result["value"]

    async def find(self, selector: str) -> dict[str, str]:
        """The element of the current window that a CSS selector means, once it is there."""
        result = await self.ask("WebDriver:FindElement", using="css selector", value=selector)
        found: dict[str, str] = result["value"]
        return found

    async def click(self, element: dict[str, str]) -> None:
        await self.ask("WebDriver:ElementClick", id=next(iter(element.values())))

    async def fill(self, element: dict[str, str], text: str) -> None:
        """Type into a field, in place of what is in it."""
        await self.ask("WebDriver:ElementClear", id=next(iter(element.values())))
        await self.ask("WebDriver:ElementSendKeys", id=next(iter(element.values())), text=text)

    async def switch_window(self) -> None:
        """Go to the other one of two windows."""
        here = (await self.ask("WebDriver:GetWindowHandle"))["value"]
        (other,) = set(await self.ask("WebDriver:GetWindowHandles")) - {here}
        await self.ask("WebDriver:SwitchToWindow", handle=other)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def _message(self) -> Any:
        while b":" not in self._arrived:
            await self._more()
        length, _, self._arrived = self._arrived.partition(b":")
        while len(self._arrived) < int(length):
            await self._more()
        text = bytes(self._arrived[:int(length)])
        del self._arrived[:int(length)]
        return json.loads(text)

    async def _more(self) -> None:
        data = await self._stream.receive_some()
        if not data:
            raise MarionetteError("the program went away")
        self._arrived += data


@asynccontextmanager
async def x_server() -> AsyncIterator[str]:
    """An X server with a screen in memory; yields its display, the first that is free."""
    reading, writing = os.pipe()
    async with trio.lowlevel.FdStream(reading) as ready, trio.open_nursery() as nursery:
        try:
            await nursery.start(partial(
                trio.run_process, ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x1000x24", "-nolisten",
                                   "tcp"],
                pass_fds=[writing], stderr=subprocess.DEVNULL, check=False))
        finally:
            os.close(writing)
        with trio.fail_after(20):
            number = await ready.receive_some()
        assert number, "Xvfb did not start"
        yield f":{number.decode().strip()}"
        nursery.cancel_scope.cancel()
