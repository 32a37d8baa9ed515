"""What the mail store takes and gives."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import NamedTuple

__all__ = [
    "QUEUE",
    "Counts",
    "Delivery",
    "Flagged",
    "Folder",
    "FolderChange",
    "FolderExists",
    "Item",
    "NoSuchFolder",
    "Outbound",
    "OverQuota",
    "Stored",
    "View",
]


QUEUE = 0
"""What the queue of mail under way is called among the folders that can be watched."""


class NoSuchFolder(LookupError):
    """There is no folder of that name."""


class FolderExists(Exception):
    """There is a folder of that name already."""


class OverQuota(Exception):
    """A message does not fit. Nothing of what was asked has been done. accounts: those whose quota is used up."""

    def __init__(self, accounts: tuple[str, ...]) -> None:
        super().__init__("over quota: " + ", ".join(accounts))
        self.accounts = accounts


class Folder(NamedTuple):
    """A folder as it is now.

    special: its use as RFC 6154 names it ("\\Sent"), "" for none; modseq: the highest so far (HIGHESTMODSEQ,
    RFC 7162); recent: the first UID that no session was told of yet (\\Recent, RFC 3501).
    """

    id: int
    account: str
    name: str
    special: str
    uidvalidity: int
    uidnext: int
    modseq: int
    recent: int
    subscribed: bool


class Item(NamedTuple):
    """A message in a folder, without its text.

    size: octets; content: what `MailStore.read` wants, the same for all copies; received: seconds since the epoch
    (INTERNALDATE); flags: separated by spaces, sorted; recipient: the address it was delivered for, "" if it was
    put there by its owner.
    """

    uid: int
    size: int
    content: int
    modseq: int
    received: float
    flags: str
    recipient: str


class View(NamedTuple):
    """A folder with its messages at one moment.

    uids: rising; unseen: the first UID without \\Seen, 0 for none; keywords: every flag that some message has.
    """

    folder: Folder
    uids: array[int]
    unseen: int
    keywords: frozenset[str]


class Counts(NamedTuple):
    """How many messages a folder has, and of what kind. size, deleted_size: octets; recent: those that no session was
    told of yet."""

    messages: int
    unseen: int
    deleted: int
    size: int
    deleted_size: int
    recent: int


class Flagged(NamedTuple):
    """What a change of flags did: the UIDs that changed, those left out as too new, and the mod-sequence it got
    (0 for none). items: the messages that were named and are there, as they are now; None where they are many;
    there: how many of them there are."""

    changed: list[int]
    late: list[int]
    modseq: int
    items: list[Item] | None = None
    there: int = 0


class FolderChange(NamedTuple):
    """What a commit did to a folder, by UID. folder: an account's number below zero for the names of its folders and
    its subscriptions."""

    folder: int
    modseq: int
    added: tuple[int, ...] = ()
    flagged: tuple[int, ...] = ()
    vanished: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a message goes. recipient: the address it is delivered for."""

    account: str
    recipient: str = ""
    folder: str = "INBOX"
    flags: str = ""


@dataclass(frozen=True, slots=True)
class Outbound:
    """A message on its way to one recipient.

    sender: the return path, "" for none; due: when to try next, in seconds since the epoch; facts: what the
    protocol that carries it must remember, as it gave it; id, attempts, created: kept by the store.
    """

    sender: str
    recipient: str
    facts: str = ""
    due: float = 0.0
    id: int = 0
    content: int = 0
    size: int = 0
    attempts: int = 0
    created: float = 0.0


class Stored(NamedTuple):
    """A message that is safe. content: its number; uids: one for each delivery, in their order."""

    content: int
    uids: tuple[int, ...]
