"""Zone transfer: a whole zone as a stream of messages (AXFR, RFC 5936; IXFR answered with it, RFC 1995 §4)."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.protocols.dns.grammar import AA, ECHOED, LARGEST_MESSAGE, QR, RA, Query
from sandbox.protocols.dns.writer import ANSWER, MessageWriter, opt_record
from sandbox.world.names.zones import Record, Zone

__all__ = ["is_newer", "transfer"]

MESSAGE_SIZE = 16_384
"""Octets of one message: compression pointers reach no further (RFC 1035 §4.1.4)."""


def transfer(query: Query, zone: Zone, recursive: bool = True) -> tuple[int, Iterator[bytes]]:
    """How many records a transfer has, and its messages. The zone is as it is now, whatever changes meanwhile.
    recursive: as in `Draft`."""
    records = list(zone.records())
    soa = records[0]
    records.append(soa)     # first and last: that is how a client knows the end (RFC 5936 §2.2)
    return sum(len(record.records) for record in records), _messages(query, records, RA if recursive else 0)


def is_newer(serial: int, than: int) -> bool:
    """Whether one SOA serial is newer than another (RFC 1982 §3.2)."""
    return 0 < (serial - than) % 2 ** 32 < 2 ** 31


def _messages(query: Query, records: list[Record], available: int) -> Iterator[bytes]:
    # RFC 5936 §2.2.5: an OPT record in each message when the query had one.
    last = opt_record(LARGEST_MESSAGE, 0, ()) if query.edns else b""
    flags = QR | AA | available | query.header.flags & ECHOED

    def start(size: int) -> MessageWriter:
        writer = MessageWriter(query.header.id, flags, size - len(last))
        if query.name is not None:
            writer.question(query.name, query.rdtype, query.rdclass)
        return writer

    def finish(writer: MessageWriter) -> bytes:
        if last:
            writer.add_last(last)
        return writer.finish()

    writer = start(MESSAGE_SIZE)
    for record in records:
        if not writer.add(ANSWER, *record):
            yield finish(writer)
            writer = start(MESSAGE_SIZE)
            if not writer.add(ANSWER, *record):
                # A set that is larger than a usual message has one of its own.
                writer = start(LARGEST_MESSAGE)
                writer.add(ANSWER, *record)
    yield finish(writer)
