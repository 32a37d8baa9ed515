"""HTTP's dates (RFC 9110 §5.6.7): one form written, three forms read."""

from __future__ import annotations

import calendar
import time

__all__ = ["http_date", "now", "parse_date"]

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def http_date(seconds: float) -> str:
    """Seconds since the epoch as an IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT". The locale has no say."""
    year, month, day, hour, minute, second, weekday, *_ = time.gmtime(seconds)
    return f"{DAYS[weekday]}, {day:02} {MONTHS[month - 1]} {year:04} {hour:02}:{minute:02}:{second:02} GMT"


class Clock:
    """The current date, written once a second."""

    def __init__(self) -> None:
        self.second = -1
        self.text = b""

    def __call__(self) -> bytes:
        second = int(time.time())
        if second != self.second:
            self.text = http_date(second).encode("ascii")
            self.second = second
        return self.text


now = Clock()


def parse_date(text: str) -> int | None:
    """Seconds since the epoch; None for what is not an HTTP-date.

    Reads IMF-fixdate and the two obsolete forms, RFC 850's and C's asctime, as a recipient MUST.
    """
    words = text.replace(",", " ").replace("-", " ").split()
    try:
        match words:
            case [_, month, day, clock, year] if len(year) == 4:             # Sun Nov  6 08:49:37 1994
                return seconds(year, month, day, clock)
            case [_, day, month, year, clock, "GMT"] if len(year) == 4:      # Sun, 06 Nov 1994 08:49:37 GMT
                return seconds(year, month, day, clock)
            case [_, day, month, year, clock, "GMT"] if len(year) == 2:      # Sunday, 06-Nov-94 08:49:37 GMT
                return seconds(century(int(year)), month, day, clock)
    except (ValueError, OverflowError):
        pass
    return None


def century(year: int) -> str:
    """A two-digit year that seems more than 50 years ahead is the most recent past one (RFC 9110 §5.6.7)."""
    this = time.gmtime().tm_year
    full = this - this % 100 + year
    return str(full - 100 if full > this + 50 else full)


def seconds(year: str, month: str, day: str, clock: str) -> int:
    hour, minute, second = clock.split(":")
    digits = year + day + hour + minute + second
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(clock)
    parts = (int(year), MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second))
    if not (1 <= parts[2] <= calendar.monthrange(parts[0], parts[1])[1] and parts[3] < 24 and parts[4] < 60
            and parts[5] <= 60):
        raise ValueError(clock)
    return calendar.timegm(parts)
