"""IDLE: the client waits, and hears of changes as they happen (RFC 9051 §6.3.13).

Theory of operation. The session's own task waits for the client's DONE and for nothing else, so that a read is never
cancelled. News comes from the store's thread through `View.wake`; only then a second task starts, tells it, and ends:
a connection that idles has one task and no timer.
"""

from __future__ import annotations

from functools import partial

import trio

from sandbox.protocols.contract.conversation import ConversationError, TooLong
from sandbox.protocols.imap.replies import Tagged, bad, ok
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.table import LOGGED_IN, command
from sandbox.protocols.imap.updates import send_updates

LINE = 1000


@command("IDLE", states=LOGGED_IN, rfc="9051 §6.3.13")
async def idle(session: Imap) -> Tagged:
    """Wait for news."""
    conversation = session.conversation
    # What is news already is told after this line: Thunderbird does not ask for the mail it hears of before it.
    session.go_ahead("Idling; DONE ends it")
    if session.exchange is not None:
        session.exchange.end("+", "idling")
        session.exchange = None
    line = await wait_for_done(session)
    session.exchange = conversation.begin("DONE", "", session.known)
    if line is None:
        return bad("That line is too long")._replace(close=True)
    if line.strip().upper() != b"DONE":
        return bad("DONE was expected")
    return ok("Awake")


async def wait_for_done(session: Imap) -> bytes | None:
    """The client's next line, None for one that is too long, with news told until it comes."""
    conversation, view = session.conversation, session.view
    await conversation.flush()
    if view is None:
        return await read(session)
    failure: ConversationError | None = None
    line: bytes | None = None
    token = trio.lowlevel.current_trio_token()
    async with trio.open_nursery() as nursery:
        teller = Teller(session, nursery)
        view.wake = partial(token.run_sync_soon, teller.start, idempotent=True)
        teller.start()  # for what has come since the last command
        try:
            line = await read(session)
            # It belongs to the exchange after the one that a teller may have under way.
            if line is not None:
                conversation.untake(line)
        except ConversationError as error:
            failure = error
        finally:
            view.wake = None
            teller.open = False
    if failure is not None:
        raise failure
    return line if line is None else conversation.take(len(line))


async def read(session: Imap) -> bytes | None:
    try:
        return await session.conversation.read_line(LINE)
    except TooLong:
        return None


class Teller:
    """Tells news while a session idles, one task at a time."""

    __slots__ = ("_busy", "_nursery", "_session", "open")

    def __init__(self, session: Imap, nursery: trio.Nursery) -> None:
        self._session = session
        self._nursery = nursery
        self._busy = False
        self.open = True

    def start(self) -> None:
        if self.open and not self._busy and self._session.selected.restless:
            self._busy = True
            self._nursery.start_soon(self._tell)

    async def _tell(self) -> None:
        session = self._session
        try:
            while session.selected.restless:
                exchange = session.conversation.begin("push", session.selected.name, session.known)
                exchange.end("", await send_updates(session, expunges=True))
                await session.conversation.flush()
        except ConversationError:
            pass  # the task that reads hears of it too
        finally:
            self._busy = False
