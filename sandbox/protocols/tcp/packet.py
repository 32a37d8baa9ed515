"""A client's SYN in its parts: the IP header and the TCP header with its options (RFC 791, RFC 8200, RFC 9293)."""

from __future__ import annotations

import ipaddress

from sandbox.protocols.contract.spans import Cutter

__all__ = ["packet"]

CONTROL = ((0x80, "CWR"), (0x40, "ECE"), (0x20, "URG"), (0x10, "ACK"), (0x08, "PSH"), (0x04, "RST"), (0x02, "SYN"),
           (0x01, "FIN"))
OPTIONS = {0: "end of options", 1: "no operation", 2: "maximum segment size", 3: "window scale", 4: "SACK permitted",
           5: "SACK", 8: "timestamps", 34: "fast open"}
ECN = {0: "not capable", 1: "ECT(1)", 2: "ECT(0)", 3: "congestion"}


def number(cutter: Cutter, size: int) -> int:
    return int.from_bytes(cutter.peek(size), "big")


def packet(cutter: Cutter) -> None:
    """The two headers; what is not as expected stays in one piece."""
    version = (cutter.peek(1) or b"\0")[0] >> 4
    if version == 4 and cutter.left >= 20:
        with cutter.within(cutter.position + 4 * (cutter.peek(1)[0] & 15), "IP header", "part.ip-header") as header:
            version_4(header)
    elif version == 6 and cutter.left >= 40:
        with cutter.within(cutter.position + 40, "IP header", "part.ip-header") as header:
            version_6(header)
    if version in (4, 6) and cutter.left >= 20:
        size = 4 * (cutter.octets[cutter.position + 12] >> 4)
        with cutter.within(cutter.position + size, "TCP header", "part.tcp-header") as header:
            segment(header)


def version_4(header: Cutter) -> None:
    """RFC 791 §3.1."""
    first = header.peek(1)[0]
    header.take(1, "version, header length", "part.ip-version", f"IPv{first >> 4}, {4 * (first & 15)} octets")
    traffic = number(header, 1)
    header.take(1, "traffic class, ECN", "part.traffic-class", f"class {traffic >> 2}, ECN {ECN[traffic & 3]}")
    header.take(2, "total length", "part.packet-length", f"{number(header, 2)} octets")
    header.take(2, "identification", "part.identification", str(number(header, 2)))
    bits = number(header, 2)
    words = [word for bit, word in ((0x4000, "do not fragment"), (0x2000, "more fragments")) if bits & bit]
    header.take(2, "flags, fragment offset", "part.fragment", ", ".join([*words, f"offset {8 * (bits & 0x1FFF)}"]))
    header.take(1, "time to live", "part.time-to-live", f"{number(header, 1)} hops")
    header.take(1, "protocol", "part.ip-protocol", "TCP" if header.peek(1) == b"\6" else str(number(header, 1)))
    header.take(2, "header checksum", "part.checksum", header.peek(2).hex())
    header.take(4, "source address", "part.ip-address", address(header, 4))
    header.take(4, "destination address", "part.ip-address", address(header, 4))
    header.to(header.end, "IP options", "part.option")


def version_6(header: Cutter) -> None:
    """RFC 8200 §3."""
    bits = number(header, 4)
    header.take(4, "version, traffic class, flow label", "part.ip-version",
                f"IPv{bits >> 28}, class {bits >> 22 & 63}, ECN {ECN[bits >> 20 & 3]}, flow {bits & 0xFFFFF:05x}")
    header.take(2, "payload length", "part.packet-length", f"{number(header, 2)} octets")
    header.take(1, "next header", "part.ip-protocol", "TCP" if header.peek(1) == b"\6" else str(number(header, 1)))
    header.take(1, "hop limit", "part.time-to-live", f"{number(header, 1)} hops")
    header.take(16, "source address", "part.ip-address", address(header, 16))
    header.take(16, "destination address", "part.ip-address", address(header, 16))


def address(header: Cutter, size: int) -> str:
    return str(ipaddress.ip_address(header.peek(size)))


def segment(header: Cutter) -> None:
    """RFC 9293 §3.1."""
    header.take(2, "source port", "part.port", str(number(header, 2)))
    header.take(2, "destination port", "part.port", str(number(header, 2)))
    header.take(4, "sequence number", "part.sequence-number", str(number(header, 4)))
    header.take(4, "acknowledgment number", "part.acknowledgment-number", str(number(header, 4)))
    header.take(1, "data offset", "part.data-offset", f"{4 * (number(header, 1) >> 4)} octets")
    set_ = number(header, 1)
    words = " ".join(word for bit, word in CONTROL if set_ & bit)
    header.take(1, "control bits", "flag.SYN" if set_ & 2 else "part.control-bits", words or "none")
    header.take(2, "window", "part.window", f"{number(header, 2)} octets, before scaling")
    header.take(2, "checksum", "part.checksum", header.peek(2).hex())
    header.take(2, "urgent pointer", "part.urgent-pointer", str(number(header, 2)))
    while header.left:
        option(header)


def option(header: Cutter) -> None:
    """RFC 9293 §3.2, RFC 7323, RFC 2018."""
    kind = number(header, 1)
    word = OPTIONS.get(kind, f"option {kind}")
    if kind < 2 or header.left < 2:
        header.take(1, word, "part.option")
        return
    size = max(2, header.peek(2)[1])
    with header.within(header.position + size, word, OPTION_KEYS.get(kind, "part.option")) as inner:
        inner.take(1, "option kind", "part.option", word)
        inner.take(1, "option length", "part.option-length", f"{size} octets")
        if kind == 2:
            inner.take(2, "segment size", "part.segment-size", f"{number(inner, 2)} octets")
        elif kind == 3:
            inner.take(1, "shift", "part.window-scale", f"window times {2 ** min(number(inner, 1), 14)}")
        elif kind == 8:
            inner.take(4, "own time", "part.timestamp", str(number(inner, 4)))
            inner.take(4, "echoed time", "part.timestamp", str(number(inner, 4)))
        inner.to(inner.end, "option data", "part.option")


OPTION_KEYS = {2: "part.segment-size", 3: "option.window_scaling", 4: "option.sack", 8: "option.timestamps"}
