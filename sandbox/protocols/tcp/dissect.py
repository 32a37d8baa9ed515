"""The small services have no grammar: what they carry is text, a time, or anything. And a SYN, to the bit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sandbox.protocols.contract.spans import About, Cutter, Span
from sandbox.protocols.tcp.packet import packet

__all__ = ["PARTS", "dissect"]

PARTS = frozenset({
    "acknowledgment-number", "checksum", "control-bits", "data", "data-offset", "fragment", "identification",
    "ip-address", "ip-header", "ip-protocol", "ip-version", "octets", "option", "option-length", "packet-length",
    "port", "segment-size", "sequence-number", "tcp-header", "time-to-live", "timestamp", "traffic-class",
    "urgent-pointer", "window", "window-scale",
})
"""Every part that has an entry of its own in the knowledge."""

EPOCH = datetime(1900, 1, 1, tzinfo=UTC)
"""From when RFC 868 counts."""


def dissect(octets: bytes, about: About) -> tuple[Span, ...]:
    cutter = Cutter(octets)
    if about.verb == "SYN":
        packet(cutter)
    elif about.service == "time" and not about.client and len(octets) == 4:
        moment = EPOCH + timedelta(seconds=int.from_bytes(octets, "big"))
        cutter.take(4, "seconds since 1900", "verb.time", moment.isoformat())
    else:
        cutter.to(cutter.end, "data", f"verb.{about.service}" if about.service else "part.data")
    return cutter.done()
