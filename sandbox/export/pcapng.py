"""A journal as a capture that Wireshark opens (pcapng): packets made from what passed, the secrets of just these TLS
connections before them, and the sentence of each exchange as the comment of its first packet.

The TCP is reconstructed, and the file says so; for real packets there is `sandbox shell --capture`. Packets come in
the order of time, from as many sessions at once as were open at once; memory is bounded by those.
"""

from __future__ import annotations

import heapq
import ipaddress
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Protocol

from sandbox.export.packets import Packet, TcpFlow, datagram
from sandbox.journal.reader import Reader
from sandbox.journal.records import Chunk, Exchange, Session, Stream

__all__ = ["secrets", "write"]

SECTION, INTERFACE, PACKET, NAMES, SECRETS = 0x0A0D0D0A, 1, 6, 4, 10
RAW = 101
"""LINKTYPE_RAW: from the IP header on."""
SNAP = 262_144
COMMENT, HARDWARE, APPLICATION, RESOLUTION = 1, 2, 4, 9
TLS_KEY_LOG = 0x544C534B
SAID = ("Made from the journal of a sandbox: the octets and times are real, how TCP cut and acknowledged them is "
        "reconstructed. For real packets use `sandbox shell --capture`.")
HELLO = slice(11, 43)
"""Where the random of a ClientHello is in the first record (RFC 8446 §4.1.2)."""


class Told(Protocol):
    """Says of an exchange what it means."""

    def __call__(self, session: Session, exchange: Exchange) -> str: ...


def write(file: IO[bytes], reader: Reader, sessions: Iterable[Session], keylog: Path | None, tell: Told) -> int:
    """Write sessions, which come in the order they were opened. keylog: the secrets of the sandbox's TLS connections.
    Gives the number of packets."""
    chosen = sorted(sessions, key=lambda session: (session.opened, session.id))
    file.write(block(SECTION, struct.pack("=IHHq", 0x1A2B3C4D, 1, 0, -1)
                     + option(COMMENT, SAID.encode()) + option(APPLICATION, b"sandbox") + END))
    file.write(block(INTERFACE, struct.pack("=HHI", RAW, 0, SNAP) + option(RESOLUTION, b"\x06") + END))
    randoms = {found for session in chosen if (found := client_random(reader, session))}
    if keylog is not None and randoms:
        lines = secrets(keylog, randoms)
        if lines:
            file.write(block(SECRETS, struct.pack("=II", TLS_KEY_LOG, len(lines)) + padded(lines)))
    file.write(block(NAMES, names({session.server.host: "sandbox.test" for session in chosen})))
    count = 0
    for packet in merged(reader, chosen, tell):
        file.write(packet_block(packet))
        count += 1
    return count


def merged(reader: Reader, sessions: list[Session], tell: Told) -> Iterator[Packet]:
    """The packets of all, by time. A session is begun when its first packet is due."""
    heap: list[tuple[float, int, Packet, Iterator[Packet]]] = []
    for session in sessions:
        while heap and heap[0][0] <= session.opened:
            yield from turn(heap)
        packets = of_session(reader, session, tell)
        if (first := next(packets, None)) is not None:
            heapq.heappush(heap, (first.time, session.id, first, packets))
    while heap:
        yield from turn(heap)


def turn(heap: list[tuple[float, int, Packet, Iterator[Packet]]]) -> Iterator[Packet]:
    """The earliest packet, and the next of its session in its place."""
    time, number, packet, packets = heap[0]
    yield packet
    following = next(packets, None)
    if following is None:
        heapq.heappop(heap)
    else:
        heapq.heapreplace(heap, (max(time, following.time), number, following._replace(
            time=max(time, following.time)), packets))


def of_session(reader: Reader, session: Session, tell: Told) -> Iterator[Packet]:
    exchanges = reader.exchanges_of(session.id)
    comments = {exchange.id: tell(session, exchange) for exchange in exchanges}
    if session.transport == "udp":
        yield from datagrams(reader, session, exchanges, comments)
        return
    flow = TcpFlow(session.client, session.server, session.id)
    yield from flow.opened(session.opened)
    waiting = sorted(exchanges, key=lambda exchange: exchange.started)
    for chunk in on_the_wire(reader.chunks(session.id), exchanges):
        side = chunk.stream % 2
        comment = ""
        if waiting and chunk.time >= waiting[0].started - 0.001:
            comment = comments[waiting.pop(0).id]
        if chunk.data:
            yield from flow.carried(chunk.time, side, chunk.data, comment)
        if chunk.length > len(chunk.data):
            flow.skipped(side, chunk.length - len(chunk.data))
    if session.closed:
        first = 0 if session.end.startswith("client") else 1
        yield from flow.closed(session.closed, first, reset=session.end.endswith("reset"))


def datagrams(reader: Reader, session: Session, exchanges: list[Exchange],
              comments: Mapping[int, str]) -> Iterator[Packet]:
    asked = {exchange.client[0]: comments[exchange.id] for exchange in exchanges}
    for chunk in reader.chunks(session.id):
        if chunk.stream == Stream.CLIENT:
            yield datagram(chunk.time, session.client, session.server, chunk.data, asked.get(chunk.offset, ""))
        else:
            yield datagram(chunk.time, session.server, session.client, chunk.data)


def on_the_wire(chunks: Iterable[Chunk], exchanges: list[Exchange]) -> Iterator[Chunk]:
    """What an eavesdropper saw: the clear octets up to where encryption, or compression alone, began, then those of
    the wire."""
    clear: tuple[int, int] | None
    begun = next((exchange for exchange in exchanges if exchange.verb == "TLS"), None)
    if begun is not None:
        clear = (begun.client[0], begun.server[0])
    else:
        begun = next((exchange for exchange in exchanges
                      if exchange.verb == "COMPRESS" and exchange.outcome == "OK"), None)
        clear = (begun.client[1], begun.server[1]) if begun is not None else None
    for chunk in chunks:
        if chunk.stream >= Stream.CLIENT_WIRE or clear is None:
            yield chunk
        elif chunk.offset < clear[chunk.stream]:
            kept = clear[chunk.stream] - chunk.offset
            yield chunk if chunk.length <= kept else Chunk(chunk.time, chunk.stream, chunk.offset, kept,
                                                           chunk.data[:kept])


def client_random(reader: Reader, session: Session) -> str:
    """The random of the session's ClientHello in hexadecimal, by which its secrets are found; "" without TLS."""
    if session.transport != "tcp":
        return ""
    hello = reader.octets(session.id, Stream.CLIENT_WIRE, 0, HELLO.stop)
    return hello[HELLO].hex() if len(hello) == HELLO.stop and hello[0] == 22 and hello[5] == 1 else ""


def secrets(keylog: Path, randoms: set[str]) -> bytes:
    """The lines of a key log that are for these connections and no others."""
    found = []
    try:
        with keylog.open("rb") as lines:
            for line in lines:
                words = line.split()
                if len(words) == 3 and words[1].decode("latin-1").lower() in randoms:
                    found.append(line.rstrip() + b"\n")
    except OSError:
        return b""
    return b"".join(found)


# -- blocks (draft-ietf-opsawg-pcapng) ------------------------------------------------------------------------

END = struct.pack("=HH", 0, 0)


def block(kind: int, body: bytes) -> bytes:
    length = 12 + len(body)
    return struct.pack("=II", kind, length) + body + struct.pack("=I", length)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def option(code: int, value: bytes) -> bytes:
    return struct.pack("=HH", code, len(value)) + padded(value)


def packet_block(packet: Packet) -> bytes:
    high, low = divmod(int(packet.time * 1_000_000), 2**32)
    size = len(packet.octets)
    comment = option(COMMENT, packet.comment.encode()[:60_000]) + END if packet.comment else b""
    return block(PACKET, struct.pack("=5I", 0, high, low, size, size) + padded(packet.octets) + comment)


def names(some: Mapping[str, str]) -> bytes:
    """Names for addresses."""
    records = b""
    for host, name in some.items():
        kind = 2 if ":" in host else 1
        address = address_octets(host)
        if address:
            value = address + name.encode() + b"\0"
            records += struct.pack("=HH", kind, len(value)) + padded(value)
    return records + END


def address_octets(host: str) -> bytes:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).packed
    except ValueError:
        return b""
