"""Opening and leaving a mailbox: SELECT, EXAMINE, CLOSE, UNSELECT."""

from __future__ import annotations

from dataclasses import dataclass

import trio

from sandbox.protocols.imap.commands.anytime import enable
from sandbox.protocols.imap.commands.copying import deleted_uids
from sandbox.protocols.imap.grammar.cursor import NUMBER_MAX, Cursor, GrammarError
from sandbox.protocols.imap.grammar.sets import NumberSet, among, compress, expect_set
from sandbox.protocols.imap.grammar.writing import mailbox
from sandbox.protocols.imap.objects import mailbox_id
from sandbox.protocols.imap.replies import Tagged, ok
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.table import LOGGED_IN, State, command
from sandbox.protocols.imap.updates import claim_recent, send_flags, send_keywords
from sandbox.protocols.imap.view import View
from sandbox.protocols.threads import settled


@dataclass(frozen=True, slots=True)
class Resync:
    """What a client knew of a mailbox when it left (RFC 7162 §3.2.5): UIDVALIDITY, mod-sequence, UIDs."""

    validity: int
    modseq: int
    known: NumberSet | None


def select_arguments(cursor: Cursor) -> tuple[str, bool, Resync | None]:
    cursor.expect_space()
    name = cursor.expect_mailbox()
    condstore, resync = False, None
    if cursor.try_take(b" "):
        cursor.expect_take(b"(")
        while True:
            word = cursor.try_word("CONDSTORE", "QRESYNC")
            if word is None:
                raise GrammarError(f"CONDSTORE or QRESYNC was expected at {cursor.near()}")
            condstore = True
            if word == "QRESYNC":
                cursor.expect_space()
                resync = expect_resync(cursor)
            if cursor.try_take(b")"):
                break
            cursor.expect_space()
    return name, condstore, resync


def expect_resync(cursor: Cursor) -> Resync:
    cursor.expect_take(b"(")
    validity = cursor.expect_number(least=1)
    cursor.expect_space()
    modseq = cursor.expect_number(most=NUMBER_MAX)
    known = None
    while cursor.try_take(b" "):
        if cursor.try_take(b"("):  # message numbers and their UIDs: no vanished message is ever forgotten here
            expect_set(cursor)
            cursor.expect_space()
            expect_set(cursor)
            cursor.expect_take(b")")
            break
        known = expect_set(cursor)
    cursor.expect_take(b")")
    return Resync(validity, modseq, known)


@command("SELECT", states=LOGGED_IN, rfc="9051 §6.3.2", reads=select_arguments)
async def select(session: Imap, name: str, condstore: bool, resync: Resync | None) -> Tagged:
    """Open a mailbox."""
    return await open_mailbox(session, name, condstore, resync, read_only=False)


@command("EXAMINE", states=LOGGED_IN, rfc="9051 §6.3.3", reads=select_arguments)
async def examine(session: Imap, name: str, condstore: bool, resync: Resync | None) -> Tagged:
    """Open a mailbox to look only."""
    return await open_mailbox(session, name, condstore, resync, read_only=True)


async def open_mailbox(session: Imap, name: str, condstore: bool, resync: Resync | None, *,
                       read_only: bool) -> Tagged:
    if resync is not None and "QRESYNC" not in session.enabled:
        raise GrammarError("QRESYNC has to be enabled first: ENABLE QRESYNC")  # RFC 7162 §3.2.3
    if condstore:
        enable(session, "CONDSTORE")
    if session.view is not None:  # RFC 9051 §6.3.2: the old one is closed, whether or not the new one opens
        session.leave_mailbox()
        session.untagged("OK [CLOSED] The mailbox before is closed")
    folder = await session.find_folder(name)
    view = View(name, read_only=read_only)
    view.stop = session.store.watch(folder.id, view.hear)  # first listen, then look, so that nothing falls between
    try:
        snapshot = await trio.to_thread.run_sync(session.store.view, folder.id)
        view.begin(snapshot)
        if snapshot.folder.recent < snapshot.folder.uidnext:
            await claim_recent(session, view, snapshot.folder.uidnext)
    except BaseException:
        view.stop()
        raise
    session.view = view
    tell_mailbox(session, view, snapshot.unseen, snapshot.folder.uidnext)
    if resync is not None and resync.validity == view.validity:
        await tell_since(session, view, resync)
    return ok("Look, but do not touch" if read_only else f"{name} is open",
              "READ-ONLY" if read_only else "READ-WRITE")


def tell_mailbox(session: Imap, view: View, unseen: int, uidnext: int) -> None:
    modern = "IMAP4rev2" in session.enabled
    session.untagged(f"{len(view.uids)} EXISTS")
    if not modern:
        session.untagged(f"{view.recent_count} RECENT")
    send_keywords(session, view)
    if unseen and not modern:
        session.untagged(f"OK [UNSEEN {view.number(unseen)}] The first message not seen yet")
    session.untagged(f"OK [UIDVALIDITY {view.validity}] UIDs are good as long as this stays")
    session.untagged(f"OK [UIDNEXT {uidnext}] The next message's UID")
    session.untagged(f"OK [HIGHESTMODSEQ {view.modseq}] The latest change")
    session.untagged(f"OK [MAILBOXID ({mailbox_id(view.folder)})] Its name that stays")
    if modern:
        session.untagged(b"LIST () \"/\" " + mailbox(view.name, utf8=session.utf8))


async def tell_since(session: Imap, view: View, resync: Resync) -> None:
    """What happened since the client left (RFC 7162 §3.2.5.1)."""
    store = session.store
    vanished = await trio.to_thread.run_sync(store.vanished, view.folder, resync.modseq)
    if resync.known is not None:
        known = resync.known.resolve(0xFFFF_FFFF)
        vanished = among(vanished, known)
    if vanished:
        await session.send(b"* VANISHED (EARLIER) " + compress(vanished) + b"\r\n")
    items = await trio.to_thread.run_sync(lambda: store.items(view.folder, changed_since=max(resync.modseq, 1)))
    if resync.known is not None:
        asked = set(among((item.uid for item in items), known))
        items = [item for item in items if item.uid in asked]
    await send_flags(session, items)


@command("CLOSE", states=State.SELECTED, rfc="9051 §6.4.1", expunges=False)
async def close(session: Imap) -> Tagged:
    """Remove what is marked as deleted, without a word, and leave the mailbox."""
    view = session.selected
    code = ""
    if not view.read_only:
        uids = await deleted_uids(session, None)
        if uids:
            await settled(session.store.expunge(view.folder, uids))
            view.take_news(expunges=True)
            if "QRESYNC" in session.enabled:
                code = f"HIGHESTMODSEQ {view.modseq}"
    session.leave_mailbox()
    return ok("The mailbox is closed", code)


@command("UNSELECT", states=State.SELECTED, rfc="9051 §6.4.2", expunges=False)
async def unselect(session: Imap) -> Tagged:
    """Leave the mailbox as it is."""
    session.leave_mailbox()
    return ok("The mailbox is closed")
