"""WebSockets (RFC 6455) with permessage-deflate (RFC 7692): from the upgrade to the last Close, frames by `wsproto`.

A site answers a request with `upgrade(request, serve)`; once the 101 is sent, `serve` runs with a `WebSocket`.

Theory of operation. The task that serves reads; one more writes, and nobody else; a third sends a PING now and then,
so that a client that is gone is noticed. Each message is an exchange of its own: those of the two sides come
whenever they like, so they may overlap.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import trio
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage
from wsproto.extensions import PerMessageDeflate
from wsproto.utilities import LocalProtocolError

from sandbox.protocols.contract.conversation import Conversation, ConversationError, OpenStream, TimedOut
from sandbox.protocols.http.messages import Headers, HttpError, Request, Response
from sandbox.protocols.http.outgoing import Outgoing

__all__ = ["MAX_MESSAGE", "Received", "WebSocket", "frame_size", "upgrade"]

MAX_MESSAGE = 1_048_576
"""Octets of one message, unpacked."""

PIECE = 4_096
"""Octets given to wsproto at once: packed ones can become a thousand times as many, so it is asked often."""

PING_SECONDS = 20.0
"""Between two PINGs; a client that has not answered the last one by then is gone."""

QUEUED = 65_536
"""Octets that wait for the writer before `reply` waits too."""

BEHIND = 1_048_576
"""Octets that wait for the writer before a client counts as too slow, and no more is read from it."""

FAREWELL = 1.0
"""Seconds a client has to answer our Close."""

PREVIEW = 60
"""Characters of a message in its exchange."""

ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455 §1.3: proves that the server knows what a WebSocket is."""

NORMAL, GOING_AWAY, PROTOCOL_ERROR, TOO_BIG, TRY_LATER, NO_ANSWER = 1000, 1001, 1002, 1009, 1013, 1011


def upgrade(request: Request, serve: Callable[[WebSocket], Awaitable[None]]) -> Response:
    """The answer to an opening handshake (RFC 6455 §4.2). Raises HttpError(400), HttpError(426), HttpError(405)."""
    headers = request.headers
    if request.method != "GET":
        raise HttpError(405, "A WebSocket begins with GET (RFC 6455 §4.1).", [("Allow", "GET")])
    if "websocket" not in headers.tokens("upgrade") or "upgrade" not in headers.tokens("connection"):
        raise HttpError(426, "Here is a WebSocket: ask with Upgrade: websocket and Connection: Upgrade, over "
                        "HTTP/1.1 (RFC 6455 §4.1). A browser's script writes new WebSocket(...).",
                        [("Upgrade", "websocket"), ("Connection", "Upgrade")])
    if headers.get("sec-websocket-version") != "13":
        raise HttpError(426, "The version of WebSockets is 13: send Sec-WebSocket-Version: 13 (RFC 6455 §4.4).",
                        [("Sec-WebSocket-Version", "13"), ("Upgrade", "websocket")])
    key = headers.get("sec-websocket-key").strip()
    try:
        good = len(base64.b64decode(key, validate=True)) == 16
    except binascii.Error:
        good = False
    if not good:
        raise HttpError(400, "Sec-WebSocket-Key is 16 random octets in base64 (RFC 6455 §4.1).")
    accept = base64.b64encode(hashlib.sha1(key.encode("ascii") + ACCEPT).digest()).decode()
    fields = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept)]
    extension, parameters = negotiate(headers.get_all("sec-websocket-extensions"))
    if extension is not None:
        fields.append(("Sec-WebSocket-Extensions", parameters))

    async def tunnel(conversation: Conversation) -> None:
        await WebSocket(conversation, extension).run(serve)

    return Response(101, Headers(fields), tunnel=tunnel)


def negotiate(offers: list[str]) -> tuple[PerMessageDeflate | None, str]:
    """The first permessage-deflate offer that can be met (RFC 7692 §5.1), and what to say to it."""
    for offer in ",".join(offers).split(","):
        if offer.partition(";")[0].strip().lower() != PerMessageDeflate.name:
            continue
        extension = PerMessageDeflate()
        try:
            accepted = extension.accept(offer.strip())
        except ValueError:
            continue
        if isinstance(accepted, str):
            return extension, f"{PerMessageDeflate.name}; {accepted}".removesuffix("; ")
    return None, ""


def frame_size(buffer: bytes | bytearray) -> int:
    """Octets of the frame that a buffer begins with (RFC 6455 §5.2), header and all; 0 while nobody knows."""
    if len(buffer) < 2:
        return 0
    short = buffer[1] & 0x7F
    more = {126: 2, 127: 8}.get(short, 0)
    if len(buffer) < 2 + more:
        return 0
    length = int.from_bytes(buffer[2:2 + more]) if more else short
    return 2 + more + (4 if buffer[1] & 0x80 else 0) + length


class Received(NamedTuple):
    """A message. exchange: to be ended by whoever handles it."""

    data: str | bytes
    exchange: OpenStream


class WebSocket:
    """One WebSocket, for the server's side."""

    def __init__(self, talk: Conversation, extension: PerMessageDeflate | None = None) -> None:
        self._talk = talk
        self._frames = Connection(ConnectionType.SERVER, [extension] if extension is not None else [])
        self._out = Outgoing(talk)
        self._parts: list[str | bytes] = []
        self._size = 0
        self._exchange: OpenStream | None = None
        """Of the message under way."""
        self._ping: OpenStream | None = None
        """Our own PING, until it is answered."""
        self._closing: OpenStream | None = None
        self._close_code = NORMAL, ""
        """Of our own Close, and what it said."""
        self._scope = trio.CancelScope()
        self.closed = False

    async def run(self, serve: Callable[[WebSocket], Awaitable[None]]) -> None:
        """Serve until either side closes. Raises ConversationError when the client is gone."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._out.write)
                nursery.start_soon(self._keep_alive)
                with self._scope:
                    await serve(self)
                self.close(NORMAL)
                await self._last_words()
                nursery.cancel_scope.cancel()
        except* ConversationError:
            self.closed = True                               # gone, or the sandbox stops: one last word
            self._close_frame(GOING_AWAY, "the sandbox stops")
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + FAREWELL / 5), \
                    contextlib.suppress(ConversationError):
                self._out.write_now()
                await self._talk.flush()

    # -- for sites --------------------------------------------------------------------------------------------

    async def receive(self) -> Received | None:
        """The next message; None when the client has closed. Raises ConversationError."""
        while not self.closed:
            if (message := await self._next()) is not None:
                return message
        return None

    async def reply(self, received: Received, data: str | bytes) -> None:
        """Send a message as the answer to one. Waits while the client takes its time."""
        self._queue(self._message(data), received.exchange)
        while self._out.backlog > QUEUED and not self.closed:
            await self._out.changed.park()

    def end(self, received: Received, answered: str) -> None:
        """What came of a message. Its exchange ends once all that was sent for it is on its way."""
        self._queue(b"", received.exchange, lambda: received.exchange.end("done", answered))

    def tell(self, data: str | bytes) -> bool:
        """Send a message nobody asked for, without waiting. False when the client is too far behind."""
        if self.closed or self._out.backlog > BEHIND:
            return False
        exchange = self._talk.begin_stream("TEXT" if isinstance(data, str) else "BINARY")
        self._queue(self._message(data), exchange, lambda: exchange.end("sent", preview(data)))
        return True

    def close(self, code: int, reason: str = "") -> None:
        """Say the last word (RFC 6455 §5.5.1). Does no harm twice."""
        if not self.closed:
            self.closed = True
            self._close_frame(code, reason)
            self._scope.cancel()

    # -- reading ----------------------------------------------------------------------------------------------

    async def _next(self) -> Received | None:
        """Handle one frame. A message, where it was a message's last."""
        talk = self._talk
        size = frame_size(talk.buffer)
        if size > MAX_MESSAGE + 14:
            self._too_big()
            return None
        if not size or len(talk.buffer) < size:
            while self._out.backlog > BEHIND:
                await self._out.changed.park()
            if not await talk.fill():
                self.closed = True
            return None
        frame = talk.take(size)
        if frame[0] & 0x0F < 8:                              # a piece of a message
            if self._exchange is None:
                self._exchange = talk.begin_stream("TEXT" if frame[0] & 0x0F == 1 else "BINARY")
            self._exchange.received(size)
        message = None
        for at in range(0, size, PIECE):
            self._frames.receive_data(frame[at:at + PIECE])
            for event in self._frames.events():
                message = self._handle(event, size) or message
                if self.closed:
                    return None
        await trio.lowlevel.checkpoint()
        return message

    def _handle(self, event: Event, size: int) -> Received | None:
        talk = self._talk
        match event:
            case TextMessage() | BytesMessage():
                return self._part(event)
            case Ping():
                exchange = talk.begin_stream("PING", preview(bytes(event.payload)))
                exchange.received(size)
                self._queue(self._frames.send(event.response()), exchange, lambda: exchange.end("PONG"))
            case Pong():
                if self._ping is not None:
                    self._ping.received(size)
                    self._ping.end("PONG")
                    self._ping = None
            case CloseConnection():
                self._closed_by_client(event, size)
        return None

    def _part(self, event: TextMessage | BytesMessage) -> Received | None:
        """A piece of a message; all of it, where it was the last."""
        data = event.data if isinstance(event.data, str) else bytes(event.data)
        self._size += len(data)
        if self._size > MAX_MESSAGE:
            self._too_big()
            return None
        self._parts.append(data)
        if not event.message_finished:
            return None
        exchange, self._exchange = self._exchange, None
        assert exchange is not None
        parts, self._parts, self._size = self._parts, [], 0
        whole: str | bytes = "".join(map(str, parts)) if isinstance(data, str) else b"".join(
            part for part in parts if isinstance(part, bytes))
        exchange.asked = preview(whole)
        return Received(whole, exchange)

    def _too_big(self) -> None:
        self.close(TOO_BIG, f"a message has at most {MAX_MESSAGE} octets")

    def _closed_by_client(self, event: CloseConnection, size: int) -> None:
        """Its Close is answered with the same code; what it did wrong, with what was wrong."""
        if self._frames.state is not ConnectionState.REMOTE_CLOSING:
            self.close(int(event.code), event.reason or "")  # it did not keep the rules
            return
        self.closed = True
        code = int(event.code)
        exchange = self._talk.begin_stream("CLOSE", f"{code} {event.reason or ''}".strip())
        exchange.received(size)
        self._queue(self._frames.send(event.response()), exchange,
                    lambda: exchange.end(str(code), "closed by the client", f"close.{code}"))

    # -- writing ----------------------------------------------------------------------------------------------

    def _message(self, data: str | bytes) -> bytes:
        return self._frames.send(TextMessage(data) if isinstance(data, str) else BytesMessage(data))

    def _queue(self, data: bytes, exchange: OpenStream | None, after: Callable[[], None] | None = None) -> None:
        self._out.say(bytes(data), exchange, after)

    async def _keep_alive(self) -> None:
        """RFC 6455 §5.5.2: a PING asks whether the other side is still there. Who still has to take what was said
        before cannot answer yet; how long that may last is for the idle limit."""
        number = 0
        late = False
        while True:
            await trio.sleep(PING_SECONDS)
            if self.closed:
                return
            if self._out.backlog:
                late = True
                continue
            if self._ping is not None:
                if late:
                    late = False
                    continue
                self._ping.end("failed", "not answered")
                self.close(NO_ANSWER, "no answer to a PING")
                return
            late = False
            number += 1
            self._ping = self._talk.begin_stream("PING", "from the sandbox")
            self._queue(self._frames.send(Ping(str(number).encode())), self._ping)

    # -- ending -----------------------------------------------------------------------------------------------

    def _close_frame(self, code: int, reason: str) -> None:
        with contextlib.suppress(LocalProtocolError):        # a Close has been sent already
            data = self._frames.send(CloseConnection(code, reason or None))
            self._closing = exchange = self._talk.begin_stream("CLOSE", "from the sandbox")
            self._queue(data, exchange)
            self._close_code = code, reason

    async def _last_words(self) -> None:
        """Where the Close was ours, wait a little for the client's own."""
        exchange, talk = self._closing, self._talk
        if exchange is None:
            return
        with trio.move_on_after(FAREWELL), contextlib.suppress(TimedOut):
            while self._frames.state is not ConnectionState.CLOSED:
                size = frame_size(talk.buffer)
                if not 0 < size <= min(len(talk.buffer), 131):
                    if size > 131:                           # a message on its way: nobody reads it any more
                        talk.take(min(size, len(talk.buffer)))
                        break
                    if not await talk.fill():
                        break
                    continue
                self._frames.receive_data(talk.take(size))
                exchange.received(size)
                for _ in self._frames.events():
                    pass
        talk.take(len(talk.buffer))
        code, reason = self._close_code
        exchange.end(str(code), reason, f"close.{code}")


def preview(data: str | bytes) -> str:
    """The start of a message as text; whoever shows it escapes it."""
    return (data if isinstance(data, str) else bytes(data).decode("latin-1"))[:PREVIEW]
