"""One zone: records by name and type, and the rules by which a name is found among them.

A `Zone` is what an authoritative server holds (RFC 1034 §4.2), from a master file or from code. Record data are
dnspython's values; a record set, once in a zone, is replaced and never changed, so whoever holds one (a transfer
under way, a rendered answer) keeps a consistent picture.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Iterator
from copy import copy
from typing import NamedTuple

import dns.exception
import dns.rdatatype
from dns.name import Name
from dns.rdataset import Rdataset
from dns.rdatatype import RdataType

from sandbox.world.names.records import ZoneError, parse_name, parse_set, record_set

__all__ = ["Absent", "CatchAll", "Found", "Kind", "Labels", "Record", "Zone", "labels_of"]

Labels = tuple[bytes, ...]
"""A name's labels in lower case, host first, the root's empty label last: how names are compared (RFC 4343)."""

SERIAL_SPACE = 2 ** 32


class Kind(enum.Enum):
    """What a zone knows about a question (RFC 1034 §4.3.2)."""

    ANSWER = "answer"
    ALIAS = "alias"            # a CNAME: ask again under its target
    SUBTREE = "subtree"        # a DNAME above the name: ask again under its target (RFC 6672)
    REFERRAL = "referral"      # the name is in a part of the tree that somebody else keeps
    NODATA = "nodata"          # the name exists, with nothing of this type (RFC 2308 §2.2)
    NXDOMAIN = "nxdomain"      # there is no such name, nor any below it


class Found(NamedTuple):
    """What a look-up gives. source: the owner of the records as the zone has it: the name itself, a wildcard, the
    delegation point, the DNAME's owner; None where there is no such name. captured: the catch-all answered."""

    kind: Kind
    records: tuple[Rdataset, ...] = ()
    source: Name | None = None
    captured: bool = False

    @property
    def wildcard(self) -> bool:
        return self.source is not None and self.source.is_wild()


class Record(NamedTuple):
    """One record set with its owner, as transfers and listings want it."""

    owner: Name
    records: Rdataset


class Node:
    """A name in a zone. One without record sets is an empty non-terminal: it exists because names below it do."""

    __slots__ = ("children", "name", "sets")

    def __init__(self, name: Name) -> None:
        self.name = name
        self.sets: dict[RdataType, Rdataset] = {}
        self.children = 0

    def copied(self) -> Node:
        node = Node(self.name)
        node.sets, node.children = self.sets.copy(), self.children
        return node


def labels_of(name: Name) -> Labels:
    """The key a name is found by."""
    return tuple(label.lower() for label in name.labels)


class Zone:
    """One zone: a part of the tree of names with a single keeper.

    origin: its topmost name; nameserver: the host its SOA and NS name; ttl: seconds its records may be cached, also
    negative answers; serial: of the SOA, by default the time, so that it rises from run to run.
    """

    def __init__(self, origin: str | Name, nameserver: str | Name = "ns1.sandbox.test.", *, ttl: int = 60,
                 serial: int | None = None) -> None:
        self.origin = parse_name(origin)
        self.apex = labels_of(self.origin)
        self.ttl = ttl
        self._nodes: dict[Labels, Node] = {self.apex: Node(self.origin)}
        host = parse_name(nameserver)
        mailbox = Name((b"hostmaster", *host.parent().labels))
        number = int(time.time()) % SERIAL_SPACE if serial is None else serial
        # refresh, retry, expire: only secondaries care, and here they should notice changes soon.
        self.put(self.origin, parse_set("SOA", [f"{host} {mailbox} {number} 300 60 86400 {ttl}"], ttl))
        self.put(self.origin, parse_set("NS", [str(host)], ttl))

    @classmethod
    def from_text(cls, text: str, origin: str | Name, *, source: str = "zone file") -> Zone:
        """A zone from a master file (RFC 1035 §5). Files are not followed ($INCLUDE). source: its name in errors.

        Raises ZoneError, with the line.
        """
        import dns.zone  # these cost milliseconds, and most worlds have no zone files
        import dns.zonefile
        top = parse_name(origin)
        try:
            parsed = dns.zone.from_text(text, top, relativize=False, filename=source, check_origin=True)
        except dns.zone.NoSOA:
            raise ZoneError(f"{source}: no SOA record for {top}; a zone needs one, and an NS record") from None
        except dns.zone.NoNS:
            raise ZoneError(f"{source}: no NS record for {top}; a zone needs one") from None
        except dns.zonefile.CNAMEAndOtherData:
            raise ZoneError(f"{source}: a name has a CNAME beside other records (RFC 2181 §10.1); keep one") from None
        except (dns.exception.DNSException, ValueError, RecursionError) as error:
            raise ZoneError(f"{source}: {error}") from None
        soa = parsed.find_rdataset(top, RdataType.SOA)
        zone = cls(top, ttl=min(soa.ttl, soa[0].minimum))
        for name, found in parsed.iterate_rdatasets():
            zone.put(name, record_set(found.rdtype, list(found), found.ttl))
        return zone

    def copied(self) -> Zone:
        """The same zone, to be changed without changing this one. Record sets are shared: they are never changed."""
        zone = copy(self)
        zone._nodes = {labels: node.copied() for labels, node in self._nodes.items()}
        return zone

    @property
    def soa(self) -> Rdataset:
        return self._nodes[self.apex].sets[RdataType.SOA]

    @property
    def serial(self) -> int:
        number: int = self.soa[0].serial
        return number

    def lookup(self, name: Name, rdtype: RdataType) -> Found:
        """What this zone knows about `name`, which must be in it (RFC 1034 §4.3.2 step 3; RFC 4592 for wildcards).

        rdtype: RdataType.ANY for all that the name has.
        """
        labels = labels_of(name)
        node = self._nodes[self.apex]
        for length in range(len(self.apex), len(labels) + 1):
            below = self._nodes.get(labels[len(labels) - length:])
            if below is None:
                # `node` is the closest encloser; only a wildcard directly below it may answer (RFC 4592 §3.3.1).
                star = self._nodes.get((b"*", *labels[len(labels) - length + 1:]))
                return Found(Kind.NXDOMAIN) if star is None else found_at(star, rdtype)
            node = below
            last = length == len(labels)
            if length > len(self.apex) and RdataType.NS in node.sets and not (last and rdtype == RdataType.DS):
                # Below a cut the zone is somebody else's; only DS is kept on this side (RFC 4035 §3.1.4.1).
                return Found(Kind.REFERRAL, (node.sets[RdataType.NS],), node.name)
            if not last and RdataType.DNAME in node.sets:
                return Found(Kind.SUBTREE, (node.sets[RdataType.DNAME],), node.name)
        return found_at(node, rdtype)

    def get(self, name: Name, rdtype: RdataType) -> Rdataset | None:
        """The record set of exactly this name and type: no wildcard, no alias; glue below a cut too."""
        node = self._nodes.get(labels_of(name))
        return None if node is None else node.sets.get(rdtype)

    def records(self) -> Iterator[Record]:
        """Every record set, the SOA first, then the apex, then the rest. A snapshot: changes do not show in it."""
        kept = [Record(node.name, found) for node in self._nodes.values() for found in node.sets.values()]
        kept.sort(key=lambda record: (record.records is not self.soa, record.owner != self.origin))
        return iter(kept)

    def put(self, name: Name, records: Rdataset) -> None:
        """Make `records` the set of its type under `name`. Raises ZoneError for what DNS does not allow."""
        node = self._nodes.get(labels_of(name))
        others = set(node.sets) - {records.rdtype} if node else set()
        if records.rdtype == RdataType.CNAME and others:
            raise ZoneError(f"{name} has other records, so it cannot be a CNAME (RFC 2181 §10.1); remove them first")
        if RdataType.CNAME in others:
            raise ZoneError(f"{name} is a CNAME, so it cannot have other records (RFC 2181 §10.1); remove it first")
        if records.rdtype == RdataType.SOA and labels_of(name) != self.apex:
            raise ZoneError(f"{name} SOA: only the top of a zone, {self.origin}, has an SOA (RFC 1035 §5.2)")
        self._ensure(name).sets[records.rdtype] = records

    def drop(self, name: Name, rdtype: RdataType) -> None:
        """Remove a record set that is there. Raises ZoneError for the SOA and NS that every zone needs."""
        labels = labels_of(name)
        if labels == self.apex and rdtype in (RdataType.SOA, RdataType.NS):
            raise ZoneError(f"{name} {dns.rdatatype.to_text(rdtype)}: a zone keeps its SOA and NS (RFC 1035 §5.2); "
                            "replace it instead")
        del self._nodes[labels].sets[rdtype]
        while labels != self.apex and not self._nodes[labels].sets and not self._nodes[labels].children:
            del self._nodes[labels]
            labels = labels[1:]
            self._nodes[labels].children -= 1

    def types(self, name: Name) -> list[RdataType]:
        """The types that exist under exactly this name."""
        node = self._nodes.get(labels_of(name))
        return list(node.sets) if node else []

    def bump(self, after: int | None = None) -> None:
        """Raise the serial, so that secondaries notice (RFC 1982: it wraps around). after: above this one, by default
        its own."""
        raised = self.soa[0].replace(serial=((self.serial if after is None else after) + 1) % SERIAL_SPACE)
        self._nodes[self.apex].sets[RdataType.SOA] = record_set(RdataType.SOA, [raised], self.soa.ttl)

    def _ensure(self, name: Name) -> Node:
        """The node of `name`, made with its ancestors (as empty non-terminals) where missing."""
        labels = labels_of(name)
        found = self._nodes.get(labels)
        if found is not None:
            return found
        if labels[-len(self.apex):] != self.apex:
            raise ZoneError(f"{name} is not in the zone {self.origin}")
        found = self._nodes[labels] = Node(name)
        while True:
            labels, name = labels[1:], name.parent()
            parent = self._nodes.get(labels)
            if parent is not None:
                parent.children += 1
                return found
            parent = self._nodes[labels] = Node(name)
            parent.children = 1


class CatchAll(Zone):
    """The root zone of a sandbox that answers for the whole internet.

    Its `*` record sets answer for every name that nobody listed. That goes further than a wildcard does, which stops
    where a name exists (RFC 4592 §3.3.1): a record added for one.dev must not make two.dev vanish.
    """

    def lookup(self, name: Name, rdtype: RdataType) -> Found:
        found = super().lookup(name, rdtype)
        star = self._nodes.get((b"*", b""))
        if star is None or len(name) == 1:
            return found
        unlisted = found.kind is Kind.NXDOMAIN or found.source == star.name \
            or (found.kind is Kind.NODATA and not self.types(found.source or name))
        return found_at(star, rdtype)._replace(captured=True) if unlisted else found


class Absent(Zone):
    """A zone that says that neither its name nor any below it exists, for names that must stay unknown."""

    def lookup(self, name: Name, rdtype: RdataType) -> Found:
        return Found(Kind.NXDOMAIN)


def found_at(node: Node, rdtype: RdataType) -> Found:
    """What a name's own records say to a question of type `rdtype`."""
    if rdtype == RdataType.ANY and node.sets:
        return Found(Kind.ANSWER, tuple(node.sets.values()), node.name)
    records = node.sets.get(rdtype)
    if records is not None:
        return Found(Kind.ANSWER, (records,), node.name)
    alias = node.sets.get(RdataType.CNAME)
    if alias is not None:
        return Found(Kind.ALIAS, (alias,), node.name)
    return Found(Kind.NODATA, (), node.name)
