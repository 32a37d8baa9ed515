"""The chunked transfer coding, read strictly (RFC 9112 §7.1). Pure: octets in, content and trailers out.

h11 could read it too, but takes a bare LF in the trailer section and a bare CR in a chunk extension, and buffers
ahead of the body; this takes from the client only what belongs to the body, so that the next request stays where
it is. A test holds that h11 agrees with every body accepted here.
"""

from __future__ import annotations

import re

from sandbox.protocols.http.errors import Refused
from sandbox.protocols.http.messages import Headers
from sandbox.protocols.http.scanner import check_field, short

__all__ = ["ChunkReader"]

SIZE_LINE = 1024
"""A chunk size with its extensions and line end (octets)."""
SIZE_DIGITS = 15
"""Hexadecimal digits of a chunk size: an exabyte, and far from what overflows anywhere."""
TRAILERS = 16_384
"""All trailer fields together (octets)."""
OVERHEAD = 1_048_576
"""Chunk extensions of one body, all together (octets): they are read to be thrown away."""

WORD = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*+"'
EXTENSION = rb"[ \t]*+%b(?:[ \t]*+=[ \t]*+(?:%b|%b))?" % (WORD, WORD, QUOTED)
EXTENSIONS = re.compile(rb"%b(?:[ \t]*+;%b)*+" % (EXTENSION, EXTENSION))
"""What follows the first semicolon: chunk-ext-name [ "=" chunk-ext-val ], and more of them (RFC 9112 §7.1.1)."""


class ChunkReader:
    """Takes a chunked body from the front of a buffer.

    Call `step` with the buffer; it says how many octets are framing and how many after them are content. Whoever
    owns the buffer consumes both. (0, 0) means that more has to arrive, unless `done`.
    """

    __slots__ = ("_crlf", "_left", "_overhead", "_trailer_octets", "done", "trailers")

    def __init__(self) -> None:
        self.done = False
        self.trailers = Headers()
        self._left = 0
        self._crlf = False
        self._overhead = 0
        self._trailer_octets = -1                            # -1: not in the trailer section yet

    def step(self, buffer: bytearray, most: int) -> tuple[int, int]:
        """(framing, content) octets at the front of the buffer; content at most `most`. Raises Refused(400)."""
        if self.done or not buffer:
            return 0, 0
        if self._left:
            count = min(self._left, len(buffer), most)
            self._left -= count
            self._crlf = not self._left
            return 0, count
        if self._crlf:
            return self._chunk_end(buffer), 0
        line = take_line(buffer, SIZE_LINE if self._trailer_octets < 0 else TRAILERS)
        if line is None:
            return 0, 0
        if self._trailer_octets >= 0:
            self._trailer(line)
        else:
            self._left = chunk_size(line)
            self._overhead += len(line) if b";" in line else 0
            if self._overhead > OVERHEAD:
                raise Refused(400, "More chunk extensions than anybody needs (RFC 9112 §7.1.1).", "situation.chunk")
            if not self._left:
                self._trailer_octets = 0
        return len(line) + 2, 0

    def _chunk_end(self, buffer: bytearray) -> int:
        if buffer[:2] == b"\r\n":
            self._crlf = False
            return 2
        if buffer == b"\r":
            return 0
        raise Refused(400, "A chunk is longer than the size before it said, or does not end in CR LF "
                      "(RFC 9112 §7.1).", "situation.chunk")

    def _trailer(self, line: bytes) -> None:
        if not line:
            self.done = True
            return
        self._trailer_octets += len(line) + 2
        if self._trailer_octets > TRAILERS:
            raise Refused(431, f"The trailer section is longer than {TRAILERS} octets (RFC 6585 §5).",
                          "situation.head-too-large")
        check_field(line, first=not len(self.trailers), trailer=True)
        name, _, value = line.partition(b":")
        self.trailers.add(name.decode("ascii"), value.strip(b" \t").decode("latin-1"))


def take_line(buffer: bytearray, limit: int) -> bytes | None:
    """The first line without its CR LF; None while it is incomplete. Raises Refused(400)."""
    end = buffer.find(b"\n", 0, limit)
    if end < 0:
        if len(buffer) >= limit:
            raise Refused(400, f"A line of the chunked body's framing is longer than {limit} octets "
                          "(RFC 9112 §7.1).", "situation.chunk")
        return None
    line = bytes(buffer[:end])
    if not line.endswith(b"\r") or b"\r" in line[:-1]:
        raise Refused(400, f"In a chunked body, the line {short(line)} does not end in CR LF: a bare LF or CR there "
                      "is how requests are smuggled (RFC 9112 §2.2, §7.1).", "situation.smuggling")
    return line[:-1]


def chunk_size(line: bytes) -> int:
    """1*HEXDIG, and extensions that mean nothing to us (RFC 9112 §7.1, §7.1.1). Raises Refused(400).

    White space around the semicolon and the equals sign is "bad" (BWS), and has to be read all the same.
    """
    digits, semicolon, extension = line.partition(b";")
    if semicolon:
        digits = digits.rstrip(b" \t")
    if not digits or digits.strip(b"0123456789abcdefABCDEF") or len(digits) > SIZE_DIGITS:
        raise Refused(400, f"A chunk begins with its size in hexadecimal, at most {SIZE_DIGITS} digits; "
                      f"{short(line)} is none (RFC 9112 §7.1).", "situation.chunk")
    if semicolon and EXTENSIONS.fullmatch(extension) is None:
        raise Refused(400, "A chunk extension has to be a name, or name=value, where the value is a word or in "
                      "quotes (RFC 9112 §7.1.1).", "situation.chunk")
    return int(digits, 16)
