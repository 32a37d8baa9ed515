"""Down the tree of names, a server at a time: what a resolver does for its clients (RFC 1034 §5.3.3).

The questions go over TCP (RFC 7766) to the sandbox's own root, top-level and domain servers, or wherever on this
machine records lead: each is in the journal, with the client's question as its cause.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import dns.exception
import dns.message
import dns.name
import dns.rdataclass
import trio
from dns.message import Message
from dns.name import Name
from dns.rcode import Rcode
from dns.rdataset import Rdataset
from dns.rdatatype import RdataType

from sandbox.address import Address
from sandbox.protocols.contract.conversation import Cause, Closed, Dial
from sandbox.protocols.dns.memory import Memory, Missing

__all__ = ["Learnt", "Walker"]

SECONDS = 4.0
"""For all that one question of a client takes; dig waits five."""

MOST_QUESTIONS = 32
"""Asked for one question of a client: records can lead from server to server for ever."""

LONGEST_CHAIN = 16
"""Aliases followed."""

DEEPEST = 4
"""Name servers whose own address has to be found first, one inside the other."""

ADDRESSES = (RdataType.A, RdataType.AAAA)


class Learnt(NamedTuple):
    """What was found: record sets from the first alias to the last name, or who says that nothing is there.

    asked: how many questions it took; 0 for what was remembered.
    """

    rcode: Rcode
    answer: Sequence[tuple[Name, Rdataset]] = ()
    missing: Missing | None = None
    asked: int = 0


class Failed(Exception):
    """No server says anything useful."""


class Walker:
    """Finds records. roots: addresses of the root servers; port: on which all name servers are; dial: reaches them.
    """

    def __init__(self, dial: Dial, roots: Sequence[str], port: int, memory: Memory) -> None:
        self._dial = dial
        self._roots = tuple(roots)
        self._port = port
        self._memory = memory

    def remembered(self, name: Name, rdtype: RdataType) -> Learnt | None:
        """What can be said without asking anybody."""
        answer: list[tuple[Name, Rdataset]] = []
        for _ in range(LONGEST_CHAIN):
            known = self._memory.find(name, rdtype)
            if isinstance(known, Missing):
                return Learnt(known.rcode, answer, known)
            if known is not None:
                return Learnt(Rcode.NOERROR, [*answer, (name, known)])
            alias = self._memory.find(name, RdataType.CNAME)
            if alias is None or isinstance(alias, Missing):
                return None
            answer.append((name, alias))
            name = alias[0].target
        return None

    async def find(self, name: Name, rdtype: RdataType, cause: Cause) -> Learnt:
        """What there is, asked for where it is not remembered."""
        known = self.remembered(name, rdtype)
        if known is not None:
            return known
        walk = Walk(self._dial, self._roots, self._port, self._memory, cause)
        try:
            with trio.fail_after(SECONDS):
                learnt = await walk.find(name, rdtype)
        except (Failed, trio.TooSlowError):
            return Learnt(Rcode.SERVFAIL, asked=walk.asked)
        return learnt._replace(asked=walk.asked)


class Walk:
    """All that is done for one question of a client."""

    def __init__(self, dial: Dial, roots: Sequence[str], port: int, memory: Memory, cause: Cause) -> None:
        self._dial = dial
        self._roots = roots
        self._port = port
        self._memory = memory
        self._cause = cause
        self.asked = 0

    async def find(self, name: Name, rdtype: RdataType, depth: int = 0) -> Learnt:
        """Follows aliases. Raises Failed."""
        answer: list[tuple[Name, Rdataset]] = []
        for _ in range(LONGEST_CHAIN):
            known = self._memory.find(name, rdtype)
            if known is None:
                alias = self._memory.find(name, RdataType.CNAME)
                known = alias if isinstance(alias, Rdataset) else await self._walk(name, rdtype, depth)
            if isinstance(known, Missing):
                return Learnt(known.rcode, answer, known)
            answer.append((name, known))
            if known.rdtype != RdataType.CNAME or rdtype == RdataType.CNAME:
                return Learnt(Rcode.NOERROR, answer)
            name = known[0].target
        raise Failed

    async def _walk(self, name: Name, rdtype: RdataType, depth: int) -> Rdataset | Missing:
        """From the nearest servers that are known down to those that answer (RFC 1034 §5.3.3). Raises Failed."""
        zone, hosts = self._nearest(name)
        while True:
            addresses = self._roots if zone == dns.name.root else await self._reach(zone, hosts, depth)
            if not addresses and zone != dns.name.root:
                zone, hosts = self._nearest(zone.parent())      # the parent has the glue
                continue
            message = await self._ask(addresses, name, rdtype)
            found = self._read(message, zone, name, rdtype)
            if found is not None:
                return found
            cut = self._referral(message, zone, name)
            if cut is None:
                raise Failed
            zone, hosts = cut

    def _nearest(self, name: Name) -> tuple[Name, list[Name]]:
        """The nearest zone above a name whose servers are remembered."""
        zone = name
        while zone != dns.name.root:
            known = self._memory.find(zone, RdataType.NS)
            if isinstance(known, Rdataset):
                return zone, [item.target for item in known]
            zone = zone.parent()
        return zone, []

    async def _reach(self, zone: Name, hosts: Iterable[Name], depth: int) -> list[str]:
        """The addresses of a zone's name servers, asked for where they did not come along and are not in the zone
        itself: there only glue leads to them."""
        found: list[str] = []
        unknown: list[Name] = []
        for host in hosts:
            known = [self._memory.find(host, kind) for kind in ADDRESSES]
            own = [item.address for records in known if isinstance(records, Rdataset) for item in records]
            own += literal(host)
            found += own
            if not own and not host.is_subdomain(zone):
                unknown.append(host)
        for host in unknown if depth < DEEPEST else ():
            if found:
                break
            for kind in ADDRESSES:
                with contextlib.suppress(Failed):
                    learnt = await self.find(host, kind, depth + 1)
                    found += [item.address for _, records in learnt.answer if records.rdtype == kind
                              for item in records]
        return found

    async def _ask(self, addresses: Sequence[str], name: Name, rdtype: RdataType) -> Message:
        """The first server's answer. Raises Failed."""
        query = dns.message.make_query(name, rdtype, flags=0)
        for address in addresses:
            if self.asked >= MOST_QUESTIONS:
                break
            self.asked += 1
            try:
                message = await exchange(self._dial, Address(address, self._port), query, self._cause)
            except (OSError, Closed, dns.exception.DNSException):
                continue    # the next one; one that is not on this machine counts as one that is silent
            if message.rcode() in (Rcode.NOERROR, Rcode.NXDOMAIN) and query.is_response(message):
                return message
        raise Failed

    def _read(self, message: Message, zone: Name, name: Name, rdtype: RdataType) -> Rdataset | Missing | None:
        """What a message says about the question; None where it refers to others."""
        for kind in (rdtype, RdataType.CNAME):
            found = message.get_rrset(message.answer, name, dns.rdataclass.IN, kind)
            if found is not None:
                records = found.to_rdataset()
                self._memory.learn(name, records)
                return records
        for soa in message.authority:
            if soa.rdtype == RdataType.SOA and name.is_subdomain(soa.name) and soa.name.is_subdomain(zone):
                missing = Missing(message.rcode(), soa.name, soa.to_rdataset())
                self._memory.learn_missing(name, rdtype, missing)
                return missing
        return None

    def _referral(self, message: Message, zone: Name, name: Name) -> tuple[Name, list[Name]] | None:
        """The next zone and its servers. What a server says of names outside its zone is not believed: that is how
        resolvers were poisoned (RFC 5452 §6)."""
        for found in message.authority:
            nearer = found.name != zone and found.name.is_subdomain(zone) and name.is_subdomain(found.name)
            if found.rdtype != RdataType.NS or not nearer:
                continue
            self._memory.learn(found.name, found.to_rdataset())
            hosts: list[Name] = [item.target for item in found]
            for glue in message.additional:
                if glue.name in hosts and glue.rdtype in ADDRESSES and glue.name.is_subdomain(zone):
                    self._memory.learn(glue.name, glue.to_rdataset())
            return found.name, hosts
        return None


def literal(host: Name) -> list[str]:
    """The address that a name server is called by, where it is called by one: every library of resolvers reads it so,
    and on ports of its own the sandbox names its servers like that."""
    try:
        return [str(ipaddress.ip_address(host.to_text(omit_final_dot=True)))]
    except ValueError:
        return []


async def exchange(dial: Dial, address: Address, query: Message, cause: Cause) -> Message:
    """Ask a server. Raises OSError, Closed, DNSException."""
    wire = await dial(address, cause)
    try:
        packet = query.to_wire()
        await wire.send(len(packet).to_bytes(2) + packet)
        buffer = bytearray()
        while len(buffer) < 2 or len(buffer) < 2 + int.from_bytes(buffer[:2]):
            data = await wire.receive()
            if not data:
                raise Closed("the server left")
            buffer += data
    finally:
        await wire.aclose()
    return dns.message.from_wire(bytes(buffer[2:]), ignore_trailing=True)
