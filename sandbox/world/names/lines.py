"""Records from lines of text, added to the zones while the world runs."""

from __future__ import annotations

from dns.rdatatype import RdataType

from sandbox.world.names.records import ZoneError
from sandbox.world.names.zones import Zones

__all__ = ["put_lines"]

LINES = 10_000
"""Lines of one change."""


def put_lines(zones: Zones, text: str, *, replace: bool = False) -> int:
    """Add records, a line each as zone files write them (RFC 1035 §5): whole names; TTL and class may be missing.
    replace: whether others of the same name and type go. Gives how many were said. Raises ZoneError; then those
    before the one at fault are there.
    """
    import dns.zone  # it costs milliseconds
    if text.count("\n") > LINES:
        raise ZoneError(f"there are more than {LINES:,} lines; send some at a time")
    said = 0
    # Without a TTL of its own a line has the zone's: a number that nobody writes stands for that.
    try:
        parsed = dns.zone.from_text(f"$ORIGIN .\n$TTL {UNSAID}\n{text}\n", ".", relativize=False, filename="",
                                    check_origin=False)
    except (dns.exception.DNSException, ValueError, RecursionError) as error:
        raise ZoneError(f"those lines are no records ({str(error).removeprefix(':')})") from None
    for owner, found in parsed.iterate_rdatasets():
        kind, ttl = dns.rdatatype.to_text(found.rdtype), None if found.ttl == UNSAID else found.ttl
        values = [data.to_text() for data in found]
        said += len(values)
        if replace or found.rdtype in (RdataType.CNAME, RdataType.SOA):
            zones.replace(str(owner), kind, values, ttl)
        else:
            for value in values:
                zones.add(str(owner), kind, value, ttl)
    return said


UNSAID = 2**31 - 7
