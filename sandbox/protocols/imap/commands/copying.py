"""COPY, MOVE, EXPUNGE and CHECK."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from sandbox.protocols.contract.facts import MOST
from sandbox.protocols.imap.grammar.cursor import Cursor
from sandbox.protocols.imap.grammar.sets import NumberSet, compress, expect_set
from sandbox.protocols.imap.replies import REMOVED, CommandRefused, Tagged, no, ok
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.table import State, command
from sandbox.protocols.imap.updates import send_updates
from sandbox.protocols.threads import settled
from sandbox.world.mail import Folder, NoSuchFolder

READ_ONLY = "This mailbox is open to look only: SELECT it to change it"


def set_and_mailbox(cursor: Cursor) -> tuple[NumberSet, str]:
    cursor.expect_space()
    numbers = expect_set(cursor)
    cursor.expect_space()
    return numbers, cursor.expect_mailbox()


@command("COPY", states=State.SELECTED, rfc="9051 §6.4.7", reads=set_and_mailbox, uid_rfc="9051 §6.4.9")
async def copy(session: Imap, numbers: NumberSet, name: str, *, uid: bool) -> Tagged:
    """Put copies of messages into another mailbox."""
    uids = chosen_uids(session, numbers, uid=uid)
    target = await find_target(session, name)
    await name_messages(session, uids)
    pairs = await settled(session.store.copy(session.selected.folder, uids, target.id))
    if not pairs:
        return nothing_left("copy", uids, uid=uid)
    return ok(f"{len(pairs)} copied", copied(target, pairs))


def chosen_uids(session: Imap, numbers: NumberSet, *, uid: bool) -> list[int]:
    view = session.selected
    return [view.uids[index] for chosen in view.choose(numbers, uid=uid) for index in chosen]


async def name_messages(session: Imap, uids: list[int]) -> None:
    """Say in the journal which messages these are: the first of them, where they are many."""
    items = await trio.to_thread.run_sync(session.store.items_of, session.selected.folder, uids[:MOST])
    session.note_messages(item.content for item in items)


async def find_target(session: Imap, name: str) -> Folder:
    """The mailbox that messages are to go to. Raises CommandRefused."""
    try:
        return await session.find_folder(name)
    except NoSuchFolder:
        raise CommandRefused(no("There is no such mailbox; CREATE it first", "TRYCREATE")) from None


def copied(target: Folder, pairs: Sequence[tuple[int, int]]) -> str:
    """COPYUID (RFC 9051 §7.1): both sets in the same order."""
    here = compress(pair[0] for pair in pairs).decode()
    return f"COPYUID {target.uidvalidity} {here} {compress(pair[1] for pair in pairs).decode()}"


def nothing_left(what: str, uids: Sequence[int], *, uid: bool) -> Tagged:
    """The answer where none of the messages is there any more."""
    return ok(REMOVED, "EXPUNGEISSUED") if uids and not uid else ok(f"There was nothing to {what}")


@command("MOVE", states=State.SELECTED, rfc="9051 §6.4.8", reads=set_and_mailbox, uid_rfc="9051 §6.4.9")
async def move(session: Imap, numbers: NumberSet, name: str, *, uid: bool) -> Tagged:
    """Move messages into another mailbox."""
    if session.selected.read_only:
        return no(READ_ONLY, "READ-ONLY")
    uids = chosen_uids(session, numbers, uid=uid)
    target = await find_target(session, name)
    await name_messages(session, uids)
    pairs = await settled(session.store.move(session.selected.folder, uids, target.id))
    if not pairs:
        return nothing_left("move", uids, uid=uid)
    # RFC 6851 §4.3: COPYUID comes before the EXPUNGEs, so that the client knows where the messages went.
    session.untagged(f"OK [{copied(target, pairs)}] Moved")
    return await expunged(session, f"{len(pairs)} moved")


async def expunged(session: Imap, text: str) -> Tagged:
    await send_updates(session, expunges=True)
    return ok(text, f"HIGHESTMODSEQ {session.selected.modseq}" if "QRESYNC" in session.enabled else "")


@command("EXPUNGE", states=State.SELECTED, rfc="9051 §6.4.3")
async def expunge(session: Imap) -> Tagged:
    """Remove what is marked as deleted, for good."""
    return await expunge_messages(session, None)


def uid_set(cursor: Cursor) -> tuple[NumberSet]:
    cursor.expect_space()
    return (expect_set(cursor),)


@command("UID EXPUNGE", states=State.SELECTED, rfc="9051 §6.4.9", reads=uid_set)
async def uid_expunge(session: Imap, numbers: NumberSet) -> Tagged:
    """Remove those of these messages that are marked as deleted."""
    return await expunge_messages(session, numbers)


async def expunge_messages(session: Imap, numbers: NumberSet | None) -> Tagged:
    if session.selected.read_only:
        return no(READ_ONLY, "READ-ONLY")
    uids = await deleted_uids(session, numbers)
    if uids:
        await settled(session.store.expunge(session.selected.folder, uids))
    return await expunged(session, f"{len(uids)} removed")


async def deleted_uids(session: Imap, numbers: NumberSet | None) -> list[int]:
    """Messages with \\Deleted that the client knows of; only those of a set, if one is given."""
    view = session.selected
    among = None if numbers is None else set(chosen_uids(session, numbers, uid=True))
    items = await trio.to_thread.run_sync(session.store.items_flagged, view.folder, "\\Deleted")
    return [uid for uid in items if view.number(uid) and (among is None or uid in among)]


@command("CHECK", states=State.SELECTED, rfc="3501 §6.4.1")
async def check(session: Imap) -> Tagged:
    """Ask for a moment of housekeeping; there is none to do."""
    return ok("All is safe already")
