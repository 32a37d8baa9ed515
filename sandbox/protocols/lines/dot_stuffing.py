"""Dots on the way out, the same in POP3 (RFC 1939 §3) and SMTP (RFC 5321 §4.5.2)."""

from __future__ import annotations

__all__ = ["Stuffer"]


class Stuffer:
    """Stuffs a message that comes in pieces: a line that begins with a dot gets a second one.

    Only CRLF ends a line. A message without one at its very end gets it, so that the final dot stands alone.
    """

    def __init__(self) -> None:
        self._tail = b"\r\n"  # the last two octets that went by

    def feed(self, piece: bytes) -> bytes:
        if not piece:
            return b""
        joined = self._tail + piece
        before, self._tail = len(self._tail), joined[-2:]
        return joined.replace(b"\r\n.", b"\r\n..")[before:]

    def end(self) -> bytes:
        return b".\r\n" if self._tail == b"\r\n" else b"\r\n.\r\n"
