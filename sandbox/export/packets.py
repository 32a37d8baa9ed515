"""Octets of a session as packets: IPv4 or IPv6, TCP or UDP, as they might have been on a wire.

The journal has what passed, not how it was cut: segments, sequence numbers and acknowledgements are made up here.
Whoever writes them says so.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from typing import NamedTuple

from sandbox.address import Address

__all__ = ["SEGMENT", "Packet", "TcpFlow", "datagram"]

SEGMENT = 16_384
"""Octets of one made-up segment: as large as a record of TLS, so that dissectors find their way quickly."""
WINDOW = 65_535
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
TCP, UDP = 6, 17
TTL = 64


class Packet(NamedTuple):
    """A packet from the IP header on. time: seconds since the epoch; comment: what it is about, "" for nothing."""

    time: float
    octets: bytes
    comment: str = ""


class TcpFlow:
    """Makes the packets of one connection, with sequence numbers that go on."""

    def __init__(self, client: Address, server: Address, session: int) -> None:
        # Numbers that tell connections apart, the same each time the same journal is written.
        self._ends = (client, server)
        self._next = [(session * 64_000 + 1_000) % 2**32, (session * 96_000 + 2_000) % 2**32]

    def opened(self, time: float) -> Iterator[Packet]:
        """The three-way handshake (RFC 9293 §3.5)."""
        options = struct.pack("!BBH", 2, 4, 65_495 if SEGMENT > 1_460 else 1_460)
        yield self._packet(time, 0, SYN, b"", options=options)
        self._next[0] += 1
        yield self._packet(time, 1, SYN | ACK, b"", options=options)
        self._next[1] += 1
        yield self._packet(time, 0, ACK, b"")

    def carried(self, time: float, side: int, data: bytes, comment: str = "") -> Iterator[Packet]:
        """What one side sent (0 the client), acknowledged by the other."""
        for start in range(0, len(data), SEGMENT):
            piece = data[start:start + SEGMENT]
            yield self._packet(time, side, PSH | ACK, piece, comment if start == 0 else "")
            self._next[side] += len(piece)
        yield self._packet(time, 1 - side, ACK, b"")

    def skipped(self, side: int, count: int) -> None:
        """Octets passed that nobody kept: a gap, as in a capture that lost packets."""
        self._next[side] += count

    def closed(self, time: float, first: int, *, reset: bool = False) -> Iterator[Packet]:
        """The end. first: the side that ended it."""
        if reset:
            yield self._packet(time, first, RST | ACK, b"")
            return
        for side in (first, 1 - first):
            yield self._packet(time, side, FIN | ACK, b"")
            self._next[side] += 1
        yield self._packet(time, first, ACK, b"")

    def _packet(self, time: float, side: int, flags: int, data: bytes, comment: str = "",
                options: bytes = b"") -> Packet:
        source, target = self._ends[side], self._ends[1 - side]
        acknowledged = self._next[1 - side] % 2**32 if flags & ACK else 0
        head = struct.pack("!HHIIBBHHH", source.port, target.port, self._next[side] % 2**32, acknowledged,
                           (5 + len(options) // 4) << 4, flags, WINDOW, 0, 0) + options
        return Packet(time, enclosed(source.host, target.host, TCP, head, data, 16), comment)


def datagram(time: float, source: Address, target: Address, data: bytes, comment: str = "") -> Packet:
    """One datagram (RFC 768)."""
    head = struct.pack("!HHHH", source.port, target.port, 8 + len(data), 0)
    return Packet(time, enclosed(source.host, target.host, UDP, head, data, 6), comment)


def enclosed(source: str, target: str, protocol: int, head: bytes, data: bytes, place: int) -> bytes:
    """Header and data of a transport in a packet, with the checksums. place: of the checksum in the header."""
    one, other = ipaddress.ip_address(source.partition("%")[0]), ipaddress.ip_address(target.partition("%")[0])
    length = len(head) + len(data)
    if one.version == 6 or other.version == 6:
        ends = b"".join(address.packed if address.version == 6 else b"\0" * 10 + b"\xff\xff" + address.packed
                        for address in (one, other))
        pseudo = ends + struct.pack("!IxxxB", length, protocol)
        front = struct.pack("!IHBB", 6 << 28, length, protocol, TTL) + ends
    else:
        pseudo = one.packed + other.packed + struct.pack("!xBH", protocol, length)
        bare = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + length, 0, 0x4000, TTL, protocol, 0, one.packed,
                           other.packed)
        front = bare[:10] + checksum(bare) + bare[12:]
    total = checksum(pseudo + head + data)
    if protocol == UDP and total == b"\0\0":
        total = b"\xff\xff"  # zero would mean that there is none
    return front + head[:place] + total + head[place + 2:] + data


def checksum(data: bytes) -> bytes:
    """The internet checksum (RFC 1071): the 16-bit numbers summed with end-around carry, which is one division of
    one large number."""
    total = int.from_bytes(data + bytes(len(data) % 2), "big") % 0xFFFF
    if not total:
        return b"\0\0" if any(data) else b"\xff\xff"
    return struct.pack("!H", 0xFFFF - total)
