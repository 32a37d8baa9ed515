"""A DNS message under construction (RFC 1035 §4.1): sections in order, names compressed, never over its size."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable

from dns.name import Name
from dns.rdataset import Rdataset

__all__ = ["ADDITIONAL", "ANSWER", "AUTHORITY", "HEADER", "MessageWriter", "opt_record"]

HEADER = struct.Struct("!HHHHHH")
ANSWER, AUTHORITY, ADDITIONAL = 1, 2, 3
OPT = 41


class MessageWriter:
    """Collects a message. size: the most octets it may have; number, flags: the header's first two fields."""

    def __init__(self, number: int, flags: int, size: int) -> None:
        self.flags = flags
        self.size = size
        self._number = number
        self._counts = [0, 0, 0, 0]
        self._compress: dict[Name, int] = {}
        self._output = io.BytesIO()
        self._output.write(bytes(HEADER.size))

    def question(self, name: Name, rdtype: int, rdclass: int) -> None:
        """The question, spelled as it was asked."""
        name.to_wire(self._output, self._compress)
        self._output.write(struct.pack("!HH", rdtype, rdclass))
        self._counts[0] += 1

    def add(self, section: int, name: Name, records: Rdataset) -> bool:
        """Add a record set; False, and nothing added, where it does not fit."""
        start = self._output.tell()
        count = records.to_wire(name, self._output, self._compress, want_shuffle=False)
        if self._output.tell() > self.size:
            self._output.seek(start)
            self._output.truncate()
            self._compress = {known: at for known, at in self._compress.items() if at < start}
            return False
        self._counts[section] += count
        return True

    def add_last(self, record: bytes) -> None:
        """Add a finished record to the additional section, for which room was left (OPT, TSIG)."""
        self._output.write(record)
        self._counts[ADDITIONAL] += 1

    def finish(self) -> bytes:
        """The message."""
        self._output.seek(0)
        self._output.write(HEADER.pack(self._number, self.flags, *self._counts))
        return self._output.getvalue()


def opt_record(payload: int, ttl: int, options: Iterable[tuple[int, bytes]]) -> bytes:
    """An OPT record (RFC 6891 §6.1.2). ttl: extended RCODE, version and flags as §6.1.3 packs them."""
    data = b"".join(struct.pack("!HH", code, len(value)) + value for code, value in options)
    return struct.pack("!xHHIH", OPT, payload, ttl, len(data)) + data
