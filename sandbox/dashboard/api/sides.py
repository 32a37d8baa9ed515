"""What one side said, with its parts: of an exchange, of a TLS handshake on the wire, of the packet it began with."""

from __future__ import annotations

import base64

import msgspec

from sandbox.dashboard.spans import Part, about, parts
from sandbox.journal.reader import Reader
from sandbox.journal.records import Exchange, Session, Stream
from sandbox.protocols.contract.spans import About

__all__ = ["Side", "side", "syn_side", "wire_side"]

SHOWN = 262_144
"""Octets of one side that an answer carries."""

WIRES = {Stream.CLIENT: Stream.CLIENT_WIRE, Stream.SERVER: Stream.SERVER_WIRE}


class Side(msgspec.Struct):
    """What one side sent. start, end: offsets in its stream; octets: in base64; missing: how many are not in it."""

    stream: str
    start: int
    end: int
    octets: str
    missing: int
    spans: list[Part]


def made(stream: str, start: int, end: int, data: bytes, protocol: str, known: About) -> Side:
    return Side(stream, start, end, base64.b64encode(data).decode(), end - start - len(data),
                parts(protocol, data, known))


def side(reader: Reader, session: Session, exchange: Exchange, stream: Stream) -> Side:
    """Of an exchange. A TLS handshake is not in the plain streams: what crossed the wire until it was over is."""
    start, end = exchange.client if stream is Stream.CLIENT else exchange.server
    if exchange.verb == "TLS" and start == end:
        return wire_side(reader, session, WIRES[stream], until=exchange.ended)
    data = reader.octets(exchange.session, stream, start, min(end, start + SHOWN))
    return made(stream.name.lower(), start, end, data, session.protocol, about(reader, session, exchange, stream))


def wire_side(reader: Reader, session: Session, stream: Stream, *, until: float) -> Side:
    """The beginning of a wire stream, up to a time (seconds since the epoch)."""
    pieces, size = [], 0
    for chunk in reader.chunks(session.id):
        if chunk.stream == stream:
            if chunk.time > until or size >= SHOWN:
                break
            pieces.append(chunk.data)
            size += chunk.length
    data = b"".join(pieces)[:SHOWN]
    client = stream is Stream.CLIENT_WIRE
    return made(stream.name.lower().replace("_", "-"), 0, size, data, "tls", About(client, "TLS"))


def syn_side(session: Session) -> Side:
    """The packet that the client began the connection with; empty where the system did not keep it."""
    found = session.facts.get("open", {}).get("syn", b"")
    data = found if isinstance(found, bytes) else b""
    return made("syn", 0, len(data), data, "tcp", About(client=True, verb="SYN"))
