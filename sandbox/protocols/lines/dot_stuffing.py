"""Dots on the way out, the same in POP3 (RFC 1939 §3) and SMTP (RFC 5321 §4.5.2)."""

from __future__ import annotations

__all__ = ["Stuffer"]


class Stuffer:
    """Stuffs a message that comes in pieces: a line that begins with a dot gets a second one.

    A line ends with LF, whether a CR is before it or not: many programs read so, Python's poplib too, and a lone dot
    after a bare LF must not be the end for them. Whoever takes CRLF alone for a line end sees one more dot there, in
    a message that RFC 5322 §2.3 does not allow. A message without CRLF at its very end gets it, so that the final dot
    stands alone.
    """

    def __init__(self) -> None:
        self._tail = b"\r\n"  # the last two octets that went by

    def feed(self, piece: bytes) -> bytes:
        if not piece:
            return b""
        before, self._tail = self._tail[-1:], (self._tail + piece[-2:])[-2:]
        return (before + piece).replace(b"\n.", b"\n..")[1:]

    def end(self) -> bytes:
        return b".\r\n" if self._tail == b"\r\n" else b"\r\n.\r\n"
