"""A space for asynchronous tests: each call is made in a worker thread, so that the test's loop goes on meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sandbox.testing.space import Part, Space

__all__ = ["AsyncSpace"]


class AsyncSpace:
    """Everything a `Space` has; its methods, and those of its parts, are awaited. For trio and asyncio.

        letter = await sandbox.mail.wait_for(to="bob@example.com")
    """

    def __init__(self, space: Space | Part) -> None:
        self._space = space

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._space, name)
        if isinstance(found, Part):
            return AsyncSpace(found)
        return partial(in_thread, found) if callable(found) and not isinstance(found, type) else found


async def in_thread(function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    """Call a function that blocks, under whatever loop this runs."""
    import sniffio
    if sniffio.current_async_library() == "trio":
        import trio
        return await trio.to_thread.run_sync(partial(function, *args, **keywords), abandon_on_cancel=True)
    import asyncio
    return await asyncio.to_thread(function, *args, **keywords)
