"""The packet with which a client opens a connection: IP header, TCP header, options (RFC 9293 §3.1). Pure."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Syn", "read_syn"]

IPV4, IPV6 = 4, 6
IPV6_HEADER = 40
TCP_HEADER = 20
END, NOTHING, MSS, WINDOW_SCALE, SACK, TIMESTAMPS = 0, 1, 2, 3, 4, 8
ECE_CWR = 0xC0


class Syn(NamedTuple):
    """What a SYN says. ip: 4 or 6; hops: TTL or hop limit; sequence: the number its octets are counted from;
    window: octets it takes before it wants to confirm some; options: the numbers of all options in their order; mss:
    octets of the largest segment it takes, scale: how often the window is doubled, each -1 where it is not said;
    ecn: whether it offers to be told of congestion."""

    ip: int
    hops: int
    sequence: int
    window: int
    options: tuple[int, ...]
    mss: int
    scale: int
    ecn: bool


def read_syn(packet: bytes) -> Syn | None:
    """None for what is none."""
    version = packet[0] >> 4 if packet else 0
    if version == IPV4:
        start, hops = (packet[0] & 15) * 4, packet[8:9]
    elif version == IPV6:
        start, hops = IPV6_HEADER, packet[7:8]
    else:
        return None
    header = packet[start:start + TCP_HEADER]
    if len(header) < TCP_HEADER or start < TCP_HEADER:
        return None
    found: list[int] = []
    mss = scale = -1
    options = packet[start + TCP_HEADER:start + (header[12] >> 4) * 4]
    at = 0
    while at < len(options) and options[at] != END:
        kind = options[at]
        if kind == NOTHING:
            at += 1
            continue
        size = options[at + 1] if at + 1 < len(options) else 0
        if size < 2 or at + size > len(options):
            break
        value = int.from_bytes(options[at + 2:at + size], "big")
        mss = value if kind == MSS else mss
        scale = value if kind == WINDOW_SCALE else scale
        found.append(kind)
        at += size
    return Syn(version, hops[0], int.from_bytes(header[4:8], "big"), int.from_bytes(header[14:16], "big"),
               tuple(found), mss, scale, bool(header[13] & ECE_CWR == ECE_CWR))
