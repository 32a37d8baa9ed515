"""The text of a message as it arrives: where it ends, its dots, its line ends, its header.

The policy on line ends, which is what keeps mail from being smuggled (CVE-2023-51764 and its kin): a message ends
with CRLF.CRLF and with nothing that only looks like it. A message that has a bare CR or a bare LF anywhere is read
to its true end and then refused with 550 5.6.11, so that no server after this one can take it for two messages. With
BDAT the length says where a message ends; its octets are kept as they are if it was announced as BINARYMIME.

RFC 5321 §4.5.3.1.6 lets a server stop at lines of 1000 octets. Real mail has longer ones; they are kept as they are.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from email.utils import formatdate
from uuid import uuid4

from sandbox.message.headers import Header
from sandbox.protocols.contract.conversation import Conversation, EndOfStream

__all__ = ["DotReader", "HeaderScan", "LineEnds", "chunk", "chunk_size"]

END = b"\r\n.\r\n"
CHUNK = 10**12  # octets of a BDAT that are at all thinkable
PIECE = 65_536
HEADER_LIMIT = 262_144  # octets of header that are looked at; what is beyond is kept, but nobody reads it
MESSAGE_ID = re.compile(rb"<[^<>\s]{1,250}>")
FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")


class LineEnds:
    """Whether every CR and LF of a text stands in a CRLF, under any chunking."""

    def __init__(self) -> None:
        self.clean = True
        self._cr = False

    def feed(self, piece: bytes) -> None:
        if not piece or not self.clean:
            return
        if self._cr:
            piece = b"\r" + piece
        self._cr = piece.endswith(b"\r")
        both = piece.count(b"\r\n")
        self.clean = piece.count(b"\n") == both and piece.count(b"\r") - self._cr == both

    def end(self) -> bool:
        return self.clean and not self._cr


class DotReader:
    """DATA (RFC 5321 §4.5.2): finds CRLF.CRLF, and takes away the dot that a line with a dot in front was given."""

    def __init__(self) -> None:
        self._held = b"\r\n"  # the DATA line's own, before which nothing is: a message may be just the final dot
        self._skip = 2
        self.ended = False

    def feed(self, data: bytes) -> tuple[bytes, int]:
        """The text in `data`, and how many of its octets belong to the message. Sets `ended` at its end."""
        joined = self._held + data
        end = joined.find(END)
        if end >= 0:
            self.ended = True
            text, used = joined[:end + 2], end + len(END) - len(self._held)
        else:
            keep = next(count for count in range(4, -1, -1) if joined.endswith(END[:count]))
            text, self._held, used = joined[:len(joined) - keep], joined[len(joined) - keep:], len(data)
        text = text.replace(b"\r\n.", b"\r\n")
        skip = min(self._skip, len(text))
        self._skip -= skip
        return text[skip:], used


class HeaderScan:
    """Looks at a message's header while it passes, to know which fields it has."""

    def __init__(self) -> None:
        self._seen = bytearray(b"\r\n")
        self._done = False

    @classmethod
    def of(cls, text: bytes) -> HeaderScan:
        """Of a header that is there already."""
        scan = cls()
        scan.feed(text)
        return scan

    def feed(self, piece: bytes) -> None:
        if self._done:
            return
        start = max(0, len(self._seen) - 3)
        self._seen += piece
        end = self._seen.find(b"\r\n\r\n", start)
        if end >= 0 or len(self._seen) > HEADER_LIMIT:
            self._done = True
            del self._seen[end + 2 if end >= 0 else HEADER_LIMIT:]

    @property
    def fields(self) -> list[str]:
        """The names of its fields, in lower case, in order. What does not begin with one has none."""
        octets = bytes(self._seen[2:])
        return ([name.decode("ascii") for name, _ in Header(octets).all()] if FIELD.match(octets) is not None else [])

    @property
    def gap(self) -> bytes:
        """A blank line, for a message that begins with its text: fields put before it would swallow that."""
        return b"" if self.fields or self._seen == b"\r\n" else b"\r\n"

    @property
    def message_id(self) -> str:
        """The first Message-ID's value, "" without one."""
        match = MESSAGE_ID.search(Header(bytes(self._seen[2:])).first(b"message-id") or b"")
        return match[0].decode("ascii", "replace") if match else ""

    def is_ascii(self) -> bool:
        return self._seen.isascii()

    def fixes(self, hostname: str) -> bytes:
        """The fields a submission server adds where they are missing (RFC 6409 §8.2, §8.3), nothing else."""
        fields = self.fields
        added = b""
        if "date" not in fields:
            added += f"Date: {formatdate(localtime=True)}\r\n".encode()
        if "message-id" not in fields:
            added += f"Message-ID: <{uuid4().hex}@{hostname}>\r\n".encode()
        return added


def chunk_size(text: str) -> int | None:
    """How many octets a BDAT announces (RFC 3030 §2); None where nobody can know."""
    return int(text) if text.isascii() and text.isdecimal() and int(text) <= CHUNK else None


async def chunk(conversation: Conversation, size: int) -> AsyncIterator[bytes]:
    """The octets of a chunk, piece by piece. Raises EndOfStream when the client closes before its end."""
    while size:
        piece = await conversation.read_some(min(size, PIECE))
        if not piece:
            raise EndOfStream
        size -= len(piece)
        yield piece
