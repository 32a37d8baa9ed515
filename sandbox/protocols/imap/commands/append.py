"""APPEND: messages into a mailbox, one or several (RFC 9051 §6.3.12, RFC 3502, RFC 3516 §4.4, RFC 6855 §4).

A message goes to the store's spool while it arrives. Mailbox, size and flags are checked before the client is told to
go ahead, so that it does not send what will be refused.
"""

from __future__ import annotations

from typing import NamedTuple

import trio

from sandbox.protocols.imap.arriving import Rest
from sandbox.protocols.imap.commands.catenate import receive_parts
from sandbox.protocols.imap.commands.copying import find_target
from sandbox.protocols.imap.commands.flags import proper_flags
from sandbox.protocols.imap.grammar.cursor import Cursor, GrammarError
from sandbox.protocols.imap.grammar.dates import try_date_time
from sandbox.protocols.imap.grammar.sets import compress
from sandbox.protocols.imap.reading import Incoming, skip_rest
from sandbox.protocols.imap.replies import CommandRefused, Tagged, bad, no, ok
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.table import LOGGED_IN, command
from sandbox.protocols.threads import settled
from sandbox.world.mail import Delivery, Folder, NoSuchFolder, OverQuota, Spool

MOST = 1000
"""Messages in one command."""


class Head(NamedTuple):
    """What stands before a message. received: 0 for now; utf8: whether it came as UTF8 (~{...}); parts: whether it is
    put together (CATENATE)."""

    flags: list[str]
    received: float
    utf8: bool
    parts: bool


class Arrived(NamedTuple):
    head: Head
    spool: Spool


def append_arguments(cursor: Cursor) -> tuple[str, Cursor]:
    cursor.expect_space()
    name = cursor.expect_mailbox()
    rest = Cursor(cursor.data, utf8=cursor.utf8)
    rest.at, cursor.at = cursor.at, len(cursor.data)  # the rest is read as it comes
    return name, rest


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
    word = cursor.try_word("UTF8", "CATENATE")
    if word is not None:
        cursor.expect_space()
    if word == "UTF8":
        cursor.expect_take(b"(")
    return Head(flags, received or 0.0, word == "UTF8", word == "CATENATE")


@command("APPEND", states=LOGGED_IN, rfc="9051 §6.3.12", reads=append_arguments)
async def append(session: Imap, name: str, cursor: Cursor) -> Tagged:
    """Put messages into a mailbox."""
    literal = session.incoming.message
    session.incoming = Incoming(session.incoming.text)  # taken: whatever comes of it is said and read here
    if cursor.ended:
        return bad("APPEND needs a message: APPEND INBOX {310}, and then its 310 octets")
    arrived: list[Arrived] = []
    try:
        return await receive_all(session, name, Rest(session, cursor, literal), arrived)
    finally:
        for _, spool in arrived:
            if spool.file is not None:
                with trio.CancelScope(shield=True):
                    await trio.to_thread.run_sync(spool.discard)


async def receive_all(session: Imap, name: str, rest: Rest, arrived: list[Arrived]) -> Tagged:
    """Take the messages as they come, then store all of them or none."""
    try:
        folder = await find_target(session, name) if rest.literal else None
        total = 0
        while not arrived or not rest.cursor.ended:
            head = expect_head(rest.cursor)
            proper_flags(head.flags, frozenset())
            folder = folder or await find_target(session, name)
            await check(session, rest, total, len(arrived), head)
            arrived.append(Arrived(head, session.store.spool()))
            await receive(session, rest, *arrived[-1])
            total += arrived[-1].spool.size
    except (GrammarError, CommandRefused) as error:
        reply = bad(error.sentence) if isinstance(error, GrammarError) else error.reply
        return reply._replace(close=not await skip_rest(session.conversation, rest.literal))
    assert folder is not None
    return await keep(session, folder, arrived)


async def receive(session: Imap, rest: Rest, head: Head, spool: Spool) -> None:
    """One message. Raises GrammarError, CommandRefused."""
    clean = await (receive_parts(session, rest, spool) if head.parts else rest.receive(spool))
    if not clean:
        raise CommandRefused(no("A message with NUL in it cannot be kept", "UNKNOWN-CTE"))
    if head.utf8:
        rest.cursor.expect_take(b")")
    if not spool.size:
        raise CommandRefused(no("An empty message is not kept"))  # RFC 3502 §6.3.11: it takes the whole command back


async def check(session: Imap, rest: Rest, total: int, count: int, head: Head) -> None:
    """Raises CommandRefused for a message that will not be taken."""
    if not head.parts:
        literal = rest.expect_literal()
        total += literal.size
        if literal.size > session.mailboxes.size:
            raise CommandRefused(no(f"A message may have {session.mailboxes.size} octets", "TOOBIG"))
        if not literal.size:
            raise CommandRefused(no("An empty message is not kept"))
    if count >= MOST:
        raise CommandRefused(no(f"One command may append {MOST} messages", "LIMIT"))
    if head.utf8 and not session.utf8:
        raise CommandRefused(bad("UTF8 has to be enabled first: ENABLE UTF8=ACCEPT"))
    used, limit = await trio.to_thread.run_sync(session.store.usage, session.account)
    if limit and used + total > limit:
        raise CommandRefused(no("That does not fit into what this account may keep", "OVERQUOTA"))


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
