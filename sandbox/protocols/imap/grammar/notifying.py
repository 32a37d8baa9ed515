"""What NOTIFY can ask for (RFC 5465 §8)."""

from __future__ import annotations

from typing import NamedTuple

from sandbox.protocols.imap.grammar.cursor import Cursor, GrammarError
from sandbox.protocols.imap.grammar.fetching import Attribute, expect_attribute
from sandbox.protocols.imap.grammar.writing import mailbox

__all__ = ["EVENTS", "FILTERS", "Group", "Request", "expect_request"]

MESSAGES = ("MessageNew", "MessageExpunge", "FlagChange")
NAMES = ("MailboxName", "SubscriptionChange")
EVENTS = (*MESSAGES, *NAMES)
"""Those that happen here; others of the RFC are about what there is not: annotations and metadata."""

UNKNOWN = ("AnnotationChange", "MailboxMetadataChange", "ServerMetadataChange")
OPEN = ("selected", "selected-delayed")
NAMED = ("subtree", "mailboxes")
FILTERS = (*OPEN, "inboxes", "personal", "subscribed", *NAMED)

MOST = 100
"""Groups of one request, and mailboxes named in one group."""


class Group(NamedTuple):
    """Mailboxes, and what the client wants to hear of them. names: for `subtree` and `mailboxes`; events: none for
    NONE; attributes: what to send of a new message in the open mailbox."""

    filter: str
    names: tuple[str, ...] = ()
    events: frozenset[str] = frozenset()
    attributes: tuple[Attribute, ...] = ()

    def matches(self, name: str, *, subscribed: bool) -> bool:
        """Whether a mailbox that is not open is meant."""
        if self.filter == "subtree":
            return any(name == top or name.startswith(top + "/") for top in self.names)
        if self.filter == "mailboxes":
            return name in self.names
        return (self.filter == "personal" or (self.filter == "inboxes" and name == "INBOX")
                or (self.filter == "subscribed" and subscribed))

    def write(self) -> bytes:
        names = b" (" + b" ".join(map(mailbox, self.names)) + b")" if self.names else b""
        wanted = b" (" + b" ".join(each.write() for each in self.attributes) + b")" if self.attributes else b""
        events = b" ".join(event.encode() + (wanted if event == "MessageNew" else b"")
                           for event in EVENTS if event in self.events)
        return b"(%b%b %b)" % (self.filter.encode(), names, b"(" + events + b")" if events else b"NONE")


class Request(NamedTuple):
    """status: whether the state of each mailbox is told at once; groups: none for NOTIFY NONE; unknown: whether one
    asks for events that do not happen here."""

    status: bool = False
    groups: tuple[Group, ...] = ()
    unknown: bool = False

    def write(self) -> bytes:
        if not self.groups:
            return b"NONE"
        return b"SET " + (b"STATUS " if self.status else b"") + b" ".join(group.write() for group in self.groups)


def expect_request(cursor: Cursor) -> Request:
    if cursor.try_word("NONE"):
        return Request()
    if cursor.try_word("SET") is None:
        raise GrammarError(f"SET or NONE was expected at {cursor.near()}")
    cursor.expect_space()
    status = cursor.try_word("STATUS") is not None
    if status:
        cursor.expect_space()
    groups, unknown = [], False
    while True:
        group, strange = expect_group(cursor)
        groups.append(group)
        unknown = unknown or strange
        if len(groups) > MOST:
            raise GrammarError(f"No more than {MOST} groups in one command")
        if not cursor.try_take(b" "):
            return Request(status, tuple(groups), unknown)


def expect_group(cursor: Cursor) -> tuple[Group, bool]:
    """A group, and whether it asks for an event that does not happen here."""
    cursor.expect_take(b"(")
    kind = cursor.try_word(*map(str.upper, FILTERS))
    if kind is None:
        raise GrammarError(f"{', '.join(FILTERS)} were expected at {cursor.near()}")
    cursor.expect_space()
    names: list[str] = []
    if kind.lower() in NAMED:
        names = cursor.expect_list(cursor.expect_mailbox) if cursor.peek() == b"(" else [cursor.expect_mailbox()]
        if len(names) > MOST:
            raise GrammarError(f"No more than {MOST} mailboxes in one group")
        cursor.expect_space()
    attributes: list[Attribute] = []
    words = [] if cursor.try_word("NONE") else cursor.expect_list(lambda: expect_event(cursor, attributes))
    cursor.expect_take(b")")
    events = frozenset(words)
    check(kind.lower(), events, attributes)
    return Group(kind.lower(), tuple(names), events & set(EVENTS), tuple(attributes)), not events <= set(EVENTS)


def expect_event(cursor: Cursor, attributes: list[Attribute]) -> str:
    """attributes: filled with what stands behind MessageNew."""
    known = {event.upper(): event for event in (*EVENTS, *UNKNOWN)}
    word = cursor.try_word(*known)
    if word is None:
        raise GrammarError(f"{', '.join(EVENTS)} were expected at {cursor.near()}")
    if word == "MESSAGENEW" and cursor.try_take(b" ("):
        cursor.at -= 1
        attributes.extend(cursor.expect_list(lambda: expect_attribute(cursor)))
    return known[word]


def check(kind: str, events: frozenset[str], attributes: list[Attribute]) -> None:
    """What the RFC forbids. Raises GrammarError."""
    both = {"MessageNew", "MessageExpunge"}
    if events & set(MESSAGES) and not both <= events:  # RFC 5465 §5
        raise GrammarError("MessageNew and MessageExpunge stand together")
    if kind in OPEN and events & set(NAMES):
        raise GrammarError("Of the open mailbox only its messages are told")
    if attributes and kind not in OPEN:
        raise GrammarError("What to send of new messages is said of the open mailbox only")
