"""WebSocket frames in their parts (RFC 6455 §5.2): the mask undone, and permessage-deflate (RFC 7692)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

from sandbox.protocols.contract.spans import About, Cutter
from sandbox.protocols.lines.values import LONGEST_VALUE, shown

__all__ = ["frames"]

OPCODES = {0: "CONTINUATION", 1: "TEXT", 2: "BINARY", 8: "CLOSE", 9: "PING", 10: "PONG"}
BITS = {128: "FIN", 64: "RSV1", 32: "RSV2", 16: "RSV3"}

LOOKED_BACK = 262_144
"""Octets before an exchange that are read for what packed messages refer to; of more, packed ones stay so."""


class Frame(NamedTuple):
    """first, second: the octets in front; header: octets before the payload; size: of the payload."""

    first: int
    second: int
    header: int
    size: int

    @property
    def opcode(self) -> int:
        return self.first & 15

    @property
    def packed(self) -> bool:
        """Whether it begins a packed message: RSV1 (RFC 7692 §7)."""
        return bool(self.first & 0x40)


def read_frame(octets: bytes, at: int, end: int) -> Frame | None:
    """The frame at a place, None where not even its header is there."""
    if end - at < 2:
        return None
    first, second = octets[at], octets[at + 1]
    size = second & 127
    wide = {126: 2, 127: 8}.get(size, 0)
    header = 2 + wide + (4 if second & 128 else 0)
    if end - at < header:
        return None
    if wide:
        size = int.from_bytes(octets[at + 2:at + 2 + wide], "big")
    return Frame(first, second, header, size)


def unmasked(octets: bytes, key: bytes) -> bytes:
    """RFC 6455 §5.3: each octet and one of the key, in turn, by exclusive or."""
    if not key:
        return octets
    stretched = (key * (len(octets) // 4 + 1))[:len(octets)]
    return (int.from_bytes(octets, "big") ^ int.from_bytes(stretched, "big")).to_bytes(len(octets), "big")


class Unpacking:
    """One direction's messages unpacked, each of which may refer to those before it."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._packed = False
        self._broken = False

    def read(self, frame: Frame, payload: bytes) -> str | None:
        """The text of a data frame; None for what cannot be unpacked."""
        if frame.opcode in (1, 2):
            self._packed = frame.packed
        if not self._packed:
            return shown(payload[:LONGEST_VALUE])
        if self._broken:
            return None
        try:
            found = self._inflate.decompress(payload + (b"\0\0\xff\xff" if frame.first & 128 else b""), LOOKED_BACK)
        except zlib.error:
            self._broken = True
            return None
        self._broken = bool(self._inflate.unconsumed_tail)
        return shown(found[:LONGEST_VALUE])


def earlier(octets: bytes) -> Iterator[tuple[Frame, bytes]]:
    """The frames of what passed before, behind the head of the upgrade."""
    at = octets.find(b"\r\n\r\n") + 4
    while (frame := read_frame(octets, at, len(octets))) is not None:
        start = at + frame.header
        key = octets[start - 4:start] if frame.second & 128 else b""
        yield frame, unmasked(octets[start:start + frame.size], key)
        at = start + frame.size


def frames(cutter: Cutter, about: About) -> None:
    """Frame after frame."""
    unpacking = Unpacking()
    known = False
    while (frame := read_frame(cutter.octets, cutter.position, cutter.end)) is not None:
        start = cutter.position
        if frame.packed and not known:
            known = True
            if about.start <= LOOKED_BACK:
                for other, payload in earlier(about.before(about.start)):
                    if other.opcode < 8:
                        unpacking.read(other, payload)
        word = OPCODES.get(frame.opcode, f"opcode {frame.opcode}")
        with cutter.within(start + frame.header + frame.size, f"{word} frame", f"ws.{word}") as inner:
            one(inner, frame, word, unpacking)
        if cutter.position == start:
            break
    cutter.to(cutter.end, "piece of a frame", "part.frame-header")


def one(inner: Cutter, frame: Frame, word: str, unpacking: Unpacking) -> None:
    bits = " ".join(name for bit, name in BITS.items() if frame.first & bit)
    inner.take(1, "flags and opcode", f"ws.{word}", f"{bits} {word}".strip())
    masked = frame.second & 128
    wide = frame.header - 2 - (4 if masked else 0)
    inner.take(1 + wide, "masked, length" if masked else "length", "part.ws-length", f"{frame.size} octets")
    key = inner.take(4, "masking key", "part.mask") if masked else b""
    payload = unmasked(inner.octets[inner.position:inner.end], key)
    if frame.opcode == 8 and len(payload) >= 2:
        code = int.from_bytes(payload[:2], "big")
        inner.take(2, "close code", f"close.{code}", str(code))
        inner.to(inner.end, "close reason", "part.close-reason", shown(payload[2:]))
        return
    said = unpacking.read(frame, payload) if frame.opcode < 3 else shown(payload)
    inner.to(inner.end, "payload", "part.ws-payload", "packed" if said is None else said)
