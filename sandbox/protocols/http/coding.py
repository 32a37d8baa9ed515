"""Content codings: which one a client wants, and bodies made smaller (RFC 9110 §8.4, §12.5.3)."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, AsyncIterator

import trio

__all__ = ["SMALLEST", "Squeezer", "choose", "squeeze", "squeeze_stream", "varies"]

SMALLEST = 1024
"""A body shorter than this gains nothing (octets)."""
IN_THREAD = 32_768
"""A piece longer than this is compressed beside the event loop (octets)."""
LEVEL = 6
WINDOW = {"gzip": 31, "deflate": 15}
"""zlib's way of naming the format: RFC 1952 or RFC 1950."""
ALSO = {
    "application/json", "application/xml", "application/xhtml+xml", "application/manifest+json",
    "application/rss+xml", "application/atom+xml", "application/yaml", "image/svg+xml",
    "application/x-ns-proxy-autoconfig", "application/wasm", "application/jsonl", "image/bmp", "image/x-icon",
}


def varies(media: str, length: int) -> bool:
    """Whether a body of that type and length (-1: unknown) is compressed for those who accept it.

    Event streams are left readable on the wire: a learner watches them.
    """
    media = media.partition(";")[0]
    return (length < 0 or length >= SMALLEST) and (
        media in ALSO or (media.startswith("text/") and media != "text/event-stream"))


def choose(accepted: list[str]) -> str:
    """The coding to use for these Accept-Encoding members (lower case): "gzip", "deflate" or "" for none."""
    weights: dict[str, float] = {}
    for member in accepted:
        name, _, parameters = member.partition(";")
        name = name.strip()
        weights["gzip" if name == "x-gzip" else name] = weight(parameters)
    best, best_weight = "", weights.get("identity", 0.0)
    for coding in WINDOW:
        wanted = weights.get(coding, weights.get("*", 0.0))
        if wanted > 0 and (wanted > best_weight or (not best and wanted == best_weight)):
            best, best_weight = coding, wanted
    return best


def weight(parameters: str) -> float:
    """The q of "q=0.5", 1 without one; what is not a weight counts as 0 (RFC 9110 §12.4.2)."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            value = value.strip()
            whole, _, part = value.partition(".")
            if whole in ("0", "1") and len(part) <= 3 and (not part or (part.isascii() and part.isdigit())):
                return min(1.0, float(value))
            return 0.0
    return 1.0


class Squeezer:
    """Compresses many bodies; remembers the small ones that are sure to come again."""

    KEPT = 8_388_608
    """Octets of results remembered; full, it starts afresh."""
    SMALL = 262_144

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], bytes] = {}
        self._size = 0

    async def __call__(self, body: bytes, coding: str, again: bool) -> bytes:
        """again: whether the same body is likely to be asked for again."""
        known = self._known.get((coding, body)) if again else None
        if known is not None:
            return known
        if len(body) > IN_THREAD:
            squeezed = await trio.to_thread.run_sync(squeeze, body, coding)
        else:
            squeezed = squeeze(body, coding)
        if again and len(body) <= self.SMALL:
            if self._size > self.KEPT:
                self._known.clear()
                self._size = 0
            self._known[coding, body] = squeezed
            self._size += len(body) + len(squeezed)
        return squeezed


def squeeze(body: bytes, coding: str) -> bytes:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW[coding])
    return packer.compress(body) + packer.flush()


async def squeeze_stream(body: AsyncIterable[bytes], coding: str) -> AsyncIterator[bytes]:
    """Each piece comes out as soon as it went in: the client may be waiting for it."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW[coding])

    def pack(piece: bytes) -> bytes:
        return packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)

    pieces = aiter(body)
    try:
        async for piece in pieces:
            yield await trio.to_thread.run_sync(pack, piece) if len(piece) > IN_THREAD else pack(piece)
        yield packer.flush()
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()
