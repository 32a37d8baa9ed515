"""The mail of the pretend internet: everybody's folders, and the queue of mail under way.

`MailStore` keeps it in SQLite, with large messages in files beside it. Writing goes to one thread that joins what
many sessions ask for at the same time into one commit; a method that writes returns a future that is done when the
commit is. A method that reads blocks for as long as SQLite needs: call it in a thread. `MailReader` is its reading
half alone, for whoever looks at the mail of a sandbox that is not this one.
"""

from __future__ import annotations

from sandbox.world.mail.reader import MailReader
from sandbox.world.mail.schema import StoreBusy, StoreError
from sandbox.world.mail.spool import Spool
from sandbox.world.mail.store import MailStore
from sandbox.world.mail.values import (
    QUEUE,
    Counts,
    Delivery,
    Flagged,
    Folder,
    FolderChange,
    FolderExists,
    Item,
    NoSuchFolder,
    Outbound,
    OverQuota,
    Stored,
    View,
)

__all__ = [
    "QUEUE",
    "Counts",
    "Delivery",
    "Flagged",
    "Folder",
    "FolderChange",
    "FolderExists",
    "Item",
    "MailReader",
    "MailStore",
    "NoSuchFolder",
    "Outbound",
    "OverQuota",
    "Spool",
    "StoreBusy",
    "StoreError",
    "Stored",
    "View",
]
