"""Range requests (RFC 9110 §14): which octets, and how one or several parts are sent."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterable, AsyncIterator
from typing import Protocol, runtime_checkable

from sandbox.protocols.http.messages import Response

__all__ = ["Parted", "parse_range", "partial"]

MANY = 32
"""More ranges than a client has a use for: then it gets the whole (RFC 9110 §14.2 warns of such requests)."""

MANY_ELEMENTS = 2 * MANY
"""With the empty elements of the list."""


@runtime_checkable
class Parted(Protocol):
    """A body that can be had in parts without reading all of it."""

    def part(self, start: int, stop: int) -> AsyncIterable[bytes]: ...


def parse_range(value: str, size: int) -> list[tuple[int, int]] | None:
    """The ranges a Range field asks for of `size` octets, as (start, stop).

    None: not a byte range we understand, or one better ignored; []: none of them can be satisfied.
    """
    unit, equals, listed = value.partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return None
    found = []
    if listed.count(",") > MANY_ELEMENTS:
        return None
    specs = [stripped for spec in listed.split(",") if (stripped := spec.strip(" \t"))]   # empty ones: §5.6.1.2
    if not 0 < len(specs) <= MANY:
        return None
    for spec in specs:
        first, dash, last = spec.partition("-")
        if not dash or not (first or last) or not all(
                part == "" or (part.isascii() and part.isdigit()) for part in (first, last)):
            return None
        if first:
            start, stop = whole_number(first), whole_number(last) + 1 if last else size
            if stop <= start and last:
                return None                                  # "5-3" makes the whole set invalid (§14.1.1)
        else:
            length = whole_number(last)
            if length and not size:
                return None                                  # it is satisfied by the whole, which is empty (§14.1.2)
            start, stop = max(0, size - length), size
        if start < min(stop, size):
            found.append((start, min(stop, size)))
    if sum(stop - start for start, stop in found) > size:
        return None                                          # overlapping: they cost more than the whole
    return found


def whole_number(digits: str) -> int:
    """A number of any length; beyond what any representation has, how large does not matter."""
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) <= 18 else 10**18


def partial(response: Response, wanted: list[tuple[int, int]], size: int) -> Response:
    """A 206 made of a 200. wanted: at least one range of it."""
    headers = response.headers.copy()
    body = response.body
    if len(wanted) == 1:
        start, stop = wanted[0]
        headers.set("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        piece = body[start:stop] if isinstance(body, bytes) else part_of(body, start, stop)
        return Response(206, headers, piece, length=stop - start, close=response.close)
    boundary = secrets.token_hex(16)
    media = headers.get("content-type")
    leads = [part_head(boundary, media, start, stop, size) for start, stop in wanted]
    end = f"\r\n--{boundary}--\r\n".encode("ascii")
    headers.set("Content-Type", f"multipart/byteranges; boundary={boundary}")
    length = sum(map(len, leads)) + sum(stop - start for start, stop in wanted) + len(end)
    if isinstance(body, bytes):
        joined = b"".join(lead + body[start:stop] for lead, (start, stop) in zip(leads, wanted, strict=True)) + end
        return Response(206, headers, joined, close=response.close)
    return Response(206, headers, multipart(body, leads, wanted, end), length=length, close=response.close)


def part_of(body: object, start: int, stop: int) -> AsyncIterable[bytes]:
    assert isinstance(body, Parted)
    return body.part(start, stop)


async def multipart(body: object, leads: list[bytes], wanted: list[tuple[int, int]], end: bytes,
                    ) -> AsyncIterator[bytes]:
    for lead, (start, stop) in zip(leads, wanted, strict=True):
        yield lead
        async for piece in part_of(body, start, stop):
            yield piece
    yield end


def part_head(boundary: str, media: str, start: int, stop: int, size: int) -> bytes:
    lines = [f"\r\n--{boundary}"]
    if media:
        lines.append(f"Content-Type: {media}")
    lines.append(f"Content-Range: bytes {start}-{stop - 1}/{size}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
