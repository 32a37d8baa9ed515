"""Telling news while the client says nothing: in IDLE, and between commands where NOTIFY asks for it.

Theory of operation. The session's own task waits for the client and for nothing else, so that a read is never
cancelled. News comes from the store's thread through `View.wake` and `Notifier.wake`; only then a second task starts,
tells it, and ends: a connection that waits has one task and no timer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import trio

from sandbox.protocols.contract.conversation import ConversationError
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.updates import send_notices, send_updates

__all__ = ["wait"]

T = TypeVar("T")


async def wait(session: Imap, wanted: Callable[[], Awaitable[T]], *, idle: bool) -> T:
    """What `wanted` gives, with news told until then. idle: whether the client said IDLE; else only what NOTIFY asks
    for is told. wanted: may wait for the client, and consumes nothing of what it sends."""
    await session.conversation.flush()
    failure: ConversationError | None = None
    token = trio.lowlevel.current_trio_token()
    async with trio.open_nursery() as nursery:
        teller = Teller(session, nursery, idle=idle)
        sources = [source for source in (session.view, session.notifier) if source is not None]
        for source in sources:
            source.wake = partial(token.run_sync_soon, teller.start, idempotent=True)
        teller.start()  # for what has come since the last command
        try:
            result = await wanted()
        except ConversationError as error:
            failure = error
        finally:
            for source in sources:
                source.wake = None
            teller.open = False
    if failure is not None:
        raise failure
    return result


class Teller:
    """Tells news, one task at a time."""

    __slots__ = ("_busy", "_expunges", "_nursery", "_opened", "_session", "open")

    def __init__(self, session: Imap, nursery: trio.Nursery, *, idle: bool) -> None:
        selected = session.notifier.selected if session.notifier is not None else ""
        self._session = session
        self._nursery = nursery
        self._opened = session.view if idle or selected else None
        self._expunges = idle or selected == "selected"
        self._busy = False
        self.open = True

    @property
    def _restless(self) -> bool:
        notifier = self._session.notifier
        return (self._opened is not None and self._opened.restless) or (notifier is not None and notifier.restless)

    def start(self) -> None:
        if self.open and not self._busy and self._restless:
            self._busy = True
            self._nursery.start_soon(self._tell)

    async def _tell(self) -> None:
        session = self._session
        try:
            while self._restless:
                name = session.view.name if session.view is not None else ""
                exchange = session.conversation.begin("push", name, session.known)
                words = [await send_updates(session, expunges=self._expunges) if self._opened is not None else "",
                         await send_notices(session)]
                exchange.end("", ", ".join(filter(None, words)))
                await session.conversation.flush()
        except ConversationError:
            pass  # the task that reads hears of it too
        finally:
            self._busy = False
