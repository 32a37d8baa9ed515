"""Finds the parts of a message: where each one's header and body begin and end."""

from __future__ import annotations

import re

from sandbox.message.headers import Header
from sandbox.message.parameters import media, parameter, token
from sandbox.message.transfer import IDENTITY

__all__ = ["LONGEST_HEADER", "Part", "body_start", "scan"]

DEEPEST = 30
"""Parts inside each other that are looked into. Each level may cost one more pass over the message."""

MOST = 2000
"""Parts of one message that are told apart; the rest stays inside the last one."""

LONGEST_HEADER = 1_048_576
"""Octets of one header whose fields are read."""

BLANK = re.compile(rb"\n\r?\n")


class Part:
    """A message or a part of one. start, body, end: offsets of its header, its body, and what follows it.

    lines: line ends in the body; children: the parts of a multipart, or the one message inside.
    """

    __slots__ = ("body", "children", "end", "header", "lines", "start", "subtype", "type")

    def __init__(self, data: bytes, start: int, end: int, default: tuple[bytes, bytes]) -> None:
        self.start = start
        self.end = end
        self.body = body_start(data, start, end)
        self.header = Header(data[start:min(self.body, start + LONGEST_HEADER)])
        self.type, self.subtype = media(self.first(b"content-type"), default)
        self.children: list[Part] = []
        self.lines = 0

    def first(self, name: bytes) -> bytes | None:
        """A field's first value."""
        return self.header.first(name)

    def parameter(self, name: bytes) -> bytes | None:
        """One of Content-Type's, decoded (RFC 2231)."""
        found = parameter(self.first(b"content-type"), name)
        return None if found is None else found.octets

    @property
    def encoding(self) -> bytes:
        return token(self.first(b"content-transfer-encoding") or b"").lower() or b"7bit"

    @property
    def multipart(self) -> bool:
        return self.type == b"multipart"

    @property
    def message(self) -> bool:
        """Whether it is a whole message."""
        return self.type == b"message" and bool(self.children)

    def find(self, numbers: tuple[int, ...]) -> Part | None:
        """The part that IMAP calls by these numbers (RFC 9051 §6.4.5), None where there is none."""
        part = self
        for depth, number in enumerate(numbers):
            inside = part.message and depth > 0
            if inside:
                part = part.children[0]
            if part.multipart:
                if number > len(part.children):
                    return None
                part = part.children[number - 1]
            elif number != 1 or (depth and not inside):
                return None
        return part

    def walk(self) -> list[Part]:
        """Itself and all parts inside."""
        found, waiting = [], [self]
        while waiting:
            part = waiting.pop()
            found.append(part)
            waiting += reversed(part.children)
        return found


def scan(data: bytes) -> Part:
    """The structure of a whole message."""
    budget = [MOST]
    return build(data, 0, len(data), (b"text", b"plain"), 0, budget)


def build(data: bytes, start: int, end: int, default: tuple[bytes, bytes], depth: int, budget: list[int]) -> Part:
    part = Part(data, start, end, default)
    budget[0] -= 1
    if depth >= DEEPEST or budget[0] <= 0:
        if part.multipart:
            part.type, part.subtype = b"application", b"octet-stream"
    elif part.multipart:
        inner = (b"message", b"rfc822") if part.subtype == b"digest" else (b"text", b"plain")  # RFC 2046 §5.1.5
        boundary = (part.parameter(b"boundary") or b"").rstrip()  # RFC 2046 §5.1.1: it ends with no white space
        for child_start, child_end in pieces(data, part.body, end, boundary, budget) if boundary else ():
            part.children.append(build(data, child_start, child_end, inner, depth + 1, budget))
        if not part.children:  # it has no parts after all: what is there can still be read
            part.type, part.subtype = b"text", b"plain"
    elif part.type == b"message" and part.subtype in (b"rfc822", b"global") and part.encoding in IDENTITY:
        part.children.append(build(data, part.body, end, (b"text", b"plain"), depth + 1, budget))
    if not part.multipart:
        part.lines = data.count(b"\n", part.body, end)
    return part


def body_start(data: bytes, start: int, end: int) -> int:
    """Behind the first empty line; the end where there is none."""
    if data.startswith((b"\r\n", b"\n"), start):
        return min(end, start + (2 if data[start:start + 1] == b"\r" else 1))
    found = BLANK.search(data, start, end)
    return end if found is None else found.end()


def pieces(data: bytes, start: int, end: int, boundary: bytes, budget: list[int]) -> list[tuple[int, int]]:
    """Where the parts between a multipart's delimiter lines are (RFC 2046 §5.1.1).

    The line end before a delimiter belongs to it. A last part without a closing delimiter ends with the whole.
    """
    delimiter = b"--" + boundary
    found: list[tuple[int, int]] = []
    opened = -1
    at = start
    while (place := data.find(delimiter, at, end)) >= 0:
        at = place + len(delimiter)
        if place > start and data[place - 1:place] != b"\n":
            continue
        line_end = data.find(b"\n", at, end)
        after = data[at:min(line_end if line_end >= 0 else end, at + 1000)]
        closing = after.startswith(b"--")
        if after[2 if closing else 0:].strip(b" \t\r"):
            continue  # another boundary, which begins with this one
        if opened >= 0:
            found.append((opened, max(opened, before_line_end(data, place))))
            opened = -1
        if closing:
            break
        if len(found) >= budget[0]:
            return [*found[:-1], (found[-1][0], end)] if found else []
        opened = line_end + 1 if line_end >= 0 else end
        at = opened
    if opened >= 0:
        found.append((opened, end))
    return found


def before_line_end(data: bytes, place: int) -> int:
    if data[place - 2:place] == b"\r\n":
        return place - 2
    return place - 1 if data[place - 1:place] == b"\n" else place
