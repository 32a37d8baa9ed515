"""Header fields, and the parameters some of them have, tolerant of whatever is in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = ["Fields", "field_lines", "fields", "parameters", "pick_fields", "token"]

FIELD = re.compile(rb"([\x21-\x39\x3b-\x7e]+)[ \t]*:((?:[^\n]*\n[ \t])*[^\n]*)(?:\n|\Z)")
LINE = re.compile(rb"[^\n]*(?:\n|\Z)")
FOLD = re.compile(rb"\r?\n(?=[ \t])")
COMMENT = re.compile(rb"\([^()\\]*\)")
PARAMETER = re.compile(rb';\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s;]*))', re.DOTALL)
TOKEN = re.compile(rb"[^\s;/]+")
ESCAPE = re.compile(rb"\\(.)", re.DOTALL)

MOST_PARAMETERS = 100

Fields = dict[bytes, list[bytes]]
"""Values by name in lower case, unfolded and without white space around them."""


def field_lines(header: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(name in lower case, the whole field as it stands, with its line end). Lines that are no field are left out."""
    at = 0
    while at < len(header):
        match = FIELD.match(header, at)
        if match is None:
            match = LINE.match(header, at)
            assert match is not None
        elif match.end() > at:
            yield match[1].lower(), match[0]
        at = max(match.end(), at + 1)


def fields(header: bytes) -> Fields:
    found: Fields = {}
    for name, line in field_lines(header):
        value = line.partition(b":")[2]
        found.setdefault(name, []).append(FOLD.sub(b"", value).strip(b" \t\r\n").replace(b"\r", b"").replace(
            b"\n", b""))
    return found


def pick_fields(header: bytes, names: Iterable[bytes], *, others: bool = False) -> bytes:
    """The fields of these names, or the others, as they stand, and the empty line (RFC 9051 §6.4.5)."""
    wanted = {name.lower() for name in names}
    chosen = [line if line.endswith(b"\n") else line + b"\r\n"
              for name, line in field_lines(header) if (name in wanted) is not others]
    return b"".join(chosen) + b"\r\n"


def token(value: bytes) -> bytes:
    """The first word of a structured value, comments left out."""
    match = TOKEN.search(COMMENT.sub(b" ", value))
    return match[0] if match else b""


def parameters(value: bytes) -> list[tuple[bytes, bytes]]:
    """The parameters after the first semicolon, in order, names in lower case, quotes undone."""
    found = []
    for match in PARAMETER.finditer(value):
        quoted, bare = match[2], match[3]
        found.append((match[1].lower(), ESCAPE.sub(rb"\1", quoted) if quoted is not None else bare))
        if len(found) == MOST_PARAMETERS:
            break
    return found
