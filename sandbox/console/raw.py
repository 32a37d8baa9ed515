"""The bytes of one session, readable: what the client sent after ">", what the server sent after "<".

Text stands as text, escaped; from the first line that is none, the rest of that turn is a hex dump. Works chunk by
chunk, so a long session takes no memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from sandbox.console.escape import escape
from sandbox.journal.records import Chunk, Session, Stream

__all__ = ["transcript"]

MARKS = {Stream.CLIENT: ">", Stream.SERVER: "<"}
LONGEST_LINE = 4096
"""Octets of a text line; a longer one is broken."""
ROW = 16
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Turn:
    """What one side sends until the other one does."""

    def __init__(self, mark: str, offset: int) -> None:
        self._mark = mark
        self._offset = offset
        self._rest = b""
        self._binary = False

    def feed(self, data: bytes) -> Iterator[str]:
        self._rest += data
        while not self._binary:
            end = self._rest.find(b"\n", 0, LONGEST_LINE) + 1
            if not end:
                if len(self._rest) < LONGEST_LINE:
                    return
                end = LONGEST_LINE
                while end > LONGEST_LINE - 4 and self._rest[end:end + 1] and self._rest[end] & 0xC0 == 0x80:
                    end -= 1  # not inside a UTF-8 sequence
            text = readable(self._rest[:end])
            if text is None:
                self._binary = True
            else:
                self._drop(end)
                yield f"{self._mark} {text}".rstrip(" ")
        yield from self._rows(len(self._rest) - len(self._rest) % ROW)

    def end(self) -> Iterator[str]:
        if not self._binary and self._rest and (text := readable(self._rest)) is not None:
            yield f"{self._mark} {text}"
        else:
            yield from self._rows(len(self._rest))

    def _rows(self, upto: int) -> Iterator[str]:
        for start in range(0, upto, ROW):
            row = self._rest[start:min(start + ROW, upto)]
            plain = "".join(chr(octet) if 0x20 <= octet < 0x7F else "." for octet in row)
            yield f"{self._mark} {self._offset + start:08x}  {row.hex(' '):<{3 * ROW}} |{plain}|"
        self._drop(upto)

    def _drop(self, count: int) -> None:
        self._offset += count
        self._rest = self._rest[count:]


def transcript(session: Session, chunks: Iterable[Chunk], marks: Mapping[Stream, str] = MARKS) -> Iterator[str]:
    """The lines of a session's transcript, without line ends; every datagram is a turn of its own. marks: what stands
    before the lines of a stream; those without are left out."""
    turn: Turn | None = None
    stream = -1
    for chunk in chunks:
        mark = marks.get(Stream(chunk.stream))
        if mark is None:
            continue
        if turn is not None and (chunk.stream != stream or session.transport == "udp"):
            yield from turn.end()
            turn = None
        if turn is None:
            turn = Turn(mark, chunk.offset)
            stream = chunk.stream
        yield from turn.feed(chunk.data)
        if missing := chunk.length - len(chunk.data):
            yield from turn.end()
            yield f"{mark} ({missing:,} octets were not kept)"
            turn = None
        elif session.transport == "udp" and not chunk.length:
            yield f"{mark} (an empty datagram)"
    if turn is not None:
        yield from turn.end()


def readable(line: bytes) -> str | None:
    """A line as escaped text without its line end, or None when it is not text."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return None
    text = text.removesuffix("\n").removesuffix("\r")
    return None if CONTROL.search(text) else "\t".join(map(escape, text.split("\t")))
