"""What can be done to folders: functions over one transaction. Levels of a name are parted by a slash."""

from __future__ import annotations

from pathlib import Path

from sandbox.world.mail.values import FolderChange, FolderExists, NoSuchFolder
from sandbox.world.mail.writer import Transaction
from sandbox.world.mail.writes import create_folder, move

__all__ = ["create", "rename", "set_subscribed"]


def find(tx: Transaction, account: int, name: str) -> int | None:
    row = tx.execute("SELECT id FROM folder WHERE account = ? AND name = ?", (account, name)).fetchone()
    return None if row is None else int(row[0])


def create(tx: Transaction, account: int, name: str, special: str = "") -> int:
    """A folder, and those above it that are missing (RFC 9051 §6.3.4). Raises FolderExists."""
    if find(tx, account, name) is not None:
        raise FolderExists(name)
    require_parents(tx, account, name)
    return create_folder(tx, account, name, special)


def require_parents(tx: Transaction, account: int, name: str) -> None:
    levels = name.split("/")
    for depth in range(1, len(levels)):
        parent = "/".join(levels[:depth])
        if find(tx, account, parent) is None:
            create_folder(tx, account, parent)


def rename(tx: Transaction, account: int, old: str, new: str, files: Path) -> None:
    """See `MailStore.rename_folder`. Raises NoSuchFolder, FolderExists."""
    if find(tx, account, new) is not None:
        raise FolderExists(new)
    if old == "INBOX":
        inbox = find(tx, account, old)
        assert inbox is not None
        target = create(tx, account, new)
        uids = [uid for (uid,) in tx.execute("SELECT uid FROM message WHERE folder = ? ORDER BY uid", (inbox,))]
        move(tx, inbox, uids, target, files)
        return
    inside = tx.execute("SELECT id, name FROM folder WHERE account = ? AND substr(name, 1, ?) = ? ORDER BY name",
                        (account, len(old) + 1, old + "/")).fetchall()
    folder = find(tx, account, old)
    if folder is None and not inside:
        raise NoSuchFolder(old)
    for number, name in inside:
        target_name = new + name[len(old):]
        if find(tx, account, target_name) is not None:
            raise FolderExists(target_name)
        tx.execute("UPDATE folder SET name = ? WHERE id = ?", (target_name, number))
    if folder is not None:
        tx.execute("UPDATE folder SET name = ? WHERE id = ?", (new, folder))
    tx.changes.append(FolderChange(-account, 0))
    require_parents(tx, account, new)


def set_subscribed(tx: Transaction, account: int, name: str, subscribed: bool) -> None:
    if subscribed:
        tx.execute("INSERT OR IGNORE INTO subscription VALUES (?, ?)", (account, name))
    else:
        tx.execute("DELETE FROM subscription WHERE account = ? AND name = ?", (account, name))
    tx.changes.append(FolderChange(-account, 0))
