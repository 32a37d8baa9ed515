"""The contract between a protocol and the network: what a session is handed instead of a socket.

A protocol's session is a coroutine that takes a `Conversation` and returns when the dialogue is over. It reads
what the client sent, writes replies, and says where one exchange ends and the next begins. It never sees a
socket, a TLS context or the journal: `sandbox.net` implements this contract, enforces the limits and deadlines,
and records every byte, so a session cannot bypass any of them.

Rules of the house:
- `write` queues; queued replies leave in one segment when the session waits for more input (RFC 2920 §3.1 wants
  that for pipelined commands) or calls `flush`.
- The exchanges of a conversation partition both byte streams: an exchange covers everything consumed and written
  since the one before it. What the client sent and nobody claimed becomes a last, unfinished exchange. Exchanges of a
  protocol that has several under way at once (`begin_stream`) say what is theirs, and their ranges may overlap.
- One task at a time writes: between `write` and the end of its `flush` no other task may do either.
- Every error a client can cause is a `ConversationError`. A session may catch `TimedOut` and `TooLong` to say
  goodbye in its own words; what it lets through ends the connection quietly and is recorded.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, Protocol

from sandbox.address import Address
from sandbox.protocols.contract.script import NO_FACTS, ScriptedAnswer

__all__ = [
    "Answer", "Cause", "Closed", "Conversation", "ConversationError", "DataConversation", "DataPort",
    "DatagramHandler", "Description", "Dial", "EndOfStream", "OpenExchange", "OpenStream", "SessionHandler",
    "SlowDatagramHandler",
    "TimedOut", "TooLong", "Wire",
]


class ConversationError(Exception):
    """Something the client, the wire or a limit did to this conversation."""


class EndOfStream(ConversationError):
    """The client closed its side before what was asked for had arrived. What did arrive stays in `buffer`."""


class TooLong(ConversationError):
    """A line (or whatever was awaited) passed its limit. What arrived stays in `buffer`."""


class TimedOut(ConversationError):
    """Nothing arrived, or nothing could be sent, before the deadline. Replies can still be written."""


class Closed(ConversationError):
    """The connection is gone (reset, broken, closed by this side). Nothing more can be read or written."""


class Cause(Protocol):
    """An exchange that makes the sandbox dial. id: 0 until it has ended, then its number in the journal."""

    id: int


class OpenExchange(Cause, Protocol):
    """One question and its answer while it is under way."""

    verb: str
    asked: str

    @property
    def facts(self) -> Mapping[str, str]:
        """What has been noted so far."""

    def note(self, name: str, value: str) -> None:
        """Attach a fact worth keeping: a user name, a traceback, a chosen virtual host."""

    def end(self, outcome: str, answered: str = "", key: str = "") -> None:
        """Close it: everything consumed and written up to now belongs to it.

        outcome: the protocol's own code ("200", "NOERROR", "+OK"); answered: a short human summary;
        key: the knowledge entry ("kind.term") that explains it best, where neither verb nor outcome does.
        """


class OpenStream(OpenExchange, Protocol):
    """An exchange beside others on the same connection, such as a stream of HTTP/2. It covers the octets from the
    first it was told of to the last, in each direction; those of others may lie between."""

    def received(self, count: int) -> None:
        """The last `count` octets consumed belong to it."""

    def sent(self, count: int) -> None:
        """The last `count` octets written belong to it."""


class Conversation(Protocol):
    """A connection, as a protocol sees it."""

    @property
    def client(self) -> Address: ...
    @property
    def server(self) -> Address:
        """The address the client connected to, as the client sees it."""
    @property
    def service(self) -> str:
        """The role being played: "http", "submission" ..."""
    @property
    def secure(self) -> bool:
        """Whether bytes are encrypted on the wire now."""
    @property
    def alpn(self) -> str:
        """The application protocol agreed on in the TLS handshake (RFC 7301), "" for none, and in clear."""
    @property
    def buffer(self) -> bytearray:
        """What has arrived and is not consumed yet. Look, but consume with `take`."""

    due: float
    """A trio time after which waiting for the client raises `TimedOut`, beside the idle limit; inf for none.
    For a whole request head, a whole login: it stops a client that trickles a byte a second. It holds for waiting
    until the client takes something as well: `flush` before it is set, or a client that reads late has less."""

    patience: float
    """Seconds the client may stay silent, or take nothing, before `TimedOut`: the configured idle limit, unless the
    session knows that this client has a right to more."""

    async def fill(self) -> bool:
        """Send what is queued, then wait for more bytes in `buffer`. False at the client's end of stream.

        Raises TimedOut, Closed.
        """

    def take(self, count: int) -> bytes:
        """Consume `count` bytes that are in `buffer`."""

    def untake(self, data: bytes) -> None:
        """Put back bytes just consumed: they belong to the next exchange."""

    async def read_line(self, limit: int = 0) -> bytes:
        """One line with its line end (LF, or CRLF). limit: octets with line end; 0 for the service's own.

        Raises TooLong, EndOfStream, TimedOut, Closed.
        """

    async def read_exactly(self, count: int) -> bytes:
        """Raises EndOfStream, TimedOut, Closed."""

    async def read_some(self, limit: int = 65536) -> bytes:
        """Between 1 and `limit` bytes as soon as there are any; b"" at the end of stream."""

    def write(self, data: bytes) -> None:
        """Queue bytes for the client. Never blocks; use `send` for anything large."""

    async def send(self, data: bytes) -> None:
        """Queue bytes, and wait for the client to take them when much is queued. Raises TimedOut, Closed."""

    async def flush(self) -> None:
        """Send all that is queued. Raises TimedOut, Closed."""

    async def end_writing(self) -> None:
        """Flush, then half-close: the client sees end of stream and may still send."""

    def reset(self) -> None:
        """Drop what is queued and close with a TCP reset as soon as the session returns."""

    async def start_tls(self) -> None:
        """Flush, throw away (and record) what arrived before the handshake, and encrypt from here on.

        Raises Closed when the handshake fails.
        """

    async def start_compression(self) -> None:
        """Flush, and compress both directions from here on with DEFLATE (RFC 4978). Once in a conversation, and after
        TLS where there is any; the exchanges stay those of the dialogue before compression.

        What is in `buffer` came in clear and stays so: a session looks whether it is empty. Raises TimedOut, Closed.
        """

    def channel_binding(self, kind: str) -> bytes | None:
        """What ties a login to this very TLS connection (RFC 5056), None where there is no such thing.

        kind: "tls-exporter" (RFC 9266), "tls-unique" or "tls-server-end-point" (RFC 5929).
        """

    def begin(self, verb: str, asked: str = "", facts: Mapping[str, str] | None = None) -> OpenExchange:
        """Start an exchange; it covers all that was consumed since the last one ended.

        facts: what is known of it already; `note` adds to a copy.
        """

    def begin_stream(self, verb: str, asked: str = "", facts: Mapping[str, str] | None = None) -> OpenStream:
        """Start an exchange that says itself which octets are its own, beside others that are under way."""

    async def scripted(self, verb: str, asked: str = "", facts: Mapping[str, str] = NO_FACTS,
                       exchange: OpenExchange | None = None) -> ScriptedAnswer | None:
        """The answer that stands in for what would be done, None for none: mostly.

        Asked once for each question, when it has begun and nothing has been changed for it. facts: what is known by
        then, for whoever decides; what the answer has of them is for the session to note. exchange: the one that has
        begun, None where it begins when this has returned. It may take its time. Raises Closed.
        """

    def unscripted(self) -> bool:
        """Whether `scripted` has nothing to say to anything now, for those to whom asking is dear."""

    def listen(self) -> DataPort:
        """Open a port for one more connection from this client, to carry data (FTP's passive mode).

        Raises OSError when no port of the configured range is free.
        """

    async def connect_back(self, port: int, *, from_port: int = 0) -> DataConversation:
        """Connect to a port of this client's own address and no other (FTP's active mode; RFC 2577 §3).

        from_port: the local port, where it may be bound; else any. Raises OSError when nobody listens there.
        """


class DataConversation(Conversation, Protocol):
    """A connection that belongs to another conversation and carries its data: a session of its own in the journal,
    with the other as its parent. Limits and deadlines are the same."""

    @property
    def cut_off(self) -> bool:
        """Whether what the client sent ended without its saying so, over TLS without close_notify: the last of it may
        be missing (RFC 8446 §6.1). In clear nobody can tell."""

    async def aclose(self, *, wait: bool = True) -> None:
        """Send all that is queued, say that it is the end (over TLS with close_notify), and close.

        wait: for the client to close too; without it, what it still sends is lost. Raises TimedOut, Closed when the
        client is gone; the connection is closed in any case.
        """

    def sha256(self, *, sent: bool) -> str:
        """Of what was sent, or received, since the last exchange ended: the journal takes it anyway. In hex."""

    async def send_known(self, descriptor: int, passed: Callable[[int], None]) -> bool:
        """Send a whole file whose content the journal has already (`remember`): it need not be read again, and the
        kernel can send it. False, with nothing sent, where it has not, or the connection is encrypted.

        passed: told how many more octets are on their way, again and again. Raises TimedOut, Closed, and OSError: of
        the file, ESTALE for one that somebody changes meanwhile.
        """

    def remember(self, file: os.stat_result, *, sent: bool) -> None:
        """What was sent, or received, since the last exchange ended is all that a file with this status holds. From
        when that is certain: nobody may have changed the file unseen meanwhile."""

    def abort(self) -> None:
        """Close at once; what is queued is dropped."""


class DataPort(Protocol):
    """A port that waits for one data connection."""

    @property
    def address(self) -> Address:
        """What to tell the client: the advertised address, and the port."""

    def accept_now(self) -> DataConversation | None:
        """The connection, if it has come already; None on a port that is closed."""

    async def accept(self) -> DataConversation:
        """The connection; one from another address than the client's is refused and recorded.

        Raises TimedOut after the configured wait, Closed when the port is closed, OSError.
        """

    def close(self) -> None:
        """Stop waiting. Does no harm twice, or after `accept`."""


class Description(NamedTuple):
    """What an exchange was about, for one that begins and ends at once. Fields as in `OpenExchange`."""

    verb: str
    asked: str
    outcome: str
    answered: str = ""
    key: str = ""
    facts: Mapping[str, str] | None = None


class Answer(NamedTuple):
    """What a datagram gets: reply bytes (None to stay silent) and what happened."""

    data: bytes | None
    about: Description


SessionHandler = Callable[[Conversation], Awaitable[None]]
DatagramHandler = Callable[[bytes, Address], Answer]
"""(datagram, client) to answer. Synchronous, quick, never raises for anything a client can send."""
SlowDatagramHandler = Callable[[bytes, Address, Cause], Awaitable[Answer]]
"""Likewise for what takes its time, such as asking others, with the exchange that the datagram makes as its cause."""


class Wire(Protocol):
    """A connection the sandbox itself opened to a port on this machine (see `Context.dial`)."""

    async def send(self, data: bytes) -> None:
        """Raises Closed."""

    async def receive(self, limit: int = 65536) -> bytes:
        """b"" at end of stream. Raises Closed."""

    async def start_tls(self, server_name: str) -> None:
        """Encrypt from here on, as the client, believing the sandbox's own authority alone. From then on one task at
        a time may send or receive. server_name: a host name or IP address, which the certificate must be for.

        Raises Closed when the handshake fails.
        """

    async def end_writing(self) -> None: ...
    async def aclose(self) -> None: ...


class Dial(Protocol):
    """Opens a connection to a port on this machine, and to nowhere else."""

    async def __call__(self, address: Address, cause: Cause | int = 0) -> Wire:
        """cause: the exchange that makes the sandbox dial, or its number, 0 for none; where one of the sandbox's own
        services answers, the journal has it as that session's cause.

        Raises PermissionError for an address that is not of this machine, OSError when nothing listens.
        """
