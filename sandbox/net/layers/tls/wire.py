"""The two lowest layers of TLS as they stand on the wire: records, and the handshake messages inside them.

Pure: bytes in, values out. Whatever the bytes are, the only error is `Malformed`. Records are taken apart as they
arrive, each byte looked at once, because a client may send its hello one byte at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

__all__ = [
    "ALERT", "CHANGE_CIPHER_SPEC", "HANDSHAKE", "Cursor", "Malformed", "Message", "Messages", "Record", "Records",
]

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT = 20, 21, 22, 23, 24

MAX_RECORD = 16_384 + 2_048
"""The longest protected record of any version (RFC 5246 §6.2.3; RFC 8446 §5.2 allows less)."""

MAX_MESSAGE = 65_536
"""The longest handshake message that is put together again. A hello with post-quantum keys has 2 KB, a chain of
certificates some 10 KB; the format would allow 16 MB."""


class Malformed(ValueError):
    """Bytes that are not what the protocol says must stand there."""


class Cursor:
    """Reads numbers and length-prefixed fields one after the other. Every method raises Malformed at the end."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def left(self) -> int:
        """How many bytes have not been read."""
        return len(self.data) - self.at

    def take(self, count: int) -> bytes:
        """Exactly `count` bytes."""
        if count > self.left:
            raise Malformed(f"{count} bytes announced at offset {self.at}, {self.left} there")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, size: int) -> int:
        """An unsigned number of `size` bytes, the most significant first (RFC 8446 §3.3)."""
        return int.from_bytes(self.take(size))

    def vector(self, size: int) -> bytes:
        """A field behind its own length of `size` bytes (RFC 8446 §3.4)."""
        return self.take(self.number(size))

    def numbers(self, prefix: int, size: int = 2) -> tuple[int, ...]:
        """A list of numbers of `size` bytes each, behind its length of `prefix` bytes."""
        data = self.vector(prefix)
        if len(data) % size:
            raise Malformed(f"a list of {size}-byte numbers with {len(data)} bytes")
        return tuple(int.from_bytes(data[at:at + size]) for at in range(0, len(data), size))

    def end(self) -> None:
        """Nothing may follow."""
        if self.left:
            raise Malformed(f"{self.left} bytes too many")


class Record(NamedTuple):
    """One record (RFC 8446 §5.1). type: of its content; version: as its header says."""

    type: int
    version: int
    payload: bytes


class Records:
    """Takes a byte stream apart into records, as it comes."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Record]:
        """The records that these bytes complete. Raises Malformed where what comes is no record."""
        buffer = self._buffer
        buffer += data
        at = 0
        try:
            while len(buffer) - at >= 5:
                length = int.from_bytes(buffer[at + 3:at + 5])
                if not CHANGE_CIPHER_SPEC <= buffer[at] <= HEARTBEAT or buffer[at + 1] != 3:
                    raise Malformed(f"no TLS record begins with {buffer[at:at + 3].hex(' ')}")
                if length > MAX_RECORD:
                    raise Malformed(f"a record of {length} bytes, {MAX_RECORD} at most")
                if len(buffer) - at < 5 + length:
                    break
                record = Record(buffer[at], 0x0300 + buffer[at + 2], bytes(buffer[at + 5:at + 5 + length]))
                at += 5 + length
                yield record
        finally:
            del buffer[:at]


class Message(NamedTuple):
    """One handshake message in clear (RFC 8446 §4). version: that of the record in which it began."""

    type: int
    body: bytes
    version: int


class Messages:
    """Puts the fragments of handshake messages together again (RFC 8446 §5.1: a message may span records, and a
    record may hold several)."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._version = 0

    def feed(self, record: Record) -> Iterator[Message]:
        """The messages this record completes. Raises Malformed for messages that are too long."""
        buffer = self._buffer
        if not buffer:
            self._version = record.version
        buffer += record.payload
        while len(buffer) >= 4:
            length = int.from_bytes(buffer[1:4])
            if length > MAX_MESSAGE:
                raise Malformed(f"a handshake message of {length} bytes, {MAX_MESSAGE} at most")
            if len(buffer) < 4 + length:
                return
            message = Message(buffer[0], bytes(buffer[4:4 + length]), self._version)
            del buffer[:4 + length]
            self._version = record.version
            yield message
