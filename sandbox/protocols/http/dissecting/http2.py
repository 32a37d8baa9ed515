"""HTTP/2 frames in their parts (RFC 9113 §4.1, §6), with their fields unpacked.

Fields are packed against a table that grows from the first frame of the connection, so what the same side said
before the exchange is read first, and its parts thrown away. Where that is too much, fields stay packed.
"""

from __future__ import annotations

from collections.abc import Callable

from sandbox.protocols.contract.spans import About, Cutter
from sandbox.protocols.http.dissecting.content import content_of
from sandbox.protocols.http.dissecting.hpack import Fields, Table
from sandbox.protocols.http.http2.frames import HEADER, PREFACE, Kind

__all__ = ["LOOKED_BACK", "frames", "speaks"]

LOOKED_BACK = 1_048_576
"""Octets before an exchange that are read for its table."""
STREAMS = 1_000
"""Streams whose content type is remembered."""
LONGEST_BLOCK = 131_072
"""Octets of a field block in several frames that are unpacked."""

SETTINGS = {1: "HEADER_TABLE_SIZE", 2: "ENABLE_PUSH", 3: "MAX_CONCURRENT_STREAMS", 4: "INITIAL_WINDOW_SIZE",
            5: "MAX_FRAME_SIZE", 6: "MAX_HEADER_LIST_SIZE", 8: "ENABLE_CONNECT_PROTOCOL", 9: "NO_RFC7540_PRIORITIES"}
ERRORS = ("NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
          "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
          "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED")
FLAGS = {Kind.DATA: {1: "END_STREAM", 8: "PADDED"},
         Kind.HEADERS: {1: "END_STREAM", 4: "END_HEADERS", 8: "PADDED", 32: "PRIORITY"},
         Kind.SETTINGS: {1: "ACK"}, Kind.PING: {1: "ACK"}, Kind.CONTINUATION: {4: "END_HEADERS"},
         Kind.PUSH_PROMISE: {4: "END_HEADERS", 8: "PADDED"}}
KINDS = {kind.value: kind for kind in Kind}
END_HEADERS, PADDED, PRIORITY = 4, 8, 32


def speaks(octets: bytes, about: About) -> bool:
    """Whether a connection is HTTP/2: a client begins with the preface (§3.4), a server with SETTINGS."""
    begins = (about.before(len(PREFACE)) if about.start else b"") + octets[:len(PREFACE)]
    if about.client:
        return begins.startswith(PREFACE)
    return len(begins) >= HEADER and begins[3] == Kind.SETTINGS and not any(begins[4:9]) and not begins[0]


def frames(cutter: Cutter, about: About) -> None:
    """The frames of an exchange, and those of others that lie between."""
    known = about.start <= LOOKED_BACK
    reading = Reading(known=known)
    if about.start and known:
        reading.read(Cutter(about.before(about.start), budget=[LOOKED_BACK]))  # the table must know all of it
    reading.read(cutter)


class Reading:
    """One direction of a connection: its table, and what is remembered of its streams."""

    def __init__(self, *, known: bool) -> None:
        self.table = Table(known=known)
        self.fields: dict[int, dict[bytes, bytes]] = {}
        self.block = bytearray()

    def read(self, cutter: Cutter) -> None:
        if cutter.octets.startswith(PREFACE, cutter.position):
            cutter.take(len(PREFACE), "preface", "part.preface")
        while cutter.left >= HEADER:
            self.frame(cutter)
        cutter.to(cutter.end, "piece of a frame", "part.frame-header")

    def frame(self, cutter: Cutter) -> None:
        front = cutter.peek(HEADER)
        size, number, flags = int.from_bytes(front[:3], "big"), front[3], front[4]
        stream = int.from_bytes(front[5:], "big") & 0x7FFFFFFF
        kind = KINDS.get(number)
        word = kind.name if kind is not None else "unknown"
        set_ = " ".join(name for bit, name in FLAGS.get(kind, {}).items() if flags & bit) if kind is not None else ""
        where = f"stream {stream}" if stream else "the connection"
        with cutter.within(cutter.position + HEADER + size, f"{word} frame", f"frame.{word}",
                           f"{where} {set_}".strip()) as inner:
            with inner.within(inner.position + HEADER, "frame header", "part.frame-header") as head:
                head.take(3, "length", "part.frame-length", f"{size} octets")
                head.take(1, "type", f"frame.{word}", word)
                head.take(1, "flags", "part.frame-flags", set_ or "none")
                head.take(4, "stream", "part.stream-id", str(stream))
            if kind is not None and kind in READERS:
                READERS[kind](self, inner, flags, stream)
            inner.to(inner.end, "payload", "part.opaque")

    # -- what the kinds hold ----------------------------------------------------------------------------------

    def data(self, inner: Cutter, flags: int, stream: int) -> None:
        last = self.padding(inner, flags)
        fields = self.fields.get(stream, {})
        content_of(inner, last, fields.get(b"content-type", b"").decode("latin-1"),
                   fields.get(b"content-encoding", b"").decode("latin-1"))
        inner.to(inner.end, "padding", "part.frame-padding")

    def headers(self, inner: Cutter, flags: int, stream: int) -> None:
        last = self.padding(inner, flags)
        if flags & PRIORITY:
            self.priority(inner, flags, stream)
        self.fragment(inner, last, flags, stream)
        inner.to(inner.end, "padding", "part.frame-padding")

    def push(self, inner: Cutter, flags: int, stream: int) -> None:
        last = self.padding(inner, flags)
        inner.take(4, "promised stream", "part.stream-id", str(int.from_bytes(inner.peek(4), "big") & 0x7FFFFFFF))
        self.fragment(inner, last, flags, stream)
        inner.to(inner.end, "padding", "part.frame-padding")

    def continuation(self, inner: Cutter, flags: int, stream: int) -> None:
        self.fragment(inner, inner.end, flags, stream)

    def padding(self, inner: Cutter, flags: int) -> int:
        """Where the padding begins."""
        if not flags & PADDED or not inner.left:
            return inner.end
        size = inner.peek(1)[0]
        inner.take(1, "padding length", "part.frame-padding", str(size))
        return max(inner.position, inner.end - size)

    def fragment(self, inner: Cutter, last: int, flags: int, stream: int) -> None:
        """A field block, or a piece of one (§4.3)."""
        if flags & END_HEADERS and not self.block:
            with inner.within(last, "fields", "part.field-block") as block:
                self.remember(stream, self.table.read(block))
            return
        self.block += inner.octets[inner.position:last]
        text = "goes on in the next frame"
        if len(self.block) > LONGEST_BLOCK:
            self.table.broken = True
        elif flags & END_HEADERS:
            found = self.table.read(Cutter(bytes(self.block)))
            self.remember(stream, found)
            text = "; ".join(f"{name.decode('latin-1')}: {value.decode('latin-1')}" for name, value in found)[:1000]
        if flags & END_HEADERS:
            self.block.clear()
        inner.to(last, "piece of the fields", "part.field-block", text)

    def remember(self, stream: int, fields: Fields) -> None:
        if len(self.fields) < STREAMS:
            self.fields.setdefault(stream, {}).update(
                {name: value for name, value in fields if name in (b"content-type", b"content-encoding")})

    def priority(self, inner: Cutter, flags: int, stream: int) -> None:
        inner.take(4, "depends on", "part.dependency", f"stream {int.from_bytes(inner.peek(4), 'big') & 0x7FFFFFFF}")
        inner.take(1, "weight", "part.weight", str((inner.peek(1) or b"\0")[0] + 1))

    def reset(self, inner: Cutter, flags: int, stream: int) -> None:
        error(inner)

    def settings(self, inner: Cutter, flags: int, stream: int) -> None:
        while inner.left >= 6:
            number, value = int.from_bytes(inner.peek(2), "big"), int.from_bytes(inner.peek(6)[2:], "big")
            name = SETTINGS.get(number, "unknown")
            with inner.within(inner.position + 6, "setting", f"setting.{name}", f"{name} = {value}") as one:
                one.take(2, "setting name", f"setting.{name}", name)
                one.take(4, "setting value", "part.setting-value", str(value))

    def ping(self, inner: Cutter, flags: int, stream: int) -> None:
        inner.take(8, "opaque octets", "part.opaque")

    def goaway(self, inner: Cutter, flags: int, stream: int) -> None:
        inner.take(4, "last stream", "part.last-stream", str(int.from_bytes(inner.peek(4), "big") & 0x7FFFFFFF))
        error(inner)
        inner.to(inner.end, "debug data", "part.debug-data")

    def window(self, inner: Cutter, flags: int, stream: int) -> None:
        inner.take(4, "increment", "part.increment", f"{int.from_bytes(inner.peek(4), 'big') & 0x7FFFFFFF} octets")


def error(inner: Cutter) -> None:
    """RFC 9113 §7."""
    number = int.from_bytes(inner.peek(4), "big")
    name = ERRORS[number] if number < len(ERRORS) else str(number)
    inner.take(4, "error code", f"outcome.{name}", name)


READERS: dict[Kind, Callable[[Reading, Cutter, int, int], None]] = {
    Kind.DATA: Reading.data, Kind.HEADERS: Reading.headers, Kind.PRIORITY: Reading.priority,
    Kind.RST_STREAM: Reading.reset, Kind.SETTINGS: Reading.settings, Kind.PUSH_PROMISE: Reading.push,
    Kind.PING: Reading.ping, Kind.GOAWAY: Reading.goaway, Kind.WINDOW_UPDATE: Reading.window,
    Kind.CONTINUATION: Reading.continuation,
}
