"""The Date field (RFC 5322 §3.3), obsolete forms included."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_tz
from typing import NamedTuple

__all__ = ["Sent", "read_date"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Sent(NamedTuple):
    """day: as it stands there, whatever the zone; moment: seconds since the epoch; zone: seconds east of UTC."""

    day: date
    moment: float
    zone: int = 0

    def isoformat(self) -> str:
        """RFC 3339, in the zone of the field. Raises nothing: a year that ISO cannot write is given in UTC."""
        moment = EPOCH + timedelta(seconds=self.moment)
        try:
            return moment.astimezone(timezone(timedelta(seconds=self.zone))).isoformat()
        except (ValueError, OverflowError):
            return moment.isoformat()


def read_date(value: bytes | None) -> Sent | None:
    """None where it says nothing that can be read."""
    if value is None:
        return None
    try:
        found = parsedate_tz(value[:1000].decode("latin-1"))
        if found is None:
            return None
        day = date(*found[:3])
        zone = found[9] or 0
        moment = (day.toordinal() - 719_163) * 86_400 + found[3] * 3600 + found[4] * 60 + found[5] - zone
        EPOCH + timedelta(seconds=moment)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return Sent(day, moment, zone)
