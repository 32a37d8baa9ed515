"""The way a letter came: from the exchange that stored it back to the one that first brought it."""

from __future__ import annotations

from sandbox.dashboard.access import Asker
from sandbox.dashboard.archive import Archive
from sandbox.dashboard.letter import Hop
from sandbox.journal.matching import Narrowing
from sandbox.journal.reader import Reader
from sandbox.journal.records import Exchange, Session
from sandbox.message.message import Message

__all__ = ["way"]

LONGEST = 16
"""Hops that are followed back."""
AROUND = 60.0
"""Seconds around a letter's arrival in which the exchange that stored it ended: writing it takes its time."""
PROTOCOLS = frozenset({"smtp", "imap"})


class Stored:
    """Matches the exchange that stored a letter."""

    def __init__(self, asker: Asker, space: str, content: int, received: float) -> None:
        self._asker = asker
        self._space = space
        self._number = str(content)
        self._received = received

    def matches(self, session: Session, exchange: Exchange) -> bool:
        return (session.protocol in PROTOCOLS and session.space == self._space
                and exchange.verb in ("message", "APPEND")
                and self._number in exchange.facts.get("message", "").replace(",", " ").split()
                and self._asker.sees_all)

    def narrowing(self) -> Narrowing:
        return Narrowing((self._number,), {"protocol": PROTOCOLS, "space": frozenset({self._space})},
                         since=self._received - AROUND, until=self._received + AROUND)


async def way(archive: Archive, asker: Asker, space: str, content: int, received: float, message: Message,
              ) -> list[Hop]:
    """The hops, the first one first: as the journal has them, else as the letter's own Received fields say."""
    page = await archive.newest(Stored(asker, space, content, received), limit=1)
    if page.found:
        hops = await archive.read(lambda reader: back(reader, *page.found[0]))
        return hops[::-1]
    said = [field.text for field in message.fields if field.name.lower() == "received"][:LONGEST]
    return [Hop("Received, as the letter itself says", " ".join(text.split())[:500], 0, 0, 0.0)
            for text in reversed(said)]


def back(reader: Reader, session: Session, exchange: Exchange) -> list[Hop]:
    hops = [hop(session, exchange)]
    while session.cause and len(hops) < LONGEST:
        before = reader.exchange(session.cause)
        if before is None:
            break
        session, exchange = before
        hops.append(hop(session, exchange))
    return hops


def hop(session: Session, exchange: Exchange) -> Hop:
    account = exchange.facts.get("account", "")
    who = account or ("the sandbox itself" if session.cause else session.client.host)
    recipients = exchange.facts.get("recipients", "")
    if session.protocol == "imap":
        title = f"{who} put it there by IMAP"
    else:
        title = f"{who} handed it to {session.service}" + (f", for {recipients}" if recipients else "")
    return Hop(title[:500], f"{session.client} to {session.server}: {exchange.outcome} {exchange.answered}"[:500],
               exchange.id, session.id, exchange.ended)
