"""What the channels that lie over another one share: whatever concerns the socket is the one's below."""

from __future__ import annotations

import socket
from collections.abc import Awaitable
from typing import Protocol

__all__ = ["Below", "Layer"]


class Below(Protocol):
    """A channel that another may lie over (`sandbox.net.layers.channel.Channel` says what each member is)."""

    @property
    def sock(self) -> socket.socket: ...
    @property
    def reset(self) -> bool: ...
    @property
    def damaged(self) -> bool: ...
    @property
    def truncated(self) -> bool: ...
    @property
    def behind(self) -> bool: ...
    @property
    def at_end(self) -> bool: ...

    def receive_now(self, limit: int = ...) -> bytes | None: ...
    def send_now(self, data: bytes | memoryview) -> int: ...
    def readable(self) -> Awaitable[None]: ...
    def writable(self) -> Awaitable[None]: ...
    def interrupt(self) -> None: ...
    def end_writing(self) -> None: ...
    def close(self, *, with_reset: bool = False) -> None: ...


class Layer:
    """A channel over another: it changes the bytes, and leaves waiting and closing to the one below."""

    __slots__ = ("_inner",)

    def __init__(self, inner: Below) -> None:
        self._inner = inner

    @property
    def sock(self) -> socket.socket:
        return self._inner.sock

    @property
    def reset(self) -> bool:
        return self._inner.reset

    @property
    def damaged(self) -> bool:
        return self._inner.damaged

    @property
    def truncated(self) -> bool:
        return self._inner.truncated

    async def readable(self) -> None:
        await self._inner.readable()

    async def writable(self) -> None:
        await self._inner.writable()

    def interrupt(self) -> None:
        self._inner.interrupt()

    def close(self, *, with_reset: bool = False) -> None:
        self._inner.close(with_reset=with_reset)
