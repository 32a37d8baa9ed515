"""How much room there is (RFC 9208). One quota root, without a name, for all of an account's mailboxes."""

from __future__ import annotations

import trio

from sandbox.protocols.imap.commands.folders import one_mailbox
from sandbox.protocols.imap.grammar.cursor import Cursor
from sandbox.protocols.imap.grammar.writing import mailbox
from sandbox.protocols.imap.replies import Tagged, no, ok
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.table import LOGGED_IN, command


def root(cursor: Cursor) -> tuple[bytes]:
    cursor.expect_space()
    return (cursor.expect_astring(),)


@command("GETQUOTA", states=LOGGED_IN, rfc="9208 §4.1.2", reads=root)
async def get_quota(session: Imap, name: bytes) -> Tagged:
    """Ask for the room that is used and left."""
    if name:
        return no('The only quota root here is ""', "NONEXISTENT")
    await tell_quota(session)
    return ok("Measured")


@command("GETQUOTAROOT", states=LOGGED_IN, rfc="9208 §4.1.3", reads=one_mailbox)
async def get_quota_root(session: Imap, name: str) -> Tagged:
    """Ask which quotas a mailbox counts for."""
    await session.find_folder(name)
    session.untagged(b"QUOTAROOT " + mailbox(name, utf8=session.utf8) + b' ""')
    await tell_quota(session)
    return ok("Measured")


async def tell_quota(session: Imap) -> None:
    """STORAGE counts in units of 1024 octets (RFC 9208 §5.1)."""
    used, limit = await trio.to_thread.run_sync(session.store.usage, session.account)
    resources = f"STORAGE {-(-used // 1024)} {limit // 1024}" if limit else ""
    session.untagged(f'QUOTA "" ({resources})')
