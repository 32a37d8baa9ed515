"""One response on its way to the client: how it is framed, sent and summed up (RFC 9112 §6, §7, §9)."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator

import trio

from sandbox.protocols.contract.conversation import Conversation, ConversationError, OpenExchange, TimedOut
from sandbox.protocols.http.messages import Response, Tunnel
from sandbox.protocols.http.status import PHRASES, reason
from sandbox.protocols.http.writer import Written, chunk, field_lines, last_chunk, response_head

__all__ = ["Delivery", "close_body", "linger", "one_piece", "summary"]

WHOLE = 65_536
"""A body up to this size is queued together with its head; of a longer one the client's reading is awaited."""
LINGER = 2.0
"""How long a connection that ends early goes on reading (seconds), so that no reset destroys the last answer."""
LINGER_OCTETS = 67_108_864
"""What it reads in that time at most: many programs send a whole upload before they look for an answer."""


class Delivery:
    """Sends a response. method, version: of the request; keep: whether the connection may go on after it.

    After `send`: keep, what became of it; summary and key, for the exchange; tunnel, who takes over.
    """

    __slots__ = ("_exchange", "_method", "_talk", "_version", "keep", "key", "summary", "tunnel")

    def __init__(self, talk: Conversation, exchange: OpenExchange, method: str, version: str, keep: bool) -> None:
        self._talk = talk
        self._exchange = exchange
        self._method = method
        self._version = version
        self.keep = keep
        self.key = ""
        self.summary = ""
        self.tunnel: Tunnel | None = None

    async def send(self, response: Response) -> None:
        """Raises ValueError or TypeError, before anything is written, for what cannot be sent; ConversationError."""
        status, body = response.status, response.body
        if response.tunnel is not None and (status == 101 or (self._method == "CONNECT" and status // 100 == 2)):
            self._open_tunnel(response)
            return
        if not 200 <= status <= 999:
            raise ValueError(f"{status} cannot be the status of a final response")
        written = field_lines(response.headers)
        if written.closing:
            self.keep = False
        if status in (204, 304):                             # never a body (RFC 9112 §6.3)
            await close_body(body)
            self._queue(response, written, b"", b"", 0)
        elif status == 205:
            await close_body(body)
            self._queue(response, written, b"Content-Length: 0\r\n", b"", 0)
        elif self._method == "HEAD":
            await close_body(body)
            length = len(body) if isinstance(body, bytes) and (body or response.length < 0) else response.length
            self._queue(response, written, b"Content-Length: %d\r\n" % length if length >= 0 else b"", b"", length)
        elif isinstance(body, bytes) and response.trailers is None:
            length = len(body)
            if length <= WHOLE:
                self._queue(response, written, b"Content-Length: %d\r\n" % length, body, length)
            else:
                self._queue(response, written, b"Content-Length: %d\r\n" % length, b"", length)
                await self._talk.send(body)
        else:
            await self._stream(response, written)

    def _queue(self, response: Response, written: Written, framing: bytes, body: bytes, length: int) -> None:
        head = response_head(response.status, response.reason, written, framing + self._connection())
        self._talk.write(head)
        self._talk.write(body)
        self.summary = summary(response, written, length)

    def _connection(self) -> bytes:
        """RFC 9112 §9.3, §9.6."""
        if not self.keep:
            return b"Connection: close\r\n"
        return b"Connection: keep-alive\r\n" if self._version == "1.0" else b""

    def _open_tunnel(self, response: Response) -> None:
        """No Content-Length or Transfer-Encoding here (RFC 9110 §9.3.6), and what follows is not HTTP's."""
        written = field_lines(response.headers, upgrade=True)
        self._talk.write(response_head(response.status, response.reason or "Connection established"
                                       if self._method == "CONNECT" else response.reason, written, b""))
        self.summary = response.reason or reason(response.status)
        self.tunnel = response.tunnel
        self.keep = False

    async def _stream(self, response: Response, written: Written) -> None:
        """A body that comes in pieces."""
        length = response.length if response.trailers is None else -1
        chunked = length < 0 and self._version != "1.0"
        if chunked:
            framing = b"Transfer-Encoding: chunked\r\n"
        elif length >= 0:
            framing = b"Content-Length: %d\r\n" % length
        else:
            framing = b""
            self.keep = False                                # its end is the connection's end
        lead = response_head(response.status, response.reason, written, framing + self._connection())
        pieces = one_piece(response.body) if isinstance(response.body, bytes) else aiter(response.body)
        talk = self._talk
        sent = 0
        try:
            if length < 0:                                   # live: the client may wait for the head alone
                talk.write(lead)
                lead = b""
                await talk.flush()
            async for piece in pieces:
                sent += len(piece)
                if 0 <= length < sent:
                    raise ValueError(f"more than the {length} octets announced")
                await talk.send(lead + (chunk(piece) if chunked else piece))
                lead = b""
                if length < 0:
                    await talk.flush()
            if sent < length:
                raise ValueError(f"{sent} octets instead of the {length} announced")
            end = last_chunk(response.trailers() if response.trailers else None) if chunked else b""
            if lead or end:
                await talk.send(lead + end)
        except ConversationError:
            raise
        except Exception as error:
            self._cut_short(error, lead, hidden=not chunked and length < 0)
        finally:
            await close_body(pieces)
        self.summary = summary(response, written, sent)

    def _cut_short(self, error: Exception, lead: bytes, hidden: bool) -> None:
        """The site failed in the middle. The missing end tells the client; where it would not show, a reset does."""
        import traceback

        self._exchange.note("traceback", "".join(traceback.format_exception(error)))
        self._talk.write(lead)
        self.key = "situation.cut-short"
        self.keep = False
        if hidden:
            self._talk.reset()


async def one_piece(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body


async def close_body(body: object) -> None:
    """An async generator nobody will ask again is closed now, not when it is collected."""
    close = getattr(body, "aclose", None)
    if close is not None:
        await close()


async def linger(talk: Conversation) -> None:
    """Say that this side is done, and read on for a while (RFC 9112 §9.6)."""
    await talk.end_writing()
    talk.due = trio.current_time() + LINGER
    seen = 0
    try:
        while seen < LINGER_OCTETS and await talk.fill():
            seen += len(talk.take(len(talk.buffer)))
    except TimedOut:
        return
    finally:
        talk.due = math.inf


def summary(response: Response, written: Written, length: int) -> str:
    """As a person would say it: OK, text/html, 1.2 kB."""
    phrase = response.reason or PHRASES.get(response.status) or reason(response.status)
    if length < 0:
        return f"{phrase}, {written.media}" if written.media else phrase
    if length < 1000:
        size = f"{length} B"
    elif length < 1_000_000:
        size = f"{length / 1000:.1f} kB"
    else:
        size = f"{length / 1_000_000:.1f} MB"
    return f"{phrase}, {written.media}, {size}" if written.media else phrase
