"""A TLS server without sockets: wire bytes in, plain bytes out, and back.

The engine first reads the ClientHello itself (state HELLO), so that it knows the site before OpenSSL starts, and
so that what is no TLS at all gets an answer its sender understands. Then it waits for a context (CONTEXT), and
OpenSSL does the rest over two memory buffers (HANDSHAKE, OPEN). The driver moves bytes:

    engine.receive(data)                            # whatever arrived
    if engine.state is State.CONTEXT:
        engine.choose(context)                      # for engine.server_name
    send(engine.outgoing())                         # always, also after a failure: it may hold the alert
    handle(engine.read())

Nothing a client sends raises: a handshake that fails, or bytes that are damaged later, put the engine into FAILED
with the reason in `failure`. After that it only still gives out what has to be sent.
"""

from __future__ import annotations

import contextlib
import enum
import re
import ssl
from collections.abc import Sequence

import msgspec

from sandbox.net.layers.tls import names
from sandbox.net.layers.tls.handshake import situation
from sandbox.net.layers.tls.hello import ClientHello, HelloReader
from sandbox.net.layers.tls.wire import ALERT, Malformed, Records

__all__ = ["Engine", "Failure", "NotOpen", "State"]

MAX_LINE = 8192
"""How much of a plain-text line is awaited before it counts as one."""

MAX_EARLY = 131_072
"""Octets of an unfinished hello, with record headers. Past it OpenSSL is left to say what is wrong."""

READ_SIZE = 65_536

OPENSSL_VERSIONS = {"TLSv1": "TLS 1.0", "TLSv1.1": "TLS 1.1", "TLSv1.2": "TLS 1.2", "TLSv1.3": "TLS 1.3"}

EXTENDED_MASTER_SECRET = 23
"""The extension's number."""

PROTOCOL_VERSION, NO_APPLICATION_PROTOCOL = 70, 120

RECEIVED = re.compile(r"\] (?:sslv3|tlsv1|tlsv13|ssl/tls) (?:alert )?([a-z ]+) \(")
"""How OpenSSL names an alert that came from the other side. Its text, because Python's table of reason codes is
older than some alerts."""

HTTP_LINE = re.compile(rb"[A-Za-z-]+ \S+ HTTP/\d(\.\d)?\r?\n")


class NotOpen(Exception):
    """Plain text was to be sent before the handshake was over, or after the end."""


class State(enum.Enum):
    """Where a connection stands."""

    HELLO = "hello"
    CONTEXT = "context"
    HANDSHAKE = "handshake"
    OPEN = "open"
    FAILED = "failed"


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why it failed. situation: a term of the tls knowledge; received, sent: the names of the alerts, "" for none
    (or one sent encrypted); detail: OpenSSL's own words, "" where it was not asked."""

    situation: str
    received: str = ""
    sent: str = ""
    detail: str = ""


class Engine:
    """One connection's TLS, as the server.

    hello: what the client offered, once it is known; opened: the handshake went well, whatever came after it, maybe
    in the same segment; peer_closed: the client said it will send no more (close_notify); truncated: its connection
    ended without that, so the last data may be missing (RFC 8446 §6.1).
    """

    def __init__(self) -> None:
        self.state = State.HELLO
        self.hello: ClientHello | None = None
        self.failure: Failure | None = None
        self.opened = False
        self._version = ""
        self.peer_closed = False
        self.truncated = False
        self._reader = HelloReader()
        self._early = bytearray()
        self._by_hand = bytearray()
        self._plain = bytearray()
        self._closed = False
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None

    # ---- what the driver does

    def receive(self, data: bytes) -> None:
        """Take bytes from the wire. See `state`, `read` and `outgoing` for what came of them."""
        if not data or self.state is State.FAILED or self.peer_closed:
            return  # what follows a close_notify must be ignored (RFC 8446 §6.1)
        if self.state is State.HELLO:
            self._early += data
            self._look(data)
        elif self.state is State.CONTEXT:
            self._early += data
        else:
            self._incoming.write(data)
            self._advance()

    def receive_end(self) -> None:
        """The connection ended: nothing more will come."""
        if self.state is State.OPEN:
            self.truncated = not self.peer_closed
        elif self.state is not State.FAILED:
            self._fail(Failure(situation="broken-off"))

    def choose(self, context: ssl.SSLContext, alpn: Sequence[str] = (), tickets: int = 0) -> None:
        """Go on with this context (made for the site and with `alpn`). Only in the state CONTEXT.

        tickets: how many the client gets for later connections (RFC 8446 §4.6.1).
        """
        assert self.state is State.CONTEXT
        offered = self.hello.alpn if self.hello is not None else ()
        if alpn and offered and not {name.encode() for name in alpn}.intersection(offered):
            # RFC 7301 §3.2: with no protocol in common the handshake must fail. OpenSSL would go on without one.
            self._refuse("no-common-alpn", NO_APPLICATION_PROTOCOL, 0x0303)
            return
        context.num_tickets = tickets  # a connection takes over what its context has when it begins
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.state = State.HANDSHAKE
        self._incoming.write(self._early)
        self._early.clear()
        self._advance()

    def refuse(self, alert: str) -> None:
        """Go no further, and end it with a fatal alert of that name. Only in the state CONTEXT."""
        self._refuse("server-gave-up", names.number_of("alerts")[alert], 0x0303)

    def read(self) -> bytes:
        """All plain text that has come since the last call."""
        data = bytes(self._plain)
        self._plain.clear()
        return data

    def write(self, data: bytes) -> None:
        """Encrypt plain text for the client. Raises NotOpen."""
        if self.state is not State.OPEN or self._closed or self._tls is None:
            raise NotOpen(f"the TLS connection is {'closed' if self._closed else self.state.value}")
        view = memoryview(data)
        while view:
            view = view[self._tls.write(view):]

    def outgoing(self) -> bytes:
        """Wire bytes that must be sent now, b"" for none."""
        if not self._by_hand:
            return self._outgoing.read()
        data = bytes(self._by_hand) + self._outgoing.read()
        self._by_hand.clear()
        return data

    def close(self) -> None:
        """Say that nothing more will be sent (close_notify, RFC 8446 §6.1). The client's data can still be read."""
        if self.state is State.OPEN and not self._closed and self._tls is not None:
            self._closed = True
            with contextlib.suppress(ssl.SSLError):  # it wants the client's close_notify, which may come or not
                self._tls.unwrap()

    # ---- what is known

    @property
    def server_name(self) -> str:
        """The site the client asked for, "" where it named none."""
        return self.hello.server_name if self.hello is not None else ""

    @property
    def version(self) -> str:
        """"TLS 1.3"; "" before the handshake is over."""
        return self._version

    @property
    def suite(self) -> str:
        """The cipher suite by its standard name; "" before the handshake is over."""
        cipher = self._tls.cipher() if self._tls is not None and self.opened else None
        return names.standard_suite(cipher[0]) if cipher else ""

    @property
    def alpn(self) -> str:
        """The application protocol agreed on, "" for none."""
        return (self._tls.selected_alpn_protocol() or "") if self._tls is not None else ""

    @property
    def resumed(self) -> bool:
        """Whether it goes on with the secrets of an earlier connection, so that no certificate was sent."""
        return bool(self._tls is not None and self._tls.session_reused)

    @property
    def unique(self) -> bytes:
        """"tls-unique" (RFC 5929 §3), b"" where it would not be: in TLS 1.3 it is not defined, and without the
        extended master secret two connections can have the same (RFC 7627 §1)."""
        extended = self.hello is not None and any(one.type == EXTENDED_MASTER_SECRET for one in self.hello.extensions)
        if self._tls is None or self.version != "TLS 1.2" or not extended:
            return b""
        return self._tls.get_channel_binding("tls-unique") or b""

    # ---- inside

    def _look(self, data: bytes) -> None:
        """Find out who speaks, from the first bytes."""
        if 0x20 <= self._early[0] < 0x7F:
            self._plain_text()
            return
        try:
            self.hello = self._reader.feed(data)
        except Malformed:
            self.state = State.CONTEXT  # OpenSSL knows best which alert this deserves
            return
        if self.hello is None:
            if len(self._early) > MAX_EARLY:
                self.state = State.CONTEXT
        elif self.hello.version < 0x0301:
            # RFC 7568 §3 and RFC 6176 §3: never go on; the alert is protocol_version. OpenSSL sends another one.
            old = "sslv2" if self.hello.layout == "sslv2" else "sslv3"
            self._refuse(old, PROTOCOL_VERSION, 0x0300)
        else:
            self.state = State.CONTEXT

    def _plain_text(self) -> None:
        """No TLS record begins with a letter: someone forgot the s in https, or chose the wrong port."""
        if b"\n" not in self._early and len(self._early) < MAX_LINE:
            return
        if HTTP_LINE.match(self._early):
            self._by_hand += _bad_request(with_body=not self._early.startswith(b"HEAD "))
            self._fail(Failure(situation="plain-http"))
        else:
            self._fail(Failure(situation="plain-text"))

    def _refuse(self, why: str, alert: int, version: int) -> None:
        """End it before OpenSSL is involved, with a fatal alert."""
        self._by_hand += bytes([ALERT]) + version.to_bytes(2) + b"\x00\x02\x02" + bytes([alert])
        self._fail(Failure(situation=why, sent=names.alert(alert)))

    def _fail(self, failure: Failure) -> None:
        self.state = State.FAILED
        self.failure = failure
        self._early.clear()

    def _advance(self) -> None:
        """Let OpenSSL do what the bytes it has got allow."""
        assert self._tls is not None
        try:
            if self.state is State.HANDSHAKE:
                self._tls.do_handshake()
                self.state = State.OPEN
                self.opened = True
                # Now, as OpenSSL no longer says it when the connection has failed.
                self._version = OPENSSL_VERSIONS.get(self._tls.version() or "", "")
            while not self.peer_closed:
                data = self._tls.read(READ_SIZE)
                self._plain += data
                self.peer_closed = not data
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            if self.state is State.OPEN:
                self.peer_closed = True
            else:
                self._fail(Failure(situation="canceled", received="close_notify"))
        except ssl.SSLError as error:
            self._openssl_failed(error)

    def _openssl_failed(self, error: ssl.SSLError) -> None:
        """Keep the reason, and the alert that OpenSSL has left in the buffer to be sent."""
        left = self._outgoing.read()
        self._by_hand += left
        match = RECEIVED.search(str(error))
        received = match[1].replace(" ", "_").replace("cancelled", "canceled") if match else ""
        if received not in names.number_of("alerts"):
            received = ""
        sent = _last_alert(left)
        why = situation(received, sent or "encrypted") if self.state is State.HANDSHAKE else "damaged"
        self._fail(Failure(situation=why, received=received, sent=sent, detail=str(error)))


def _last_alert(wire: bytes) -> str:
    """The name of the alert that these bytes end with; "" where there is none in clear."""
    try:
        records = list(Records().feed(wire))
    except Malformed:
        return ""
    if not records or records[-1].type != ALERT or len(records[-1].payload) != 2:
        return ""
    return names.alert(records[-1].payload[1])


def _bad_request(*, with_body: bool) -> bytes:
    """What someone who spoke HTTP to a TLS port can read (RFC 9110 §15.5.1)."""
    text = (b"This port speaks HTTPS: HTTP inside TLS. You sent plain HTTP.\n"
            b"Write https:// instead of http:// in front of the address.\n")
    head = (b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=us-ascii\r\n"
            b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(text))
    return head + text if with_body else head
