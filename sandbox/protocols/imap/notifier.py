"""What a client that asked with NOTIFY is told of mailboxes that are not open (RFC 5465).

The store calls `hear` in its writer's thread for each commit to a watched mailbox; what changed waits here until the
session's task tells it. Names and subscriptions are compared with what they were.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from sandbox.protocols.imap.grammar.fetching import Attribute
from sandbox.protocols.imap.grammar.notifying import Group, Request
from sandbox.protocols.imap.grammar.writing import mailbox
from sandbox.world.mail import Folder, FolderChange, MailStore, NoSuchFolder

__all__ = ["Notifier"]


class Notifier:
    """All but `hear` belongs to one thread at a time; what is said to block needs one of its own."""

    def __init__(self, store: MailStore, account: str, request: Request) -> None:
        self._store = store
        self._account = account
        self._request = request
        self._news: deque[int] = deque()
        """Mailboxes with something to tell; 0 for their names."""
        self._folders: dict[int, Folder] = {}
        self._subscribed: frozenset[str] = frozenset()
        self._stops: dict[int, Callable[[], None]] = {}
        self.wake: Callable[[], None] | None = None
        """Called in another thread when there is something to tell."""
        opened = next((group for group in request.groups if group.filter.startswith("selected")), None)
        self.selected = opened.filter if opened is not None and opened.events else ""
        """How the open mailbox is told of: "selected" at once, "selected-delayed" without EXPUNGE; "" when asked."""
        self.attributes: tuple[Attribute, ...] = opened.attributes if opened is not None else ()

    def start(self) -> None:
        """Begin to listen. Blocks."""
        self._stop_names = self._store.watch_names(self._account, lambda change: self._hear_of(0))
        self._look()
        if self._request.status:
            self._news.extend(self._stops)

    def stop(self) -> None:
        self._stop_names()
        for stop in self._stops.values():
            stop()

    @property
    def restless(self) -> bool:
        return bool(self._news)

    def hear(self, events: frozenset[str], change: FolderChange) -> None:
        """Called in the store's thread."""
        if (change.added and "MessageNew" in events) or (change.vanished and "MessageExpunge" in events) or (
                change.flagged and "FlagChange" in events):
            self._hear_of(change.folder)

    def _hear_of(self, folder: int) -> None:
        self._news.append(folder)
        wake = self.wake
        if wake is not None:
            wake()

    def take_lines(self, opened: int, *, utf8: bool, modseq: bool) -> list[bytes]:
        """The untagged responses for all that is new. opened: the mailbox that is told of elsewhere; modseq: whether
        the client knows of mod-sequences. Blocks."""
        heard: set[int] = set()
        while self._news:
            heard.add(self._news.popleft())
        lines = self._compare(utf8=utf8) if 0 in heard else []
        for number in sorted(heard & self._stops.keys() - {opened}):
            counts = self._store.counts(number)
            try:
                now = self._store.find_folder(self._account, self._folders[number].name)
            except NoSuchFolder:  # of that we hear as a change of names
                continue
            words = (f"MESSAGES {counts.messages} UIDNEXT {now.uidnext} UIDVALIDITY {now.uidvalidity} "
                     f"UNSEEN {counts.unseen}" + (f" HIGHESTMODSEQ {now.modseq}" if modseq else ""))
            lines.append(b"* STATUS " + mailbox(now.name, utf8=utf8) + b" (" + words.encode() + b")\r\n")
        return lines

    def _compare(self, *, utf8: bool) -> list[bytes]:
        """LIST responses for names that came, went or changed, and for subscriptions (RFC 5465 §5.4, §5.5)."""
        before, subscribed = self._folders, self._subscribed
        self._look()
        lines = []

        def add(name: str, flags: bytes, event: str, old: str = "") -> None:
            if event in self._events(name) or (old and event in self._events(old)):
                tail = b' ("OLDNAME" (' + mailbox(old, utf8=utf8) + b"))" if old else b""
                lines.append(b"* LIST (" + flags + b') "/" ' + mailbox(name, utf8=utf8) + tail + b"\r\n")

        for number in sorted(before.keys() | self._folders.keys()):
            was, now = before.get(number), self._folders.get(number)
            if now is None:
                assert was is not None
                add(was.name, b"\\NonExistent", "MailboxName")
            elif was is None:
                add(now.name, b"", "MailboxName")
            elif was.name != now.name:
                add(now.name, b"", "MailboxName", was.name)
        for name in sorted(subscribed ^ self._subscribed):
            add(name, b"\\Subscribed" if name in self._subscribed else b"", "SubscriptionChange")
        return lines

    def _look(self) -> None:
        """Learn which mailboxes there are, and watch those that are meant."""
        self._folders = {folder.id: folder for folder in self._store.folders(self._account)}
        self._subscribed = frozenset(self._store.subscriptions(self._account))
        for number in self._stops.keys() - self._folders.keys():
            self._stops.pop(number)()
        for number, folder in self._folders.items():
            group = self._group(folder.name)
            if number in self._stops:
                self._stops.pop(number)()
            if group is not None and group.events:
                self._stops[number] = self._store.watch(number, partial(self.hear, group.events))

    def _group(self, name: str) -> Group | None:
        """The first that a mailbox belongs to."""
        return next((group for group in self._request.groups
                     if group.matches(name, subscribed=name in self._subscribed)), None)

    def _events(self, name: str) -> frozenset[str]:
        group = self._group(name)
        return frozenset() if group is None else group.events
