"""NOTIFY: which changes the client wants to hear of, and when (RFC 5465)."""

from __future__ import annotations

import trio

from sandbox.protocols.imap.grammar.cursor import Cursor
from sandbox.protocols.imap.grammar.notifying import EVENTS, Request, expect_request
from sandbox.protocols.imap.notifier import Notifier
from sandbox.protocols.imap.replies import Tagged, no, ok
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.table import LOGGED_IN, command


def notify_arguments(cursor: Cursor) -> tuple[Request]:
    cursor.expect_space()
    return (expect_request(cursor),)


@command("NOTIFY", states=LOGGED_IN, rfc="5465 §3.1", reads=notify_arguments)
async def notify(session: Imap, request: Request) -> Tagged:
    """Choose what to hear of without asking."""
    if request.unknown:
        return no("Some of these events never happen here", f"BADEVENT ({' '.join(EVENTS)})")
    session.stop_notices()
    if not request.groups:
        return ok("Nothing will be told unasked")
    notifier = Notifier(session.store, session.account, request)
    await trio.to_thread.run_sync(notifier.start)
    session.notifier = notifier
    return ok("It will be told as it happens")
