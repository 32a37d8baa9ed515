"""A letter: from the first server that took it into a mailbox, and by POP3 or IMAP out of it again."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.journeys.ties import Record, Records, Tie

__all__ = ["ties"]

FETCHES = {"RETR": "fetched by POP3", "FETCH": "fetched by IMAP", "UID FETCH": "fetched by IMAP", "COPY": "copied",
           "UID COPY": "copied", "MOVE": "moved", "UID MOVE": "moved", "TOP": "looked at by POP3", "STORE": "marked",
           "UID STORE": "marked"}


def ties(records: Records) -> Iterator[Tie]:
    """Who fetched a stored message, and hops that only the Message-ID still ties (a restart in between)."""
    yield from before(records)
    stored: dict[str, Record] = {}
    named: dict[str, Record] = {}
    for record in records:
        session, exchange = record
        numbers = exchange.facts.get("message", "").split()
        identity = exchange.facts.get("message-id", "")
        if session.protocol == "smtp":
            if identity in named and not session.cause:
                yield Tie(exchange.id, named[identity].exchange.id, "the same Message-ID", False, 6)
            if identity:
                named.setdefault(identity, record)
            for number in numbers:
                stored[number] = record
        elif exchange.verb == "APPEND":
            for number in numbers:
                stored.setdefault(number, record)
        elif exchange.verb in FETCHES:
            for number in numbers:
                if number in stored and stored[number].exchange.id != exchange.id:
                    yield Tie(exchange.id, stored[number].exchange.id, FETCHES[exchange.verb], True, 2, shared=True)


def before(records: Records) -> Iterator[Tie]:
    """The handshake and the login on the connection that a letter was handed in by."""
    handed_in: dict[int, Record] = {}
    for record in records:
        if record.session.protocol == "smtp" and record.exchange.verb == "message":
            handed_in.setdefault(record.session.id, record)
    for session, exchange in records:
        letter = handed_in.get(session.id)
        if letter is not None and exchange.id < letter.exchange.id and not session.cause:
            if exchange.verb == "TLS":
                yield Tie(exchange.id, letter.exchange.id, "secured this connection", True, 1)
            elif exchange.verb == "AUTH":
                yield Tie(exchange.id, letter.exchange.id, "logged in on this connection", True, 1)
