"""A channel that compresses: the same calls as `sandbox.net.layers.channel.Channel`, with DEFLATE (RFC 1951).

The plain streams of the journal have the dialogue. Where there is no TLS below, the wire streams have what was
compressed: the very bytes that passed. With TLS below they keep the encrypted ones.
"""

from __future__ import annotations

import zlib

from sandbox.journal.recorder import Recorder
from sandbox.journal.records import Stream
from sandbox.net.layers.channel import READ_SIZE, Channel
from sandbox.net.layers.layer import Below, Layer
from sandbox.protocols.contract.conversation import Closed

__all__ = ["DeflateChannel"]

PIECE = 65_536
"""Octets compressed at once; the rest waits until the wire has taken them."""

WINDOW, MEMORY = 12, 5
"""A window of 4 KB: 32 KB a connection instead of 256, and answers of IMAP repeat what is near."""


class DeflateChannel(Layer):
    """Both directions of a channel compressed from here on, without header or checksum (RFC 4978 §3).

    What comes out of one call is bounded, whatever a few octets swell to; the rest stays compressed until it is asked
    for.
    """

    __slots__ = ("_ended", "_more", "_packed", "_packer", "_recorder", "_said_all", "_unpacker", "_wire")

    def __init__(self, inner: Below, recorder: Recorder) -> None:
        super().__init__(inner)
        self._recorder = recorder if isinstance(inner, Channel) else None
        self._packer = zlib.compressobj(level=6, method=zlib.DEFLATED, wbits=-WINDOW, memLevel=MEMORY)
        self._unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        self._packed = b""
        """Received and recorded, and not decompressed yet."""
        self._more = False
        """Whether there may be more to decompress, which the socket does not tell of."""
        self._ended = False
        self._said_all = False
        self._wire = b""
        """Compressed, recorded, and not taken by the channel below yet."""

    @property
    def behind(self) -> bool:
        """Whether bytes it has taken still wait for the kernel."""
        return bool(self._wire) or self._inner.behind

    @property
    def at_end(self) -> bool:
        """Whether more can be received without the socket telling so: a rest, or the end of stream."""
        return self._more or self._ended or self._inner.at_end

    def receive_now(self, limit: int = READ_SIZE) -> bytes | None:
        """Up to READ_SIZE octets, b"" for end of stream, None for nothing yet. Raises Closed. limit: for the channel
        below; what comes out here is bounded anyway."""
        while not self._ended:
            resumed = self._more
            if not resumed:
                found = self._inner.receive_now(limit)
                if not found:
                    self._ended = found is not None
                    return found
                if self._recorder is not None:
                    self._recorder.chunk(Stream.CLIENT_WIRE, found)
                self._packed = found
            data = self._unpack()
            if data:
                return data
            # Blocks that hold nothing, however many come, are no reason to stay here.
            if not (resumed or self._unpacker.eof or self._inner.at_end):
                return None
        return b""

    def _unpack(self) -> bytes:
        """The next piece of what was received. Raises Closed."""
        try:
            data = self._unpacker.decompress(self._packed, READ_SIZE)
        except zlib.error as error:
            raise Closed(f"the compressed stream is damaged: {error}") from error
        self._packed = self._unpacker.unconsumed_tail
        self._more = len(data) == READ_SIZE
        self._ended = self._unpacker.eof
        return data

    def send_now(self, data: bytes | memoryview) -> int:
        """Compress and send as much as the channel below takes: how many octets of `data` that was. Raises Closed."""
        self._push()
        if self.behind or not data:
            return 0
        piece = data[:PIECE]
        # Flushed each time (RFC 4978 §4): the client waits for just this answer.
        self._wire = self._packer.compress(piece) + self._packer.flush(zlib.Z_SYNC_FLUSH)
        if self._recorder is not None:
            self._recorder.chunk(Stream.SERVER_WIRE, self._wire)
        self._push()
        return len(piece)

    def _push(self) -> None:
        """Pass on what is compressed, as far as the channel below takes it. Raises Closed."""
        while self.behind:
            sent = self._inner.send_now(self._wire)
            self._wire = self._wire[sent:]
            if not sent:
                return

    def end_writing(self) -> None:
        """Half-close, with the stream's own end before it as far as that goes now. Raises Closed."""
        if not self._said_all:
            self._said_all = True
            last = self._packer.flush(zlib.Z_FINISH)
            if self._recorder is not None:
                self._recorder.chunk(Stream.SERVER_WIRE, last)
            self._wire += last
        self._push()
        self._inner.end_writing()
