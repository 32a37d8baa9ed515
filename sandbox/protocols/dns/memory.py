"""What a resolver remembers: record sets until their time to live is over (RFC 1035 §7.4, RFC 2181 §5.4.1), and that
something is not there for as long as the SOA in the answer says (RFC 2308 §5)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from dns.name import Name
from dns.rcode import Rcode
from dns.rdataset import Rdataset
from dns.rdatatype import RdataType

from sandbox.world.names.records import record_set
from sandbox.world.names.zone import Labels, labels_of

__all__ = ["Memory", "Missing"]

ENTRIES = 4_096
"""Past it what was learnt first is forgotten."""

LONGEST = 86_400
"""Seconds that anything is remembered (RFC 8767 §4 suggests days; here somebody waits to see it end)."""

LONGEST_MISSING = 10_800
"""Likewise of what is not there (RFC 2308 §5)."""


class Missing(NamedTuple):
    """That there is no such name (NXDOMAIN), or nothing of this type (NOERROR). zone, soa: who says so."""

    rcode: Rcode
    zone: Name
    soa: Rdataset


class Memory:
    """Bounded. clock: seconds that only rise."""

    def __init__(self, clock: Callable[[], float], entries: int = ENTRIES) -> None:
        self._clock = clock
        self._entries = entries
        self._kept: dict[tuple[Labels, int], tuple[float, Rdataset | Missing]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def learn(self, name: Name, records: Rdataset) -> None:
        """A record set. With a time to live of 0 it is for the question under way alone (RFC 1035 §3.2.1)."""
        self._keep((labels_of(name), records.rdtype), min(records.ttl, LONGEST), records)

    def learn_missing(self, name: Name, rdtype: RdataType, missing: Missing) -> None:
        """That something is not there: a whole name, or one type of it."""
        # RFC 2308 §5: the smaller of the SOA's own time to live and its last number.
        ttl = min(missing.soa.ttl, missing.soa[0].minimum, LONGEST_MISSING)
        whole = missing.rcode == Rcode.NXDOMAIN
        self._keep((labels_of(name), RdataType.NONE if whole else rdtype), ttl, missing)

    def find(self, name: Name, rdtype: RdataType) -> Rdataset | Missing | None:
        """What is known, with the time that is left to live; None where it has to be asked for."""
        labels = labels_of(name)
        return self._find((labels, rdtype)) or self._find((labels, RdataType.NONE))

    def _keep(self, key: tuple[Labels, int], ttl: int, what: Rdataset | Missing) -> None:
        self._kept.pop(key, None)
        if ttl <= 0:
            return
        while len(self._kept) >= self._entries:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (self._clock() + ttl, what)

    def _find(self, key: tuple[Labels, int]) -> Rdataset | Missing | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        until, what = kept
        left = math.ceil(until - self._clock())
        if left <= 0:
            del self._kept[key]
            return None
        if isinstance(what, Missing):
            return what._replace(soa=record_set(RdataType.SOA, list(what.soa), left))
        return record_set(what.rdtype, list(what), left)
