"""One person's logins, from one address, over several protocols."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.journeys.ties import Record, Records, Tie, client_of

__all__ = ["RANK", "is_login", "ties"]

RANK = 8
"""The least sure of all ties."""

LOGINS = frozenset({"PASS", "APOP", "AUTH", "AUTHENTICATE", "LOGIN", "login"})
TOGETHER = 600.0
"""Seconds from one login to the next that belong together: a mail program reads and sends."""


def is_login(record: Record) -> bool:
    """Whether somebody proved there who they are."""
    exchange = record.exchange
    page = exchange.verb == "POST" and exchange.facts.get("path", "").endswith("/login")
    return (page or exchange.verb in LOGINS) and not exchange.outcome.startswith(("4", "5", "-", "NO", "BAD"))


def ties(records: Records) -> Iterator[Tie]:
    """records: oldest first."""
    latest: dict[tuple[str, str], Record] = {}
    for record in records:
        account = record.facts.get("account", "")
        if not account or not is_login(record):
            continue
        person = account, client_of(record)
        before = latest.get(person)
        if before is not None and record.exchange.started - before.exchange.ended <= TOGETHER:
            yield Tie(record.exchange.id, before.exchange.id, "the same person from the same address", False, RANK)
            continue  # all of them belong to the first
        latest[person] = record
