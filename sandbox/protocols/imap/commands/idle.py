"""IDLE: the client waits, and hears of changes as they happen (RFC 9051 §6.3.13)."""

from __future__ import annotations

from sandbox.protocols.contract.conversation import TooLong
from sandbox.protocols.imap.pushing import wait
from sandbox.protocols.imap.replies import Tagged, bad, ok
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.table import LOGGED_IN, command

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
    async def next_line() -> bytes | None:
        line = await read(session)
        # It belongs to the exchange after the one that is being told meanwhile.
        if line is not None:
            session.conversation.untake(line)
        return line

    line = await wait(session, next_line, idle=True)
    return line if line is None else session.conversation.take(len(line))


async def read(session: Imap) -> bytes | None:
    try:
        return await session.conversation.read_line(LINE)
    except TooLong:
        return None
