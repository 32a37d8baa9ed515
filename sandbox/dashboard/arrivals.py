"""Waits for letters: each is found through the exchange that delivered it, so a wait is over with the delivery.

A letter is looked at as an exchange is: what matches a filter among those that stored a message, then the letter's
own fields. So one that was submitted counts when it has arrived, not when it was taken to be carried.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import trio

from sandbox.dashboard.access import Seen
from sandbox.dashboard.answers import ProblemError
from sandbox.dashboard.archive import Archive
from sandbox.export.letters import place, whole
from sandbox.journal.matching import Narrowing
from sandbox.journal.records import Exchange, Session
from sandbox.message.message import Message
from sandbox.space import Space
from sandbox.world.mail import Item, MailStore

__all__ = ["Arrival", "Late", "LetterTerms", "arrivals"]

LARGEST = 16_777_216
"""Octets of a letter that are looked at."""
NEAR = 5
"""Letters that came nearest, which a wait that is over tells of."""


class LetterTerms(msgspec.Struct, forbid_unknown_fields=True):
    """Which letters: a text in each, in any case; "" for any. to: whom it was delivered for, or in To or Cc; text:
    in the readable text or the HTML."""

    to: str = ""
    sender: str = msgspec.field(default="", name="from")
    subject: str = ""
    text: str = ""

    def failing(self, message: Message, item: Item) -> list[str]:
        """The terms it does not fit."""
        values = {
            "to": (item.recipient, message.text_of("To"), message.text_of("Cc")),
            "from": (message.text_of("From"), message.text_of("Return-Path")),
            "subject": (message.subject,), "text": (message.readable, message.html)}
        wanted = {"to": self.to, "from": self.sender, "subject": self.subject, "text": self.text}
        return [f"{name}:{msgspec.json.encode(term).decode()}" for name, term in wanted.items()
                if term and not any(term.casefold() in value.casefold() for value in values[name] if value)]


class Arrival(NamedTuple):
    """A letter that was delivered. copy: where it is; exchange: the one that delivered it."""

    session: Session
    exchange: Exchange
    copy: Mapping[str, Any]
    letter: Mapping[str, Any]
    failed: Sequence[str]


class Late(TimeoutError):
    """Fewer came than were wanted. near: those that fit least badly."""

    def __init__(self, seen: Sequence[Arrival], near: Sequence[Arrival]) -> None:
        super().__init__(f"{len(seen)} letters came")
        self.seen = seen
        self.near = near


class Delivered:
    """Matches the exchanges of a space that put a letter into a mailbox."""

    def __init__(self, seen: Seen, space: str) -> None:
        self._seen = seen
        self._space = space

    def matches(self, session: Session, exchange: Exchange) -> bool:
        return (session.space == self._space and session.protocol in ("smtp", "imap") and "message" in exchange.facts
                and exchange.verb in ("message", "APPEND") and self._seen.matches(session, exchange))

    def narrowing(self) -> Narrowing:
        narrowing = self._seen.narrowing()
        return narrowing._replace(columns={**narrowing.columns, "space": frozenset({self._space})})


async def arrivals(archive: Archive, space: Space, seen: Seen, terms: LetterTerms, *, count: int, after: int,
                   timeout: float, raw: bool) -> list[Arrival]:
    """The first `count` letters that fit, as soon as they are there. after: delivered by an exchange with a higher
    id; timeout: seconds; raw: with their octets. Raises Late, ProblemError."""
    settings = space.config.mail
    store = await trio.to_thread.run_sync(space.world.open_mail, settings.durability, settings.quota)
    found: list[Arrival] = []
    near: list[Arrival] = []
    known: set[tuple[str, str, int]] = set()
    with trio.move_on_after(timeout):
        async with archive.asking.follow(Delivered(seen, space.name), after=after) as following:
            async for news in following:
                for pair in news.exchanges:
                    for one in await trio.to_thread.run_sync(letters_of, store, pair, terms, raw):
                        where = one.copy["account"], one.copy["folder"], one.copy["uid"]
                        if where not in known:
                            known.add(where)
                            (near if one.failed else found).append(one)
                    near = heapq.nsmallest(NEAR, near, key=lambda miss: (len(miss.failed), -miss.exchange.id))
                    if len(found) >= count:
                        return found[:count]
    if space.over.is_set():
        raise ProblemError(409, "The space is closed", f"The space {space.name} was closed while you waited.")
    raise Late(found, near)


def letters_of(store: MailStore, pair: tuple[Session, Exchange], terms: LetterTerms, raw: bool) -> list[Arrival]:
    """The copies of what an exchange stored, as they are now. For a worker thread."""
    session, exchange = pair
    arrived = []
    for number in exchange.facts["message"].replace(",", " ").split():
        for account, folder, item in store.copies(int(number)) if number.isdecimal() else ():
            message = Message(b"".join(store.read(item.content, end=LARGEST)))
            recipients = [item.recipient] if item.recipient else []
            arrived.append(Arrival(
                session, exchange,
                {"number": item.content,
                 **place(account, folder, item.uid, item.flags, item.received, item.recipient)},
                whole(message, recipients, raw=raw), terms.failing(message, item)))
    return arrived
