"""Where frames begin and end (RFC 9113 §4.1), and what a client may do too much of (§10.5). Pure.

The `h2` library reads what is in the frames. It is given one at a time, so that each octet is known to belong to a
stream, and so that limits hold before anything is unpacked.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

__all__ = ["MAX_FRAME", "PREFACE", "Cutter", "Frame", "Kind", "TokenBucket", "read_goaway"]

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client says first (RFC 9113 §3.4): made to be refused by servers that know only HTTP/1.1."""

HEADER = 9
"""Octets of a frame's header."""

MAX_FRAME = 16_384
"""Octets of a frame's payload that are taken: the default, and the least a server may allow (§4.2)."""

END_STREAM = 0x1
END_HEADERS = 0x4


class Kind(enum.IntEnum):
    """The types of frames (RFC 9113 §6). Others there are, and are ignored (§5.5)."""

    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


class Frame(NamedTuple):
    """A frame's header. kind: -1 for a piece of the client's preface."""

    kind: int
    flags: int
    stream: int
    length: int

    @property
    def wasteful(self) -> bool:
        """Whether it costs work and brings nothing: floods are made of such frames (CVE-2019-9512 to -9518)."""
        match self.kind:
            case Kind.DATA:
                return not self.length and not self.flags & END_STREAM
            case Kind.HEADERS | Kind.WINDOW_UPDATE | -1:
                return False
            case _:
                return True


class Cutter:
    """Finds the next frame in a buffer.

    block: octets of the header block under way, or of the last one when it is over: what came since the HEADERS
    frame began; open: whether a header block is under way, which nothing may interrupt (RFC 9113 §6.2).
    """

    def __init__(self) -> None:
        self._preface = len(PREFACE)
        self.block = 0
        self.open = False

    def next(self, buffer: bytes | bytearray) -> tuple[int, Frame]:
        """How many octets to take now, and what they are; 0 while there is no whole frame.

        A frame that is too long is given by its header alone: that is enough to refuse it.
        """
        if self._preface:
            count = min(self._preface, len(buffer))
            self._preface -= count
            return count, Frame(-1, 0, 0, count)
        if len(buffer) < HEADER:
            return 0, NOTHING
        length = int.from_bytes(buffer[:3])
        frame = Frame(buffer[3], buffer[4], int.from_bytes(buffer[5:9]) & 0x7FFF_FFFF, length)
        if length > MAX_FRAME:
            return HEADER, frame
        size = HEADER + length
        if len(buffer) < size:
            return 0, NOTHING
        if frame.kind == Kind.HEADERS:
            self.block, self.open = size, not frame.flags & END_HEADERS
        elif frame.kind == Kind.CONTINUATION:
            self.block += size
            self.open = not frame.flags & END_HEADERS
        return size, frame


NOTHING = Frame(-1, 0, 0, 0)


class TokenBucket:
    """What wasteful frames cost a client: a purse that fills up again with time.

    A client that cancels as many requests as a person can by leaving pages never notices. One that opens and resets
    streams as fast as it can (rapid reset, CVE-2023-44487), or makes the server reset them (CVE-2025-8671), or
    floods with PING, SETTINGS, PRIORITY, empty or unknown frames, is told to calm down.
    """

    SIZE = 1_000.0
    PER_SECOND = 100.0

    def __init__(self, now: float) -> None:
        self._left = self.SIZE
        self._since = now

    def take(self, now: float) -> bool:
        """Pay for one frame. False when nothing is left. now: seconds on any clock."""
        self._left = min(self.SIZE, self._left + (now - self._since) * self.PER_SECOND) - 1
        self._since = now
        return self._left >= 0


def read_goaway(payload: bytes) -> int:
    """The error code in a GOAWAY frame's payload (RFC 9113 §6.8); 1, PROTOCOL_ERROR, where it is too short."""
    return int.from_bytes(payload[4:8]) if len(payload) >= 8 else 1
