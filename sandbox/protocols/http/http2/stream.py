"""One stream: a request, and its response on the way out (RFC 9113 §8.1)."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from typing import Protocol

import trio
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError

from sandbox.protocols.contract.conversation import Conversation, OpenStream
from sandbox.protocols.http.delivery import close_body, one_piece, summary
from sandbox.protocols.http.engine import PORTS, HttpEngine, keep_facts
from sandbox.protocols.http.errors import error_response
from sandbox.protocols.http.http2.content import Http2Body
from sandbox.protocols.http.http2.fields import Asked, write_fields, write_trailers
from sandbox.protocols.http.messages import Request, Response
from sandbox.protocols.http.writer import Written, field_lines

__all__ = ["Stalled", "Stream"]


class Stalled(Exception):
    """The client opened no window for so long that it is not going to."""


class Carrier(Protocol):
    """The connection, as its streams need it. h2: whoever makes it say something calls `queue` right after."""

    engine: HttpEngine
    talk: Conversation
    h2: H2Connection

    def queue(self, stream: Stream | None, after: Callable[[], None] | None = None) -> None:
        """Hand what h2 has just said to the writer. after: called once it is written."""

    async def window(self, stream: Stream) -> int:
        """How many octets may be sent in one frame now, at least one. Raises Stalled, ProtocolError."""
        raise NotImplementedError

    def give_window(self, stream: Stream, count: int) -> None:
        """`count` octets of a body have been taken."""

    def reset(self, stream: Stream, code: ErrorCodes) -> None:
        """Tell the client that a stream is over."""

    def done(self, stream: Stream) -> None:
        """Its task ends."""


class Stream:
    """connection: the one it is part of; number: its identifier; asked: its request; exchange: its record."""

    def __init__(self, connection: Carrier, number: int, asked: Asked, exchange: OpenStream) -> None:
        self._connection = connection
        self._asked = asked
        self.number = number
        self.exchange = exchange
        self.scope = trio.CancelScope()
        limits = connection.engine.config.limits
        self.content = Http2Body(limits.body, limits.idle, self._taken,
                                     self._go_on if asked.expect == "100-continue" else None)
        self._status = ""
        self._summary = ""
        self._ended = False

    async def run(self) -> None:
        """From request to response. Never raises."""
        try:
            with self.scope:
                await self._answer()
        except Stalled:
            self._fail(ErrorCodes.CANCEL, "the client stopped taking it", "situation.stream-stalled")
        except ProtocolError:
            self.end("the client was gone before the end", "situation.client-gone")
        finally:
            self.content.drop()
            self._connection.done(self)

    def cancel(self, why: str, key: str) -> None:
        """End it from outside: the stream is closed already."""
        self.content.break_off()
        self.end(why, key)
        self.scope.cancel()

    def end(self, answered: str, key: str) -> None:
        """End its exchange, once all that was queued for it is on its way."""
        if not self._ended:
            self._ended = True
            self._connection.queue(self, lambda: self.exchange.end(self._status, answered, key))

    # -- the request ------------------------------------------------------------------------------------------

    async def _answer(self) -> None:
        connection, asked = self._connection, self._asked
        scheme = "https" if connection.talk.secure else "http"
        talk = connection.talk
        request = Request(
            asked.method, asked.target.path + (f"?{asked.target.query}" if asked.target.query else ""), scheme,
            asked.host, asked.port or (PORTS[scheme] if asked.host else talk.server.port), asked.target.path,
            asked.target.query, asked.headers, self.content, talk.client, talk.server, "2")
        if asked.problem is not None:
            self.exchange.note("problem", asked.problem.detail)
            response, key = error_response(asked.problem, request, page=connection.engine.page), ""
        else:
            length = content_length(asked, self.content)
            response, key = await connection.engine.answer(request, length, asked.expect, asked.selective,
                                                           self.exchange, talk)
        try:
            special = await self._send(response)
        except (ValueError, TypeError) as error:             # nothing has been written yet
            await close_body(response.body)
            response = connection.engine.failed(error, request, self.exchange)
            special = await self._send(response)
        keep_facts(request, self.exchange)
        self.end(self._summary, key or special)

    def _taken(self, window: int) -> None:
        self._connection.give_window(self, window)

    def _go_on(self) -> None:
        """RFC 9110 §10.1.1."""
        self._connection.h2.send_headers(self.number, [(":status", "100")])
        self._connection.queue(self)

    # -- the response -----------------------------------------------------------------------------------------

    async def _send(self, response: Response) -> str:
        """Raises ValueError, TypeError before anything is written. The knowledge entry of what went wrong, or ""."""
        status, body = response.status, response.body
        if not 200 <= status <= 999 or response.tunnel is not None:
            raise ValueError(f"{status} cannot be the status of a final response over HTTP/2")
        written = field_lines(response.headers)
        if isinstance(body, bytes):
            length = len(body) if body or response.length < 0 else response.length
        else:
            length = response.length if response.trailers is None else -1
        if status in (204, 205, 304) or self._asked.method == "HEAD":
            await close_body(body)
            self._head(response, written, -1 if status in (204, 304) else 0 if status == 205 else length, end=True)
            self._summary = summary(response, written, 0 if status in (204, 205, 304) else length)
            self._close()
            return ""
        if isinstance(body, bytes) and response.trailers is None:
            self._head(response, written, len(body), end=not body)
            if body:
                await self._write(body, end=True)
            self._summary = summary(response, written, len(body))
            self._close()
            return ""
        self._head(response, written, length, end=False)
        return await self._pieces(response, written, one_piece(body) if isinstance(body, bytes) else body, length)

    async def _pieces(self, response: Response, written: Written, body: AsyncIterable[bytes], length: int) -> str:
        """A body that comes in pieces. Once it has begun, a site's failure can only be told by a reset."""
        import traceback

        sent = 0
        pieces = aiter(body)
        try:
            async for piece in pieces:
                sent += len(piece)
                if 0 <= length < sent:
                    raise ValueError(f"more than the {length} octets announced")
                await self._write(piece, end=False)
            if sent < length:
                raise ValueError(f"{sent} octets instead of the {length} announced")
            trailers = response.trailers() if response.trailers is not None else None
            if trailers is not None:
                field_lines(trailers)                        # only to check them
                self._connection.h2.send_headers(self.number, write_trailers(trailers), end_stream=True)
            else:
                self._connection.h2.send_data(self.number, b"", end_stream=True)
            self._connection.queue(self)
        except (ProtocolError, Stalled):
            raise
        except Exception as error:
            self.exchange.note("traceback", "".join(traceback.format_exception(error)))
            self._summary = summary(response, written, sent)
            self._connection.reset(self, ErrorCodes.INTERNAL_ERROR)
            return "situation.cut-short"
        finally:
            await close_body(pieces)
        self._summary = summary(response, written, sent)
        self._close()
        return ""

    def _head(self, response: Response, written: Written, length: int, *, end: bool) -> None:
        self._connection.h2.send_headers(self.number, write_fields(response, written, length), end_stream=end)
        self._status = str(response.status)
        self._connection.queue(self)

    async def _write(self, data: bytes, *, end: bool) -> None:
        """DATA frames, as the windows of stream and connection allow. Raises Stalled, ProtocolError."""
        connection, number = self._connection, self.number
        at, whole = 0, len(data)
        while at < whole:
            size = min(await connection.window(self), whole - at)
            connection.h2.send_data(number, data[at:at + size], end_stream=end and at + size == whole)
            connection.queue(self)
            at += size

    def _close(self) -> None:
        """The response is complete. A client that still sends a body nobody wants is told to stop (RFC 9113 §8.1)."""
        if not self.content.done:
            self._connection.reset(self, ErrorCodes.NO_ERROR)

    def _fail(self, code: ErrorCodes, answered: str, key: str) -> None:
        self._connection.reset(self, code)
        self.end(answered, key)


def content_length(asked: Asked, content: Http2Body) -> int:
    """Octets of the body; -1 where only its end will tell."""
    text = asked.headers.get("content-length")
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    return 0 if content.done else -1
