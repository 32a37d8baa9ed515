"""What is done to whole mailboxes: CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, STATUS, NAMESPACE."""

from __future__ import annotations

import trio

from sandbox.protocols.imap.grammar.cursor import Cursor, GrammarError
from sandbox.protocols.imap.grammar.listing import expect_status_items
from sandbox.protocols.imap.grammar.writing import mailbox
from sandbox.protocols.imap.objects import mailbox_id
from sandbox.protocols.imap.replies import Tagged, no, ok
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.table import LOGGED_IN, command
from sandbox.protocols.threads import settled
from sandbox.world.mail import FolderExists

LONGEST = 255
"""Octets of one level of a mailbox's name, as file systems have it: somebody will want to export them."""

DEEPEST = 20
USES = ("\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash")


def one_mailbox(cursor: Cursor) -> tuple[str]:
    cursor.expect_space()
    return (cursor.expect_mailbox(),)


def two_mailboxes(cursor: Cursor) -> tuple[str, str]:
    return *one_mailbox(cursor), *one_mailbox(cursor)


def create_arguments(cursor: Cursor) -> tuple[str, str]:
    (name,) = one_mailbox(cursor)
    use = ""
    if cursor.try_take(b" "):  # RFC 6154 §3
        cursor.expect_take(b"(")
        if cursor.try_word("USE") is None:
            raise GrammarError(f"USE was expected at {cursor.near()}")
        cursor.expect_space()
        uses = cursor.expect_list(cursor.expect_flag)
        cursor.expect_take(b")")
        use = uses[0].capitalize() if uses[0].startswith("\\") else uses[0]
        use = next((known for known in USES if known.upper() == use.upper()), use)
        if len(uses) > 1:
            use = "several"
    return name, use


def wrong_name(name: str) -> str:
    """Why there cannot be a mailbox of that name; "" where there can."""
    levels = name.split("/")
    if "" in levels:
        return "No level of a mailbox's name may be empty"
    if len(levels) > DEEPEST:
        return f"Mailboxes may be {DEEPEST} levels deep"
    if any(len(level.encode("utf-8", "surrogatepass")) > LONGEST for level in levels):
        return f"A level of a mailbox's name may have {LONGEST} octets"
    if any(ord(letter) < 32 or 127 <= ord(letter) < 160 or letter in "\u2028\u2029" or
           0xD800 <= ord(letter) < 0xE000 for letter in name):
        return "A mailbox's name has no control characters"  # RFC 9051 §5.1
    if any(letter in "%*" for letter in name):
        return "A mailbox's name has no wildcards"
    return ""


@command("CREATE", states=LOGGED_IN, rfc="9051 §6.3.4", reads=create_arguments)
async def create(session: Imap, name: str, use: str) -> Tagged:
    """Make a mailbox."""
    name = name.removesuffix("/")  # RFC 9051 §6.3.4: the client will make others inside
    if problem := wrong_name(name):
        return no(problem, "CANNOT")
    if use and use not in USES:
        return no("A mailbox can be used for one of " + " ".join(USES), "CANNOT")
    try:
        folder = await settled(session.store.create_folder(session.account, name, use))
    except FolderExists:
        return no("There is a mailbox of that name already", "ALREADYEXISTS")
    return ok("It is there", f"MAILBOXID ({mailbox_id(folder)})")


@command("DELETE", states=LOGGED_IN, rfc="9051 §6.3.5", reads=one_mailbox)
async def delete(session: Imap, name: str) -> Tagged:
    """Remove a mailbox with its mail; those inside it stay."""
    if name == "INBOX":
        return no("INBOX is always there", "CANNOT")
    folder = await session.find_folder(name)
    if session.view is not None and session.view.folder == folder.id:
        session.leave_mailbox()
        session.untagged("OK [CLOSED] The mailbox that was open is gone")
    await settled(session.store.delete_folder(folder.id))
    return ok("It is gone")


@command("RENAME", states=LOGGED_IN, rfc="9051 §6.3.6", reads=two_mailboxes)
async def rename(session: Imap, old: str, new: str) -> Tagged:
    """Rename a mailbox with those inside it; of INBOX, move the mail."""
    new = new.removesuffix("/")
    if problem := wrong_name(new):
        return no(problem, "CANNOT")
    if new.startswith(old + "/") and old != "INBOX":
        return no("A mailbox cannot move into itself", "CANNOT")
    try:
        await settled(session.store.rename_folder(session.account, old, new))
    except FolderExists as error:
        return no(f"There is a mailbox {error} already", "ALREADYEXISTS")
    return ok("It has the new name")


@command("SUBSCRIBE", states=LOGGED_IN, rfc="9051 §6.3.7", reads=one_mailbox)
async def subscribe(session: Imap, name: str) -> Tagged:
    """Put a mailbox on the list of those to be shown."""
    await session.find_folder(name)
    await settled(session.store.set_subscribed(session.account, name, True))
    return ok("It is on the list")


@command("UNSUBSCRIBE", states=LOGGED_IN, rfc="9051 §6.3.8", reads=one_mailbox)
async def unsubscribe(session: Imap, name: str) -> Tagged:
    """Take a name off that list."""
    await settled(session.store.set_subscribed(session.account, name, False))
    return ok("It is off the list")


@command("NAMESPACE", states=LOGGED_IN, rfc="9051 §6.3.10")
async def namespace(session: Imap) -> Tagged:
    """Say where one's own mailboxes begin, and what parts the levels of their names."""
    session.untagged('NAMESPACE (("" "/")) NIL NIL')
    return ok("That is all")


def status_arguments(cursor: Cursor) -> tuple[str, tuple[str, ...]]:
    (name,) = one_mailbox(cursor)
    cursor.expect_space()
    return name, expect_status_items(cursor)


@command("STATUS", states=LOGGED_IN, rfc="9051 §6.3.11", reads=status_arguments)
async def status(session: Imap, name: str, items: tuple[str, ...]) -> Tagged:
    """Count what is in a mailbox without opening it."""
    await tell_status(session, name, items)
    return ok("Counted")


async def tell_status(session: Imap, name: str, items: tuple[str, ...]) -> None:
    """Raises NoSuchFolder."""
    folder = await session.find_folder(name)
    counts = await trio.to_thread.run_sync(session.store.counts, folder.id)
    if "HIGHESTMODSEQ" in items:
        session.enabled |= {"CONDSTORE"}  # RFC 7162 §3.1: asking for it switches it on
    values = {
        "MESSAGES": counts.messages, "UIDNEXT": folder.uidnext, "UIDVALIDITY": folder.uidvalidity,
        "UNSEEN": counts.unseen, "RECENT": counts.recent,
        "SIZE": counts.size, "DELETED": counts.deleted, "DELETED-STORAGE": -(-counts.deleted_size // 1024),
        "HIGHESTMODSEQ": folder.modseq, "APPENDLIMIT": session.mailboxes.size,
        "MAILBOXID": f"({mailbox_id(folder.id)})",
    }
    words = " ".join(f"{item} {values[item]}" for item in items)
    session.untagged(b"STATUS " + mailbox(name, utf8=session.utf8) + b" (" + words.encode() + b")")
