"""HTTP/2 over one connection (RFC 9113), with HPACK (RFC 7541): frames in and out by the `h2` library.

Theory of operation. One task reads frames and hands each to h2; every stream is a task of its own; one more writes
what h2 has to say, in the order it was said. Nobody else writes. A stream that has a body to send waits for the
client's windows, and for the writer when much is queued, so that many streams share the connection evenly. The
reader waits too when the client makes more answers than it takes, or more streams than there may be.

Each stream is an exchange from its first frame to its last; the start of the connection (PREFACE) and its end
(GOAWAY) are exchanges as well.

Left out: server push, which browsers have given up (RFC 9113 §8.4), CONNECT (§8.5), and priorities (RFC 9218), which
a server may ignore.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any

import trio
from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError, StreamClosedError
from h2.settings import SettingCodes, Settings

from sandbox.protocols.contract.conversation import Conversation, ConversationError, OpenExchange, TimedOut
from sandbox.protocols.contract.fairness import Checkpoints
from sandbox.protocols.http.engine import HttpEngine
from sandbox.protocols.http.http2.fields import Unpacker, read_fields, read_trailers
from sandbox.protocols.http.http2.frames import MAX_FRAME, Cutter, Frame, Kind, TokenBucket, read_goaway
from sandbox.protocols.http.http2.stream import Stalled, Stream
from sandbox.protocols.http.outgoing import Outgoing

__all__ = ["Http2Connection", "converse"]

MAX_STREAMS = 100
"""Streams at once: what RFC 9113 §6.5.2 recommends not to go below."""

MAX_TASKS = 2 * MAX_STREAMS
"""Streams that still work, with those the client has reset: before the next frame is read some have to end."""

STREAM_WINDOW = 262_144
CONNECTION_WINDOW = 1_048_576
"""Octets of bodies that may wait to be read, of one stream and of all together."""

QUEUED = 65_536
"""Octets that wait for the writer before streams wait for it."""

FLOODED = 262_144
"""Octets that wait for the writer before no more frames are read (CVE-2019-9512, -9515)."""

BURST = 32
"""Frames before other connections get their turn."""

FAREWELL = 0.2
"""Seconds for the last words of a connection that is being ended."""


async def converse(engine: HttpEngine, talk: Conversation) -> None:
    """One connection, from the client's preface to the last GOAWAY."""
    await Http2Connection(engine, talk).run()


class Http2Connection:
    """One connection. h2: the state of the protocol; whoever makes it say something calls `queue` right after."""

    def __init__(self, engine: HttpEngine, talk: Conversation) -> None:
        self.engine = engine
        self.talk = talk
        self.h2 = H2Connection(H2Configuration(
            client_side=False, header_encoding=None,
            validate_outbound_headers=False, normalize_outbound_headers=False))  # `fields` has done that
        limits = engine.config.limits
        self.h2.local_settings = Settings(client=False, initial_values={
            SettingCodes.MAX_CONCURRENT_STREAMS: MAX_STREAMS, SettingCodes.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
            SettingCodes.MAX_FRAME_SIZE: MAX_FRAME, SettingCodes.MAX_HEADER_LIST_SIZE: limits.head})
        self.h2.decoder = Unpacker()
        # A list a little longer than we like gets a 431; one that is far longer ends the connection (§10.5.1).
        self.h2.decoder.max_header_list_size = 2 * limits.head
        self._cutter = Cutter()
        self._tokens = TokenBucket(trio.current_time())
        self._streams: dict[int, Stream] = {}
        self._out = Outgoing(talk, self._set_due)
        self._changed = self._out.changed
        """Who waits for a window, for the writer, or for a stream to end."""
        self._opening: OpenExchange | None = None
        self._reading = trio.CancelScope()
        self._listening = False
        self._deaf = False
        """Whether the client has closed its side: no window opens any more."""
        self._heard = False
        self._frame_due = math.inf
        self._theirs: int | None = None
        """The error code of the client's GOAWAY."""
        self._error: tuple[ErrorCodes, str] | None = None
        """Why the connection must end now."""

    async def run(self) -> None:
        """Never raises but Cancelled."""
        talk = self.talk
        self._opening = talk.begin("PREFACE")
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(CONNECTION_WINDOW - 65_535)
        talk.write(self.h2.data_to_send())
        try:
            await talk.flush()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._out.write)
                async with trio.open_nursery() as streams:
                    with self._reading:
                        await self._read(streams)
                    if self._error is None:
                        self._expect_no_more()
                    else:
                        streams.cancel_scope.cancel()
                if self._error is not None:
                    nursery.cancel_scope.cancel()
                self._out.end()
        except* ConversationError:
            pass                                             # the client is gone, or the sandbox stops
        finally:
            await self._say_goodbye()

    # -- reading ----------------------------------------------------------------------------------------------

    async def _read(self, nursery: trio.Nursery) -> None:
        """Until the client or an error ends it. Raises Closed."""
        talk, checkpoints = self.talk, Checkpoints(BURST)
        while True:
            count, frame = self._cutter.next(talk.buffer)
            if count:
                self._receive(talk.take(count), frame, nursery)
                if self._error is not None or (self._theirs is not None and not self._streams):
                    return
                await checkpoints.count()
                while self._out.waiting > FLOODED or len(self._streams) >= MAX_TASKS:
                    await self._changed.park()
                continue
            self._listening = True
            self._set_due()
            try:
                if not await talk.fill():
                    return
            except TimedOut:
                if talk.buffer or self._cutter.open:
                    self._error = ErrorCodes.PROTOCOL_ERROR, "a frame did not come to its end in time"
                elif self._streams:
                    self._error = ErrorCodes.NO_ERROR, "nothing passed for too long"
                return
            finally:
                self._listening = False
                self._set_due()

    def _receive(self, data: bytes, frame: Frame, nursery: trio.Nursery) -> None:
        """One frame, or a piece of the preface."""
        self._frame_due = math.inf
        self._heard = True
        if frame.wasteful and not self._pay():
            return
        stream = self._streams.get(frame.stream) if frame.stream else None
        if stream is not None:
            stream.exchange.received(len(data))
        if self._cutter.open and self._cutter.block > 2 * self.engine.config.limits.head:
            self._end(ErrorCodes.ENHANCE_YOUR_CALM, "the header section has no end (CVE-2024-27316)")
            return
        if frame.kind == Kind.GOAWAY and not frame.stream:
            # h2 would refuse to answer what is under way, which the client still waits for (RFC 9113 §6.8).
            self._theirs = read_goaway(data[9:])
            return
        try:
            happened = self.h2.receive_data(data)
        except ProtocolError as error:
            self._end(ErrorCodes(error.error_code), str(error))
            return
        for event in happened:
            handle = HANDLERS.get(type(event))
            if handle is not None:
                handle(self, event, nursery)
        self.queue(None)

    def _pay(self) -> bool:
        if self._tokens.take(trio.current_time()):
            return True
        self._end(ErrorCodes.ENHANCE_YOUR_CALM, "more frames than anybody needs")
        return False

    def _set_due(self) -> None:
        """How long the next octets may take: quickly inside a frame; for a next request as in HTTP/1.1, from when all
        answers have left."""
        talk, config = self.talk, self.engine.config
        if not self._listening:
            talk.due = math.inf
        elif talk.buffer or self._cutter.open:
            self._frame_due = min(self._frame_due, trio.current_time() + config.limits.head_seconds)
            talk.due = self._frame_due
        else:
            busy = self._streams or self._out or not self._out.resting
            talk.due = math.inf if busy else trio.current_time() + config.http.keep_alive

    # -- what frames mean -------------------------------------------------------------------------------------

    def _requested(self, event: events.RequestReceived, nursery: trio.Nursery) -> None:
        asked = read_fields(list(event.headers), self.engine.config.limits.head)
        exchange = self.talk.begin_stream(asked.method, asked.text, asked.facts)
        exchange.received(self._cutter.block)
        exchange.note("stream", str(event.stream_id))
        stream = Stream(self, event.stream_id, asked, exchange)
        self._streams[event.stream_id] = stream
        if event.stream_ended is not None:
            stream.content.end()
        nursery.start_soon(stream.run)

    def _data_came(self, event: events.DataReceived, _: trio.Nursery) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            stream.content.feed(event.data or b"", event.flow_controlled_length or 0)
        else:
            self._acknowledge(event.stream_id, event.flow_controlled_length or 0)

    def _trailers_came(self, event: events.TrailersReceived, _: trio.Nursery) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            stream.content.trailers = read_trailers(list(event.headers))

    def _ended(self, event: events.StreamEnded, _: trio.Nursery) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            stream.content.end()

    def _was_reset(self, event: events.StreamReset, _: trio.Nursery) -> None:
        """The client cancelled, or it broke the rules in that stream and h2 has reset it, which costs the same."""
        if not event.remote_reset and not self._pay():
            return
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            stream.exchange.note("reset", code_name(event.error_code))
            stream.cancel("cancelled by the client" if event.remote_reset else "reset",
                          "situation.stream-cancelled" if event.remote_reset else "situation.stream-error")
            self._changed.unpark_all()

    def _window_opened(self, _event: events.Event, _: trio.Nursery) -> None:
        self._changed.unpark_all()

    def _settings_came(self, _event: events.Event, _: trio.Nursery) -> None:
        if self._opening is not None:
            self._opening.end("HTTP/2", "settings exchanged")
            self._opening = None
        self._changed.unpark_all()

    # -- for streams, see `stream.Carrier` --------------------------------------------------------------------

    def queue(self, stream: Stream | None, after: Callable[[], None] | None = None) -> None:
        data = self.h2.data_to_send()
        if data or after is not None:
            self._out.say(data, None if stream is None else stream.exchange, after)

    async def window(self, stream: Stream) -> int:
        number = stream.number
        while True:
            size = min(self.h2.local_flow_control_window(number), self.h2.max_outbound_frame_size)
            if size > 0 and self._out.waiting <= QUEUED:
                return size
            if size <= 0 and self._deaf:
                raise Stalled
            with trio.move_on_after(self.engine.config.limits.idle) as scope:
                await self._changed.park()
            if scope.cancelled_caught:
                raise Stalled

    def give_window(self, stream: Stream, count: int) -> None:
        if count:
            self._acknowledge(stream.number, count)
            self.queue(None)

    def _acknowledge(self, number: int, count: int) -> None:
        with contextlib.suppress(ProtocolError):             # the connection is over
            self.h2.acknowledge_received_data(count, number)

    def reset(self, stream: Stream, code: ErrorCodes) -> None:
        with contextlib.suppress(StreamClosedError, ProtocolError):
            self.h2.reset_stream(stream.number, code)
            self.queue(stream)

    def done(self, stream: Stream) -> None:
        self._streams.pop(stream.number, None)
        self._changed.unpark_all()
        if not self._streams:
            self._set_due()
            if self._theirs is not None:
                self._reading.cancel()                       # it wanted nothing more

    # -- ending -----------------------------------------------------------------------------------------------

    def _expect_no_more(self) -> None:
        """The client will say no more; what it has asked is answered, as far as its windows allow."""
        self._deaf = True
        for stream in tuple(self._streams.values()):
            stream.content.break_off()
        self._changed.unpark_all()

    def _end(self, code: ErrorCodes, why: str) -> None:
        self._error = code, why

    async def _say_goodbye(self) -> None:
        """A last GOAWAY (RFC 9113 §6.8), also when the sandbox stops or the session is cancelled."""
        talk = self.talk
        code, why = self._error or (ErrorCodes.NO_ERROR, "")
        if self._error is not None:
            talk.due = trio.current_time() + self.engine.config.limits.grace
        with trio.CancelScope(shield=True, deadline=trio.current_time() + FAREWELL):
            self._out.write_now()
            if self._opening is not None:
                if self._heard:
                    self._opening.end("failed", "no HTTP/2 came")
                else:
                    self._opening.end("unused", "the client asked nothing")
            exchange = talk.begin("GOAWAY", "" if self._theirs is None else code_name(self._theirs))
            with contextlib.suppress(ProtocolError):         # said already, by h2 itself
                self.h2.close_connection(code)
            talk.write(self.h2.data_to_send())
            talk.take(len(talk.buffer))
            exchange.end(code.name, why)
            with contextlib.suppress(ConversationError):
                await talk.flush()


HANDLERS: dict[type[events.Event], Callable[[Http2Connection, Any, trio.Nursery], None]] = {
    events.RequestReceived: Http2Connection._requested,
    events.DataReceived: Http2Connection._data_came,
    events.TrailersReceived: Http2Connection._trailers_came,
    events.StreamEnded: Http2Connection._ended,
    events.StreamReset: Http2Connection._was_reset,
    events.WindowUpdated: Http2Connection._window_opened,
    events.RemoteSettingsChanged: Http2Connection._settings_came,
}
"""What follows from what h2 says has happened. What is not here is h2's own business, such as answering a PING."""


def code_name(code: int | None) -> str:
    """An error code by its name (RFC 9113 §7)."""
    try:
        return ErrorCodes(code or 0).name
    except ValueError:
        return f"0x{code:x}"
