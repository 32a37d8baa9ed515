"""POP3's grammar: bytes to values and back, without state or I/O (RFC 1939 §3, §9)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sandbox.protocols.lines.command import BadArgument, Reply

__all__ = ["message_number", "multi_line", "number", "render", "top"]

NUMBER = re.compile("[0-9]{1,10}")


def number(text: str) -> int:
    """A count of lines: decimal digits. Raises BadArgument."""
    if not NUMBER.fullmatch(text):
        raise BadArgument("That is not a number")
    return int(text)


def message_number(text: str) -> int:
    """message-number = 1*DIGIT, from 1 (RFC 1939 §5). Raises BadArgument."""
    value = number(text)
    if not value:
        raise BadArgument("Messages are numbered from 1")
    return value


def render(reply: Reply) -> bytes:
    """The status line: +OK or -ERR, a response code in brackets (RFC 2449 §8), text."""
    code = f" [{reply.enhanced}]" if reply.enhanced else ""
    return f"{reply.code}{code} {reply.lines[0]}".rstrip().encode() + b"\r\n"


def multi_line(lines: Iterable[str]) -> bytes:
    """The rest of a multi-line response (RFC 1939 §3), for lines that never begin with a dot."""
    return "".join(f"{line}\r\n" for line in lines).encode() + b".\r\n"


def top(pieces: Iterable[bytes], lines: int) -> Iterator[bytes]:
    """A message's header, the blank line, and the first `lines` lines of its body (RFC 1939 §7, TOP)."""
    in_header = True
    length = 0  # octets of the present line in the pieces before
    for piece in pieces:
        start = 0
        while (end := piece.find(b"\n", start)) >= 0:
            blank = length + end - start <= 1 and piece[start:end] in (b"", b"\r")
            length, start = 0, end + 1
            if not in_header:
                lines -= 1
            elif blank:
                in_header = False
            if not in_header and lines <= 0:
                yield piece[:start]
                return
        length += len(piece) - start
        yield piece
