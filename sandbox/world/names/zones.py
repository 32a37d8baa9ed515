"""The zones of the pretend internet: all of them, and every change to them.

Everything that asks for a name goes through `Zones.lookup`, the DNS service and the mail service's MX look-up alike,
so that one change is seen everywhere. Records change at run time through `Zones`: the zone's serial rises, `version`
rises (caches compare it), and observers are told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import dns.rdatatype
from dns.name import Name
from dns.rdataset import Rdataset
from dns.rdatatype import RdataType

from sandbox.observers import Observers
from sandbox.world.names.records import ZoneError, parse_name, parse_set, parse_type, record_set
from sandbox.world.names.servers import Servers
from sandbox.world.names.zone import Absent, CatchAll, Found, Kind, Labels, Record, Zone, labels_of

__all__ = ["Absent", "CatchAll", "Found", "Kind", "Record", "Zone", "ZoneChange", "ZoneError", "Zones"]


class ZoneChange(NamedTuple):
    """What happened: action is "add", "replace", "remove" or "zone" (a whole zone came or went; type is "")."""

    action: str
    owner: str
    type: str


class Zones:
    """All zones, and every change to them.

    version: rises with each change; whoever keeps something derived from the zones compares it; servers: who keeps
    the root, the top-level domains and the domains, None where nobody plays them.
    """

    def __init__(self, zones: Iterable[Zone] = ()) -> None:
        self.version = 0
        self.servers: Servers | None = None
        self._zones: dict[Labels, Zone] = {}
        self._deepest = 0
        self._observers: Observers[ZoneChange] = Observers("the zones")
        self._maintained: dict[tuple[Labels, RdataType], Rdataset] = {}
        for zone in zones:
            self.install(zone)

    def __iter__(self) -> Iterator[Zone]:
        return iter(list(self._zones.values()))

    def zone_at(self, origin: str | Name) -> Zone | None:
        """The zone whose top is exactly this name."""
        return self._zones.get(labels_of(parse_name(origin)))

    def zone_for(self, name: Name, *, above: bool = False) -> Zone | None:
        """The nearest zone that contains `name`. above: not counting one whose top it is."""
        labels = labels_of(name)
        for start in range(max(int(above), len(labels) - self._deepest), len(labels)):
            zone = self._zones.get(labels[start:])
            if zone is not None:
                return zone
        return None

    def lookup(self, name: Name, rdtype: RdataType) -> tuple[Zone, Found] | None:
        """The zone that knows about `name`, and what it knows. None where there is no zone for it.

        One step: aliases are reported, not followed. Whether the DS of a zone's top exists is known by the zone
        above (RFC 4035 §3.1.4.1).
        """
        zone = self.zone_for(name)
        if zone is not None and rdtype == RdataType.DS and labels_of(name) == zone.apex:
            zone = self.zone_for(name, above=True) or zone
        return None if zone is None else (zone, zone.lookup(name, rdtype))

    def address(self, host: Name, rdtype: RdataType) -> Rdataset | None:
        """The addresses, A or AAAA, of a host that a record names. What the catch-all would say is not worth adding.
        """
        known = self.lookup(host, rdtype)
        if known is None or known[1].kind is not Kind.ANSWER or known[1].captured:
            return None
        return known[1].records[0]

    def install(self, zone: Zone) -> None:
        """Add a zone, or replace the one with the same origin."""
        self._zones[zone.apex] = zone
        self._deepest = max(self._deepest, len(zone.apex))
        self._announce_change(ZoneChange("zone", str(zone.origin), ""))

    def uninstall(self, origin: str | Name) -> None:
        """Take a whole zone away. Raises ZoneError when there is none."""
        zone = self._zones.pop(labels_of(parse_name(origin)), None)
        if zone is None:
            raise ZoneError(f"there is no zone {origin}")
        self._announce_change(ZoneChange("zone", str(zone.origin), ""))

    def copied(self) -> tuple[Zone, ...]:
        """Every zone as it is now."""
        return tuple(zone.copied() for zone in self)

    def restore(self, zones: Iterable[Zone]) -> None:
        """Have these zones and no others. Serials rise all the same (RFC 1912 §2.2)."""
        before = {zone.apex: zone.serial for zone in self}
        self._zones = {zone.apex: zone.copied() for zone in zones}
        for apex, zone in self._zones.items():
            if apex in before:
                zone.bump(before[apex])
        self._deepest = max(map(len, self._zones), default=0)
        self._announce_change(ZoneChange("zone", ".", ""))

    def add(self, owner: str, type: str, value: str, ttl: int | None = None) -> None:  # noqa: A002
        """Add one record, written as in a master file; one that is there already stays as it is. Raises ZoneError."""
        name, zone = self._place(owner)
        new = parse_set(type, [value], zone.ttl if ttl is None else ttl)
        old = zone.get(name, new.rdtype)
        if old is not None and dns.rdatatype.is_singleton(new.rdtype) and new[0] not in old:
            raise ZoneError(f"{owner} has a {type} record, and there can be only one; replace it instead")
        values = [*(old or ()), *(item for item in new if old is None or item not in old)]
        lifetime = old.ttl if old is not None and ttl is None else new.ttl
        self._store(zone, name, record_set(new.rdtype, values, lifetime), "add")

    def replace(self, owner: str, type: str, values: Sequence[str], ttl: int | None = None) -> None:  # noqa: A002
        """Make `values` the only records of this name and type; none removes them. Raises ZoneError."""
        if not values:
            self.remove(owner, type)
            return
        name, zone = self._place(owner)
        self._store(zone, name, parse_set(type, values, zone.ttl if ttl is None else ttl), "replace")

    def remove(self, owner: str, type: str = "", value: str = "") -> int:  # noqa: A002
        """Remove the records of a name, or those of one type, or one by its value. Gives how many there were.

        Raises ZoneError for the SOA and NS that a zone needs; removing a whole name leaves those.
        """
        name, zone = self._place(owner)
        wanted = [parse_type(type)] if type else \
            [found for found in zone.types(name)
             if name != zone.origin or found not in (RdataType.SOA, RdataType.NS)]
        count = 0
        for rdtype in wanted:
            old = zone.get(name, rdtype)
            gone = [] if old is None else list(old) if not value else \
                [item for item in parse_set(type, [value], 0) if item in old]
            if old is None or not gone:
                continue
            count += len(gone)
            kept = [item for item in old if item not in gone]
            if kept:
                self._store(zone, name, record_set(rdtype, kept, old.ttl), "remove")
            else:
                zone.drop(name, rdtype)
                self._changed(zone, ZoneChange("remove", str(name), dns.rdatatype.to_text(rdtype)))
        return count

    def maintain(self, owner: str, type: str, values: Sequence[str], ttl: int | None = None) -> None:  # noqa: A002
        """Like `replace`, for records the sandbox itself keeps true: it leaves alone what somebody else has set."""
        name, zone = self._place(owner)
        key = labels_of(name), parse_type(type)
        if zone.get(name, key[1]) is not self._maintained.get(key):
            return
        self.replace(owner, type, values, ttl)
        current = zone.get(name, key[1])
        if current is None:
            self._maintained.pop(key, None)
        else:
            self._maintained[key] = current

    def observe(self, observer: Callable[[ZoneChange], object]) -> None:
        """Call `observer` after every change."""
        self._observers.observe(observer)

    def _place(self, owner: str) -> tuple[Name, Zone]:
        name = parse_name(owner)
        zone = self.zone_for(name)
        if zone is None:
            raise ZoneError(f"{owner} is in none of the zones; add a zone for it first")
        if isinstance(zone, Absent):
            raise ZoneError(f"{owner} is in {zone.origin}, which is kept empty on purpose; choose another name")
        return name, zone

    def _store(self, zone: Zone, name: Name, records: Rdataset, action: str) -> None:
        serial, old = zone.serial, zone.get(name, records.rdtype)
        if old is not None and old == records and old.ttl == records.ttl:
            return
        zone.put(name, records)
        change = ZoneChange(action, str(name), dns.rdatatype.to_text(records.rdtype))
        self._changed(zone, change, zone.serial == serial)

    def _changed(self, zone: Zone, change: ZoneChange, bump: bool = True) -> None:
        if bump:
            zone.bump()
        self._announce_change(change)

    def _announce_change(self, change: ZoneChange) -> None:
        self.version += 1
        self._observers.announce(change)
