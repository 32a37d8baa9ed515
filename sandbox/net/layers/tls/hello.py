"""ClientHello and ServerHello, read from the bytes on the wire (RFC 8446 §4.1, RFC 5246 §7.4.1).

Numbers stay numbers here; `names` says what they are called and `handshake` makes sentences' facts of them. An
extension whose content does not parse is kept as bytes and named in `malformed`: the rest of the hello is still
worth seeing.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

from sandbox.net.layers.tls.wire import HANDSHAKE, Cursor, Malformed, Message, Messages, Records

__all__ = [
    "CLIENT_HELLO",
    "SERVER_HELLO",
    "ClientHello",
    "Extension",
    "HelloReader",
    "ServerHello",
    "is_sslv2",
    "parse_client_hello",
    "parse_server_hello",
    "parse_sslv2_hello",
]

CLIENT_HELLO, SERVER_HELLO = 1, 2

RETRY = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")
"""The random value by which a HelloRetryRequest is told from a ServerHello: SHA-256 of its name (§4.1.3)."""

ALPN, SUPPORTED_VERSIONS, KEY_SHARE = 16, 43, 51


class Extension(NamedTuple):
    """One extension as it stood there."""

    type: int
    data: bytes


class ClientHello(msgspec.Struct, frozen=True, kw_only=True):
    """What a client offers, every list in its own order.

    layout: "sslv2" for the old CLIENT-HELLO, which has no extensions and whose session_id and random are what the
    client called so. record_version: of the record it came in (0 for sslv2); version: the highest, before TLS 1.3
    moved that to supported_versions. server_name: lower case, "" for none.
    """

    layout: Literal["tls", "sslv2"] = "tls"
    record_version: int = 0
    version: int = 0
    random: bytes = b""
    session_id: bytes = b""
    suites: tuple[int, ...] = ()
    compressions: tuple[int, ...] = ()
    extensions: tuple[Extension, ...] = ()
    server_name: str = ""
    alpn: tuple[bytes, ...] = ()
    versions: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    point_formats: tuple[int, ...] = ()
    schemes: tuple[int, ...] = ()
    key_shares: tuple[int, ...] = ()
    psk_modes: tuple[int, ...] = ()
    malformed: tuple[int, ...] = ()


class ServerHello(msgspec.Struct, frozen=True, kw_only=True):
    """What the server chose. version: the real one, also for TLS 1.3; group: 0 where the hello does not say;
    retry: it is a HelloRetryRequest, which asks for another hello with a key share for `group`."""

    version: int
    random: bytes
    session_id: bytes
    suite: int
    compression: int
    extensions: tuple[Extension, ...] = ()
    group: int = 0
    alpn: bytes = b""
    retry: bool = False


def parse_client_hello(body: bytes, record_version: int = 0) -> ClientHello:
    """A ClientHello message without its four-byte header. Raises Malformed."""
    cursor = Cursor(body)
    version = cursor.number(2)
    random = cursor.take(32)
    session_id = cursor.vector(1)
    if len(session_id) > 32:
        raise Malformed(f"a session id of {len(session_id)} bytes, 32 at most")
    suites = cursor.numbers(2)
    compressions = cursor.numbers(1, 1)
    extensions = _extensions(cursor)
    fields: dict[str, Any] = {}
    malformed = []
    for kind, data in extensions:
        try:
            fields |= _decode(kind, data)
        except Malformed:
            malformed.append(kind)
    return ClientHello(
        record_version=record_version, version=version, random=random, session_id=session_id, suites=suites,
        compressions=compressions, extensions=extensions, malformed=tuple(malformed), **fields)


def parse_server_hello(body: bytes) -> ServerHello:
    """A ServerHello message without its four-byte header. Raises Malformed."""
    cursor = Cursor(body)
    version = cursor.number(2)
    random = cursor.take(32)
    session_id = cursor.vector(1)
    suite, compression = cursor.number(2), cursor.number(1)
    extensions = _extensions(cursor)
    retry = random == RETRY
    group, alpn = 0, b""
    for kind, data in extensions:
        inner = Cursor(data)
        if kind == SUPPORTED_VERSIONS:
            version = inner.number(2)
        elif kind == KEY_SHARE:
            group = inner.number(2)
        elif kind == ALPN:
            alpn = Cursor(inner.vector(2)).vector(1)
    return ServerHello(version=version, random=random, session_id=session_id, suite=suite, compression=compression,
                       extensions=extensions, group=group, alpn=alpn, retry=retry)


def is_sslv2(start: bytes | bytearray) -> bool:
    """Whether a stream begins like an SSL 2.0 CLIENT-HELLO: length with its high bit set, then message type 1
    (RFC 5246 §E.2). A TLS record begins with 0x16."""
    return len(start) >= 3 and start[0] >= 0x80 and start[2] == CLIENT_HELLO


def parse_sslv2_hello(data: bytes) -> ClientHello | None:
    """An SSL 2.0 CLIENT-HELLO with its header; None while it is incomplete. Raises Malformed.

    Its cipher suites have three bytes; those of SSL 3.0 and TLS begin with 00 (RFC 5246 §E.2), the others are SSL
    2.0's own and are left out.
    """
    cursor = Cursor(data)
    length = cursor.number(2) & 0x7FFF
    if cursor.left < length:
        return None
    cursor = Cursor(cursor.take(length))
    if cursor.number(1) != CLIENT_HELLO:
        raise Malformed("not an SSL 2.0 CLIENT-HELLO")
    version = cursor.number(2)
    suites_length, session_length, challenge_length = cursor.number(2), cursor.number(2), cursor.number(2)
    if suites_length % 3:
        raise Malformed(f"a list of 3-byte cipher specs with {suites_length} bytes")
    specs = Cursor(cursor.take(suites_length))
    suites = tuple(number for _ in range(suites_length // 3) if (number := specs.number(3)) <= 0xFFFF)
    session_id, challenge = cursor.take(session_length), cursor.take(challenge_length)
    cursor.end()
    return ClientHello(layout="sslv2", version=version, random=challenge, session_id=session_id, suites=suites)


class HelloReader:
    """Reads the ClientHello at the start of a stream that arrives in pieces of any size."""

    def __init__(self) -> None:
        self._start = bytearray()
        self._records = Records()
        self._messages = Messages()

    def feed(self, data: bytes) -> ClientHello | None:
        """The hello once it is complete, None while it is not. Raises Malformed when it cannot become one.

        Not to be fed again after it returned a hello or raised.
        """
        if len(self._start) < 3 or is_sslv2(self._start):
            self._start += data  # at most 32 KB: what the 15 bits of its length can say
            if len(self._start) < 3:
                return None
            if is_sslv2(self._start):
                complete = len(self._start) >= 2 + (int.from_bytes(self._start[:2]) & 0x7FFF)
                return parse_sslv2_hello(bytes(self._start)) if complete else None
            data = bytes(self._start)
        for record in self._records.feed(data):
            if record.type != HANDSHAKE or not record.payload:  # no empty fragments, RFC 8446 §5.1
                raise Malformed(f"a record of type {record.type} and {len(record.payload)} bytes before the hello")
            for message in self._messages.feed(record):
                return _first(message)
        return None


def _first(message: Message) -> ClientHello:
    if message.type != CLIENT_HELLO:
        raise Malformed(f"a handshake message of type {message.type} before the hello")
    return parse_client_hello(message.body, message.version)


def _extensions(cursor: Cursor) -> tuple[Extension, ...]:
    """The extensions at the end of a hello; a hello may end before them (RFC 5246 §7.4.1.2)."""
    if not cursor.left:
        return ()
    inner = Cursor(cursor.vector(2))
    cursor.end()
    found = []
    while inner.left:
        found.append(Extension(inner.number(2), inner.vector(2)))
    return tuple(found)


def _decode(kind: int, data: bytes) -> dict[str, Any]:
    """The fields of ClientHello that an extension sets. Raises Malformed."""
    cursor = Cursor(data)
    match kind:
        case 0:  # server_name, RFC 6066 §3
            return {"server_name": _server_name(data)}
        case 10:  # supported_groups, RFC 8422 §5.1.1
            return {"groups": cursor.numbers(2)}
        case 11:  # ec_point_formats, RFC 8422 §5.1.2
            return {"point_formats": cursor.numbers(1, 1)}
        case 13:  # signature_algorithms, RFC 8446 §4.2.3
            return {"schemes": cursor.numbers(2)}
        case 16:  # application_layer_protocol_negotiation, RFC 7301 §3.1
            return {"alpn": _vectors(cursor.vector(2))}
        case 43:  # supported_versions, RFC 8446 §4.2.1
            return {"versions": cursor.numbers(1)}
        case 45:  # psk_key_exchange_modes, RFC 8446 §4.2.9
            return {"psk_modes": cursor.numbers(1, 1)}
        case 51:  # key_share, RFC 8446 §4.2.8
            shares = Cursor(cursor.vector(2))
            groups = []
            while shares.left:
                groups.append(shares.number(2))
                shares.vector(2)
            return {"key_shares": tuple(groups)}
    return {}


def _server_name(data: bytes) -> str:
    """The host name of RFC 6066 §3, the only kind of name there ever was."""
    names = Cursor(Cursor(data).vector(2))
    while names.left:
        kind, name = names.number(1), names.vector(2)
        if kind == 0:
            try:
                return name.decode("ascii").lower()
            except UnicodeDecodeError:
                raise Malformed("a server name that is not ASCII") from None
    return ""


def _vectors(data: bytes) -> tuple[bytes, ...]:
    cursor = Cursor(data)
    found = []
    while cursor.left:
        found.append(cursor.vector(1))
    return tuple(found)
