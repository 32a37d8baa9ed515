"""Dates as clients write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from sandbox.protocols.imap.grammar.cursor import Cursor, GrammarError
from sandbox.protocols.imap.grammar.writing import MONTHS

__all__ = ["expect_date", "try_date_time", "write_date"]

DATE = re.compile(rb'(")?([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})(?(1)")')
DATE_TIME = re.compile(rb'"([ 0-9][0-9])-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) '
                       rb'([+-])([0-9]{2})([0-9]{2})"')


def expect_date(cursor: Cursor) -> date:
    """date of RFC 9051 §9: 1-Feb-2026, also in quotes."""
    found = cursor.match(DATE)
    if found is None:
        raise GrammarError(f"A date such as 1-Feb-2026 was expected at {cursor.near()}")
    try:
        return date(int(found[4]), month(found[3]), int(found[2]))
    except ValueError as error:
        raise GrammarError(f"There is no such date: {error}") from None


def write_date(day: date) -> bytes:
    return f"{day.day}-{MONTHS[day.month - 1]}-{day.year:04}".encode()


def try_date_time(cursor: Cursor) -> float | None:
    """date-time of RFC 9051 §9, as seconds since the epoch."""
    if cursor.peek() != b'"':
        return None
    found = cursor.match(DATE_TIME)
    if found is None:
        raise GrammarError(f'A time such as "01-Feb-2026 10:00:00 +0000" was expected at {cursor.near()}')
    try:
        moment = datetime(int(found[3]), month(found[2]), int(found[1]), int(found[4]), int(found[5]),
                          min(int(found[6]), 59), tzinfo=UTC)
        zone = timedelta(hours=int(found[8]), minutes=int(found[9]))
        return (moment + zone if found[7] == b"-" else moment - zone).timestamp()
    except (ValueError, OverflowError) as error:
        raise GrammarError(f"There is no such time: {error}") from None


def month(name: bytes) -> int:
    """Raises ValueError."""
    return MONTHS.index(name.decode("ascii").capitalize()) + 1
