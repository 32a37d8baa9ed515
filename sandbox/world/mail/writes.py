"""What can be done to mail: functions over one transaction, which `MailStore` hands to the writer."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NoReturn

from sandbox.world.mail.reader import ITEM
from sandbox.world.mail.spool import Spool
from sandbox.world.mail.values import (
    QUEUE,
    Delivery,
    Flagged,
    FolderChange,
    Item,
    NoSuchFolder,
    Outbound,
    OverQuota,
    Stored,
)
from sandbox.world.mail.writer import Transaction

__all__ = [
    "claim_recent",
    "copy",
    "create_folder",
    "delete_folder",
    "delete_outbound",
    "expunge",
    "move",
    "remove_account",
    "rename_durably",
    "require_account",
    "retry_outbound",
    "set_flags",
    "store",
]

SHOWN = 1000
"""Messages that a change of flags returns with what they have become; more are looked up by who wants them."""

TOGETHER = 500
"""Messages looked up at once."""

SPECIAL = {"Drafts": "\\Drafts", "Sent": "\\Sent", "Junk": "\\Junk", "Trash": "\\Trash", "Archive": "\\Archive"}
"""The folders everybody has from the start, beside INBOX, with their use (RFC 6154 §2)."""


def require_account(tx: Transaction, name: str, quota: int) -> int:
    """The account's number; it is made, with its folders, when mail first comes for it."""
    row = tx.execute("SELECT id FROM account WHERE name = ?", (name,)).fetchone()
    if row is not None:
        return int(row[0])
    number = tx.execute("INSERT INTO account (name, quota) VALUES (?, ?) RETURNING id", (name, quota)).fetchone()[0]
    for folder in ("INBOX", *SPECIAL):
        create_folder(tx, number, folder, SPECIAL.get(folder, ""))
        tx.execute("INSERT INTO subscription VALUES (?, ?)", (number, folder))
    return int(number)


def remove_account(tx: Transaction, name: str, files: Path) -> None:
    """An account and all its mail."""
    contents = tx.execute("SELECT DISTINCT content FROM message JOIN folder ON folder.id = message.folder "
                          "JOIN account ON account.id = folder.account WHERE account.name = ?", (name,)).fetchall()
    tx.execute("DELETE FROM account WHERE name = ?", (name,))
    drop_unused(tx, [content for (content,) in contents], files)


def create_folder(tx: Transaction, account: int, name: str, special: str = "") -> int:
    """Its UIDVALIDITY rises over all folders there ever were (RFC 9051 §2.3.1.1). Raises sqlite3.IntegrityError."""
    (uidvalidity,) = tx.execute("UPDATE meta SET value = max(value + 1, ?) WHERE name = 'uidvalidity' "
                                "RETURNING value", (int(time.time()),)).fetchone()
    row = tx.execute("INSERT INTO folder (account, name, special, uidvalidity) VALUES (?, ?, ?, ?) RETURNING id",
                     (account, name, special, uidvalidity)).fetchone()
    tx.changes.append(FolderChange(-account, 0))
    return int(row[0])


def delete_folder(tx: Transaction, folder: int, files: Path) -> None:
    """A folder and its mail."""
    (account,) = tx.execute("SELECT account FROM folder WHERE id = ?", (folder,)).fetchone() or missing(folder)
    rows = tx.execute("SELECT uid, content, size FROM message WHERE folder = ? ORDER BY uid", (folder,)).fetchall()
    tx.execute("DELETE FROM folder WHERE id = ?", (folder,))
    tx.execute("UPDATE account SET used = used - ? WHERE id = ?", (sum(row[2] for row in rows), account))
    tx.changes.append(FolderChange(folder, 0, vanished=tuple(row[0] for row in rows)))
    tx.changes.append(FolderChange(-account, 0))
    drop_unused(tx, [row[1] for row in rows], files)


def claim_recent(tx: Transaction, folder: int, uid: int) -> int:
    """A session is about to be told of all messages below `uid`. Returns the first UID of those that no session was
    told of before; `uid` or more for none."""
    row = tx.execute("SELECT recent FROM folder WHERE id = ?", (folder,)).fetchone()
    if row is None:
        return uid
    if row[0] < uid:
        tx.execute("UPDATE folder SET recent = ? WHERE id = ?", (uid, folder))
    return int(row[0])


def store(tx: Transaction, head: bytes, spool: Spool, deliveries: Sequence[Delivery], outbound: Sequence[Outbound],
          received: float, replaces: Sequence[int], *, quota: int, utf8: bool, files: Path,
          place: Callable[[Path, Path], None]) -> Stored:
    """Keep a message once, and put it wherever it goes, all or nothing. Raises OverQuota, NoSuchFolder, OSError.

    replaces: legs of the queue that end with it.
    """
    size = len(head) + spool.size
    accounts = {delivery.account: require_account(tx, delivery.account, quota) for delivery in deliveries}
    full = []
    for owner, account in accounts.items():
        more = size * sum(delivery.account == owner for delivery in deliveries)
        if not tx.execute("UPDATE account SET used = used + ?1 WHERE id = ?2 AND (quota = 0 OR used + ?1 <= quota)",
                          (more, account)).rowcount:
            full.append(owner)
    if full:
        raise OverQuota(tuple(full))
    name = spool.file.name if spool.file is not None else None
    row = tx.execute("INSERT INTO content (size, utf8, head, text, file) VALUES (?, ?, ?, ?, ?) RETURNING id",
                     (size, utf8, head, None if name else spool.text, name)).fetchone()
    content = int(row[0])
    uids = []
    for delivery in deliveries:
        folder = tx.execute("SELECT id FROM folder WHERE account = ? AND name = ?",
                            (accounts[delivery.account], delivery.folder)).fetchone() or missing(delivery.folder)
        uids.append(add(tx, folder[0], content, size, received, sorted_flags(delivery.flags), delivery.recipient))
    legs = [tx.execute("INSERT INTO outbound (content, sender, recipient, facts, due, created) "
                       "VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
                       (content, leg.sender, leg.recipient, leg.facts, leg.due, received)).fetchone()[0]
            for leg in outbound]
    if legs:
        tx.changes.append(FolderChange(QUEUE, 0, added=tuple(legs)))
    delete_outbound(tx, replaces, files)
    if spool.file is not None:
        # Before the commit, so that a row never lacks its file; and last, so that nothing can fail between the two
        # but the commit itself: the next start removes the file then.
        place(spool.file, files / spool.file.name)
    return Stored(content, tuple(uids))


def add(tx: Transaction, folder: int, content: int, size: int, received: float, flags: str, recipient: str) -> int:
    """One message into one folder; returns its UID."""
    uidnext, modseq = tx.execute("UPDATE folder SET uidnext = uidnext + 1, modseq = modseq + 1 WHERE id = ? "
                                 "RETURNING uidnext, modseq", (folder,)).fetchone() or missing(folder)
    tx.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
               (folder, uidnext - 1, content, size, modseq, received, flags, recipient))
    tx.changes.append(FolderChange(folder, modseq, added=(uidnext - 1,)))
    return int(uidnext - 1)


def copy(tx: Transaction, source: int, uids: Iterable[int], target: int) -> list[tuple[int, int]]:
    """(UID here, UID there) for each that exists. Raises OverQuota, NoSuchFolder."""
    pairs = []
    for uid in uids:
        row = tx.execute("SELECT content, size, received, flags, recipient FROM message WHERE folder = ? AND uid = ?",
                         (source, uid)).fetchone()
        if row is not None:
            charge(tx, target, row[1])
            pairs.append((uid, add(tx, target, *row)))
    return pairs


def move(tx: Transaction, source: int, uids: Iterable[int], target: int, files: Path) -> list[tuple[int, int]]:
    """RFC 6851: all of them, or none. Raises NoSuchFolder."""
    pairs = []
    for uid in uids:
        row = tx.execute("SELECT content, size, received, flags, recipient FROM message WHERE folder = ? AND uid = ?",
                         (source, uid)).fetchone()
        if row is not None:
            tx.execute("UPDATE account SET used = used + ? WHERE id = (SELECT account FROM folder WHERE id = ?)",
                       (row[1], target))
            pairs.append((uid, add(tx, target, *row)))
    expunge(tx, source, [uid for uid, _ in pairs], files)
    return pairs


def charge(tx: Transaction, folder: int, size: int) -> None:
    """Take octets from the quota of a folder's owner. Raises OverQuota, NoSuchFolder."""
    row = tx.execute("SELECT account.id, account.name FROM folder JOIN account ON account.id = folder.account "
                     "WHERE folder.id = ?", (folder,)).fetchone() or missing(folder)
    if not tx.execute("UPDATE account SET used = used + ?1 WHERE id = ?2 AND (quota = 0 OR used + ?1 <= quota)",
                      (size, row[0])).rowcount:
        raise OverQuota((row[1],))


def set_flags(tx: Transaction, folder: int, uids: Iterable[int], change: Callable[[frozenset[str]], Iterable[str]],
              unchanged_since: int | None = None) -> Flagged:
    """Change the flags of messages; one mod-sequence for all of them.

    change: from a message's flags to its new ones, asked once for all that have the same; unchanged_since: leave out
    what has a later mod-sequence (RFC 7162 §3.1.3). Raises NoSuchFolder.
    """
    modseq = there = 0
    changed, late = [], []
    items: list[Item] = []
    after: dict[str, str] = {}
    for item in items_of(tx, folder, uids):
        there += 1
        if unchanged_since is not None and item.modseq > unchanged_since:
            late.append(item.uid)
            continue
        flags = after.get(item.flags)
        if flags is None:
            flags = after[item.flags] = sorted_flags(" ".join(change(frozenset(item.flags.split()))))
        if flags != item.flags:
            modseq = modseq or next_modseq(tx, folder)
            tx.execute("UPDATE message SET flags = ?, modseq = ? WHERE folder = ? AND uid = ?",
                       (flags, modseq, folder, item.uid))
            changed.append(item.uid)
            item = item._replace(flags=flags, modseq=modseq)
        if len(items) <= SHOWN:
            items.append(item)
    if changed:
        tx.changes.append(FolderChange(folder, modseq, flagged=tuple(changed)))
    elif not items and not late and tx.execute("SELECT 1 FROM folder WHERE id = ?", (folder,)).fetchone() is None:
        missing(folder)
    return Flagged(changed, late, modseq, items if len(items) <= SHOWN else None, there)


def items_of(tx: Transaction, folder: int, uids: Iterable[int]) -> Iterator[Item]:
    """Those that are there; each batch is read before the first of it is given out, and may then be changed."""
    rest = iter(uids)
    while batch := list(islice(rest, TOGETHER)):
        marks = ",".join("?" * len(batch))
        yield from map(Item._make, tx.execute(
            ITEM + f"WHERE folder = ? AND uid IN ({marks}) ORDER BY uid", (folder, *batch)).fetchall())


def next_modseq(tx: Transaction, folder: int) -> int:
    row = tx.execute("UPDATE folder SET modseq = modseq + 1 WHERE id = ? RETURNING modseq", (folder,)).fetchone()
    return int(row[0])


def expunge(tx: Transaction, folder: int, uids: Iterable[int], files: Path) -> list[int]:
    """Remove messages for good; returns those that were there."""
    (modseq,) = tx.execute("SELECT modseq + 1 FROM folder WHERE id = ?", (folder,)).fetchone() or missing(folder)
    gone, contents, freed = [], [], 0
    for uid in uids:
        row = tx.execute("DELETE FROM message WHERE folder = ? AND uid = ? RETURNING content, size",
                         (folder, uid)).fetchall()
        if row:
            gone.append(uid)
            contents.append(row[0][0])
            freed += row[0][1]
    if gone:
        tx.executemany("INSERT INTO vanished VALUES (?, ?, ?)", [(folder, uid, modseq) for uid in gone])
        tx.execute("UPDATE folder SET modseq = ? WHERE id = ?", (modseq, folder))
        tx.execute("UPDATE account SET used = used - ? WHERE id = (SELECT account FROM folder WHERE id = ?)",
                   (freed, folder))
        tx.changes.append(FolderChange(folder, modseq, vanished=tuple(gone)))
        drop_unused(tx, contents, files)
    return gone


def retry_outbound(tx: Transaction, legs: Iterable[int], due: float, facts: str | None = None) -> None:
    """An attempt failed for now."""
    for leg in legs:
        tx.execute("UPDATE outbound SET due = ?, attempts = attempts + 1, facts = coalesce(?, facts) WHERE id = ?",
                   (due, facts, leg))


def delete_outbound(tx: Transaction, legs: Iterable[int], files: Path) -> None:
    """They arrived, or were given up."""
    legs, contents = tuple(legs), []
    for leg in legs:
        contents += tx.execute("DELETE FROM outbound WHERE id = ? RETURNING content", (leg,)).fetchall()
    if legs:
        tx.changes.append(FolderChange(QUEUE, 0, vanished=legs))
    drop_unused(tx, [content for (content,) in contents], files)


def drop_unused(tx: Transaction, contents: Iterable[int], files: Path) -> None:
    """Forget messages that nobody has any more; their files go after the commit."""
    for content in set(contents):
        rows = tx.execute("DELETE FROM content WHERE id = ?1 "
                          "AND NOT EXISTS (SELECT 1 FROM message WHERE content = ?1) "
                          "AND NOT EXISTS (SELECT 1 FROM outbound WHERE content = ?1) RETURNING file",
                          (content,)).fetchall()
        if rows and rows[0][0]:
            file = files / rows[0][0]
            tx.after.append(lambda file=file: file.unlink(missing_ok=True))  # type: ignore[misc]


def sorted_flags(flags: str) -> str:
    return " ".join(sorted(set(flags.split())))


def missing(folder: int | str) -> NoReturn:
    raise NoSuchFolder(folder)


def rename_durably(source: Path, target: Path) -> None:
    """Rename, and make the name itself safe: a file's fsync does not cover its folder."""
    os.rename(source, target)
    handle = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
