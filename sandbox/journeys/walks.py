"""A walk down the tree of names: root, top-level domain, domain, as `dig +trace` and resolvers outside go it."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.journeys.ties import Record, Records, Tie, client_of

__all__ = ["KEEPERS", "ties"]

KEEPERS = ("dns-root", "dns-tld", "dns-domains")
"""The name servers that keep a part of the tree each, from the top down. Stub resolvers ask none of them."""

STEP = 5.0
"""Seconds from an answer to the next question of the same walk: as long as dig waits for one answer."""

Walker = tuple[str, str, str, str]
"""Client, space, type and name: a walk asks the same of each server (RFC 1034 §5.3.3)."""


def ties(records: Records) -> Iterator[Tie]:
    """records: oldest first. What the sandbox's own resolver asks has a cause, and is no guess."""
    latest: dict[Walker, dict[int, Record]] = {}
    hints: dict[tuple[str, str], Record] = {}
    for record in records:
        session, exchange = record
        if session.protocol != "dns" or session.cause:
            continue
        if session.service not in KEEPERS:
            if exchange.verb == "NS" and exchange.asked in (".", ""):
                hints[client_of(record), session.space] = record
            continue
        level = KEEPERS.index(session.service)
        walker = client_of(record), session.space, exchange.verb, exchange.asked.lower().rstrip(".")
        seen = latest.setdefault(walker, {})
        above = max((seen[one] for one in range(level) if one in seen), key=lambda one: one.exchange.id, default=None)
        if above is not None and exchange.started - above.exchange.ended <= STEP:
            yield Tie(exchange.id, above.exchange.id, "follows the referral", False, 4)
        elif level == 0 and (hint := hints.pop((client_of(record), session.space), None)) is not None \
                and exchange.started - hint.exchange.ended <= STEP:
            yield Tie(hint.exchange.id, exchange.id, "asked for the root's servers first", False, 4)
        seen[level] = record
