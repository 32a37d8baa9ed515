"""Header fields, with white space before the colon (RFC 5322 §4.5) and among lines that are none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = ["Header"]

FIELD = re.compile(rb"([\x21-\x39\x3b-\x7e]+)[ \t]*:((?:[^\n]*\n[ \t])*[^\n]*)(?:\n|\Z)")
LINE = re.compile(rb"[^\n]*(?:\n|\Z)")
FOLD = re.compile(rb"\r?\n(?=[ \t])")
FEW = 20  # fields that are looked for one by one; for more of them the header is gone through once

NAME = re.compile(rb"[\x21-\x39\x3b-\x7e]+")


class Header:
    """A header, whose fields are looked for when somebody asks: of most messages that is for one or two of them.

    octets: as it stands, up to its body.
    """

    __slots__ = ("_lower", "octets")

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self._lower = b"\n" + octets.lower()  # so that every field begins behind a line end, at its offset

    def values(self, name: bytes) -> list[bytes]:
        """Those of a field, in order, unfolded and without white space around them. name: in lower case."""
        return [unfold(self.octets[colon + 1:end]) for _, colon, end in self._find(name)]

    def first(self, name: bytes) -> bytes | None:
        for _, colon, end in self._find(name):
            return unfold(self.octets[colon + 1:end])
        return None

    def all(self) -> list[tuple[bytes, bytes]]:
        """(name in lower case, value) of every field."""
        return [(name.lower(), value) for name, value in self.written()]

    def written(self) -> list[tuple[bytes, bytes]]:
        """The same with names as they stand."""
        return [(name, unfold(line.partition(b":")[2])) for name, line in field_lines(self.octets)]

    def pick(self, names: Iterable[bytes], *, others: bool = False) -> bytes:
        """The fields of these names, or the others, as they stand, and the empty line (RFC 9051 §6.4.5)."""
        wanted = {name.lower() for name in names}
        if others or len(wanted) > FEW:
            lines = [line for name, line in field_lines(self.octets) if (name.lower() in wanted) is not others]
        else:
            lines = [self.octets[start:end] for start, _, end in sorted(
                place for name in wanted for place in self._find(name))]
        return b"".join([line if line.endswith(b"\n") else line + b"\r\n" for line in lines]) + b"\r\n"

    def _find(self, name: bytes) -> Iterator[tuple[int, int, int]]:
        """Where fields of a name begin, have their colon, and end, with their line end."""
        lower, length = self._lower, len(name) + 1
        at = lower.find(b"\n" + name)
        while at >= 0:
            colon = at + length
            while lower.startswith((b" ", b"\t"), colon):  # RFC 5322 §4.5: white space before the colon
                colon += 1
            if lower.startswith(b":", colon) and NAME.fullmatch(name):
                end = lower.find(b"\n", colon)
                while lower.startswith((b" ", b"\t"), end + 1) and end >= 0:
                    end = lower.find(b"\n", end + 1)
                yield at, colon - 1, len(self.octets) if end < 0 else end
                colon = len(lower) if end < 0 else end
            at = lower.find(b"\n" + name, colon)


def field_lines(header: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(name, the whole field as it stands, with its line end). Lines that are no field are left out."""
    at = 0
    while at < len(header):
        match = FIELD.match(header, at)
        if match is None:
            match = LINE.match(header, at)
            assert match is not None
        elif match.end() > at:
            yield match[1], match[0]
        at = max(match.end(), at + 1)


def unfold(value: bytes) -> bytes:
    if b"\n" in value or b"\r" in value:
        value = FOLD.sub(b"", value).strip(b" \t\r\n").replace(b"\r", b"").replace(b"\n", b"")
    return value.strip(b" \t")

