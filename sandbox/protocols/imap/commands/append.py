"""APPEND: messages into a mailbox, one or several (RFC 9051 §6.3.12, RFC 3502, RFC 3516 §4.4, RFC 6855 §4).

A message goes to the store's spool while it arrives. Mailbox, size and flags are checked before the client is told to
go ahead, so that it does not send what will be refused.
"""

from __future__ import annotations

from typing import NamedTuple

import trio

from sandbox.protocols.contract.conversation import EndOfStream
from sandbox.protocols.imap.commands.copying import find_target
from sandbox.protocols.imap.commands.flags import proper_flags
from sandbox.protocols.imap.grammar.cursor import Cursor, GrammarError, Literal, announced
from sandbox.protocols.imap.grammar.dates import try_date_time
from sandbox.protocols.imap.grammar.sets import compress
from sandbox.protocols.imap.reading import LINE, Incoming, skip_rest
from sandbox.protocols.imap.replies import CommandRefused, Tagged, bad, no, ok
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.table import LOGGED_IN, command
from sandbox.protocols.threads import settled
from sandbox.world.mail import Delivery, Folder, NoSuchFolder, OverQuota, Spool

PIECE = 65_536
MOST = 1000
"""Messages in one command."""


class Head(NamedTuple):
    """What stands before a message. received: 0 for now; utf8: whether it came as UTF8 (~{...})."""

    flags: list[str]
    received: float
    utf8: bool


class Arrived(NamedTuple):
    head: Head
    spool: Spool


def append_arguments(cursor: Cursor) -> tuple[str, Cursor]:
    cursor.expect_space()
    name = cursor.expect_mailbox()
    return name, cursor


def expect_head(cursor: Cursor) -> Head:
    """From the space after mailbox or message up to the literal's header."""
    cursor.expect_space()
    flags: list[str] = []
    if cursor.peek() == b"(":
        flags = cursor.expect_list(cursor.expect_flag, empty=True)
        cursor.expect_space()
    received = try_date_time(cursor)
    if received is not None:
        cursor.expect_space()
    utf8 = cursor.try_word("UTF8") is not None
    if utf8:
        cursor.expect_take(b" (")
    if announced(cursor.data) is None or cursor.data.find(b"\n", cursor.at) < len(cursor.data) - 1:
        raise GrammarError(f"A message, announced by its size as {{1234}}, was expected at {cursor.near()}")
    if cursor.peek() not in b"~{":
        raise GrammarError(f"A message, announced by its size as {{1234}}, was expected at {cursor.near()}")
    return Head(flags, received or 0.0, utf8)


@command("APPEND", states=LOGGED_IN, rfc="9051 §6.3.12", reads=append_arguments)
async def append(session: Imap, name: str, cursor: Cursor) -> Tagged:
    """Put messages into a mailbox."""
    literal = session.incoming.message
    session.incoming = Incoming(session.incoming.text)  # taken: whatever comes of it is said and read here
    if literal is None:
        return bad("APPEND needs a message: APPEND INBOX {310}, and then its 310 octets")
    arrived: list[Arrived] = []
    try:
        return await receive_all(session, name, cursor, literal, arrived)
    finally:
        for _, spool in arrived:
            if spool.file is not None:
                with trio.CancelScope(shield=True):
                    await trio.to_thread.run_sync(spool.discard)


async def receive_all(session: Imap, name: str, cursor: Cursor, literal: Literal | None,
                      arrived: list[Arrived]) -> Tagged:
    """Take the messages as they come, then store all of them or none."""
    folder: Folder | None = None
    total = 0
    while literal is not None:
        try:
            head = expect_head(cursor)
            proper_flags(head.flags, frozenset())
            total += literal.size
            folder = folder or await find_target(session, name)
            await check(session, literal, total, len(arrived), head)
        except (GrammarError, CommandRefused) as error:
            reply = bad(error.sentence) if isinstance(error, GrammarError) else error.reply
            return reply._replace(close=not await skip_rest(session.conversation, literal))
        if literal.waits:
            session.go_ahead()
        arrived.append(Arrived(head, session.store.spool()))
        clean = await receive(session, arrived[-1].spool, literal.size)
        line = await session.conversation.read_line(LINE)
        literal = announced(line)
        cursor = Cursor(line, utf8=session.utf8)
        if not clean or (head.utf8 and not cursor.try_take(b")")):
            reply = bad(") was expected after the message") if clean else no(
                "A message with NUL in it cannot be kept", "UNKNOWN-CTE")
            return reply._replace(close=not await skip_rest(session.conversation, literal))
    if cursor.data[cursor.at:].strip(b"\r\n"):
        return bad(f"Nothing more was expected at {cursor.near()}")
    assert folder is not None
    return await keep(session, folder, arrived)


async def check(session: Imap, literal: Literal, total: int, count: int, head: Head) -> None:
    """Raises CommandRefused for a message that will not be taken."""
    if literal.size > session.mailboxes.size:
        raise CommandRefused(no(f"A message may have {session.mailboxes.size} octets", "TOOBIG"))
    if not literal.size:
        raise CommandRefused(no("An empty message is not kept"))  # RFC 3502 §6.3.11: it takes the whole command back
    if count >= MOST:
        raise CommandRefused(no(f"One command may append {MOST} messages", "LIMIT"))
    if head.utf8 and not session.utf8:
        raise CommandRefused(bad("UTF8 has to be enabled first: ENABLE UTF8=ACCEPT"))
    used, limit = await trio.to_thread.run_sync(session.store.usage, session.account)
    if limit and used + total > limit:
        raise CommandRefused(no("That does not fit into what this account may keep", "OVERQUOTA"))


async def receive(session: Imap, spool: Spool, size: int) -> bool:
    """Move a literal to a spool; returns whether it was without NUL."""
    clean = True
    while size:
        piece = await session.conversation.read_some(min(size, PIECE))
        if not piece:
            raise EndOfStream
        size -= len(piece)
        clean = clean and b"\0" not in piece
        if spool.add(piece):
            await trio.to_thread.run_sync(spool.drain)
    return clean


async def keep(session: Imap, folder: Folder, arrived: list[Arrived]) -> Tagged:
    for _, spool in arrived:
        if spool.must_seal:
            await trio.to_thread.run_sync(spool.seal)
    known = session.view.keywords if session.view is not None else frozenset[str]()
    try:
        stored = await settled(session.store.append([
            (spool, Delivery(session.account, folder=folder.name, flags=" ".join(proper_flags(head.flags, known))),
             head.received, head.utf8) for head, spool in arrived]))
    except OverQuota:
        return no("That does not fit into what this account may keep", "OVERQUOTA")
    except NoSuchFolder:
        return no("There is no such mailbox any more", "TRYCREATE")
    session.note_messages(each.content for each in stored)
    uids = compress(each.uids[0] for each in stored).decode()
    return ok("It is safe" if len(stored) == 1 else f"All {len(stored)} are safe",
              f"APPENDUID {folder.uidvalidity} {uids}")
