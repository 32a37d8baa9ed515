"""What happened in a handshake, in the field's words: what was offered, what was chosen, and why it failed.

`describe` reads the recorded wire bytes of both directions, so it can be called at any time later; what only the
engine can know (an alert that came encrypted) is handed to it.
"""

from __future__ import annotations

import msgspec

from sandbox.net.layers.tls import fingerprints, names
from sandbox.net.layers.tls.hello import (
    CLIENT_HELLO,
    SERVER_HELLO,
    ClientHello,
    ServerHello,
    is_sslv2,
    parse_client_hello,
    parse_server_hello,
    parse_sslv2_hello,
)
from sandbox.net.layers.tls.wire import (
    ALERT,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    Cursor,
    Malformed,
    Message,
    Messages,
    Record,
    Records,
)

__all__ = ["MAX_READ", "SITUATIONS", "AlertFact", "Choice", "ExtensionFact", "HandshakeFacts", "Offer", "describe",
           "situation"]

CERTIFICATE, SERVER_KEY_EXCHANGE = 11, 12

MAX_READ = 262_144
"""How much of each direction is looked at. Handshakes are far shorter; what follows is encrypted."""

COMPRESSIONS = {0: "none", 1: "DEFLATE", 64: "LZS"}
POINT_FORMATS = {0: "uncompressed", 1: "ansiX962_compressed_prime", 2: "ansiX962_compressed_char2"}
PSK_MODES = {0: "psk_ke", 1: "psk_dhe_ke"}


class ExtensionFact(msgspec.Struct, frozen=True):
    """An extension: its name, what it says ("" where that is only bytes), and its length in bytes."""

    name: str
    value: str
    length: int


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What the client offered. random: hexadecimal; ja3_text: what JA3 is the MD5 of. Lists are in its order."""

    layout: str
    record_version: str
    version: str
    versions: list[str]
    random: str
    suites: list[str]
    compressions: list[str]
    extensions: list[ExtensionFact]
    server_name: str
    alpn: list[str]
    groups: list[str]
    schemes: list[str]
    key_shares: list[str]
    psk_modes: list[str]
    ja3: str
    ja3_text: str
    ja4: str


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What the server chose. group: of the key exchange, "" for none; alpn: "" for none or where it is encrypted
    (TLS 1.3); retried: the server first asked for another key share; certificates: DER, the leaf first, where
    they were sent in clear (up to TLS 1.2)."""

    version: str
    suite: str
    parts: dict[str, str]
    group: str
    alpn: str
    compression: str
    extensions: list[str]
    retried: bool
    certificates: list[bytes]


class AlertFact(msgspec.Struct, frozen=True):
    """An alert. sender: "client" or "server"; level: "warning" or "fatal", "" where it was encrypted."""

    sender: str
    level: str
    name: str


class HandshakeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A handshake. kind: "tls", "sslv2", "sslv3", or "" for what is none of them; situation: a term of the tls
    knowledge that says what went wrong, "" when nothing did."""

    kind: str
    offer: Offer | None = None
    choice: Choice | None = None
    alerts: list[AlertFact] = []
    situation: str = ""


CLIENT_ALERTS = {
    "unknown_ca": "unknown-ca", "certificate_unknown": "unknown-ca", "bad_certificate": "bad-certificate",
    "certificate_expired": "expired-certificate", "unsupported_certificate": "bad-certificate",
    "certificate_revoked": "bad-certificate", "user_canceled": "canceled", "protocol_version": "no-common-version",
    "close_notify": "canceled",
}
SERVER_ALERTS = {
    "protocol_version": "no-common-version", "handshake_failure": "no-common-suite",
    "insufficient_security": "no-common-suite", "no_application_protocol": "no-common-alpn",
    "inappropriate_fallback": "downgrade", "unexpected_message": "not-tls", "decode_error": "not-tls",
    "record_overflow": "not-tls", "illegal_parameter": "not-tls", "missing_extension": "not-tls",
}

SITUATIONS = frozenset({
    *CLIENT_ALERTS.values(), *SERVER_ALERTS.values(), "client-gave-up", "server-gave-up", "broken-off", "sslv2",
    "sslv3", "plain-http", "plain-text", "damaged", "truncated",
})
"""Everything that can be said to have gone wrong, in a handshake or on the connection after it."""


def situation(from_client: str, from_server: str) -> str:
    """The term that says why a handshake failed, from the name of the alert that ended it ("" for none)."""
    if from_client:
        return CLIENT_ALERTS.get(from_client, "client-gave-up")
    if from_server:
        return SERVER_ALERTS.get(from_server, "server-gave-up")
    return "broken-off"


def describe(client: bytes, server: bytes, *, cause: str = "", alert: str = "") -> HandshakeFacts:
    """The facts of a handshake, from the first wire bytes of each direction. Never raises.

    cause: the situation the engine found, "" when the handshake succeeded or nobody knows; alert: the name of one
    that came from the client encrypted.
    """
    asked, answered = _read(client[:MAX_READ]), _read(server[:MAX_READ])
    hello = asked.hello
    kind = ""
    if hello is not None:
        kind = "sslv2" if hello.layout == "sslv2" else "sslv3" if hello.version == 0x0300 else "tls"
    alerts = [AlertFact("client", *one) for one in asked.alerts]
    if alert and not any(fact.name == alert for fact in alerts):
        alerts.append(AlertFact("client", "", alert))
    alerts += [AlertFact("server", *one) for one in answered.alerts]
    if not cause and any(fact.level == "fatal" for fact in alerts):
        ends = {fact.sender: fact.name for fact in alerts if fact.level == "fatal"}
        cause = situation(ends.get("client", ""), ends.get("server", ""))
        if kind in ("sslv2", "sslv3"):
            cause = kind
    return HandshakeFacts(
        kind=kind, offer=None if hello is None else _offer(hello), choice=_choice(answered), alerts=alerts,
        situation=cause)


class _Side:
    """What one direction said in clear."""

    def __init__(self) -> None:
        self.hello: ClientHello | None = None
        self.choice: ServerHello | None = None
        self.retried = False
        self.group = 0
        self.certificates: list[bytes] = []
        self.alerts: list[tuple[str, str]] = []


def _read(data: bytes) -> _Side:
    """Read as far as it can be understood. What does not parse ends the reading: after it nothing is certain."""
    side = _Side()
    try:
        if is_sslv2(data):
            side.hello = parse_sslv2_hello(data)
            return side
        messages, hidden = Messages(), False
        for record in Records().feed(data):
            if record.type == CHANGE_CIPHER_SPEC:
                hidden = True
            elif record.type == ALERT:
                _alert(side, record)
            elif record.type == HANDSHAKE and not (hidden and _encrypts(side)):
                for message in messages.feed(record):
                    _message(side, message)
    except Malformed:
        pass
    return side


def _encrypts(side: _Side) -> bool:
    """Whether handshake records after this side's ChangeCipherSpec are encrypted: before TLS 1.3, where that
    message means nothing (RFC 8446 §5) and encrypted ones travel as application data."""
    if side.choice is not None:
        return side.choice.version != 0x0304
    return side.hello is None or 0x0304 not in side.hello.versions


def _alert(side: _Side, record: Record) -> None:
    if len(record.payload) == 2:  # an encrypted one is longer
        level, number = record.payload
        side.alerts.append(({1: "warning", 2: "fatal"}.get(level, f"0x{level:02X}"), names.alert(number)))


def _message(side: _Side, message: Message) -> None:
    if message.type == CLIENT_HELLO and side.hello is None:
        side.hello = parse_client_hello(message.body, message.version)
    elif message.type == SERVER_HELLO:
        chosen = parse_server_hello(message.body)
        side.retried = side.retried or chosen.retry
        side.choice = chosen
    elif message.type == CERTIFICATE:
        chain = Cursor(Cursor(message.body).vector(3))
        while chain.left:
            side.certificates.append(chain.vector(3))
    elif message.type == SERVER_KEY_EXCHANGE and message.body[:1] == b"\x03":  # a named curve, RFC 8422 §5.4
        side.group = int.from_bytes(message.body[1:3])


def _offer(hello: ClientHello) -> Offer:
    return Offer(
        layout=hello.layout,
        record_version=names.version(hello.record_version) if hello.record_version else "",
        version=names.version(hello.version),
        versions=[names.version(one) for one in hello.versions],
        random=hello.random.hex(),
        suites=[names.suite(one) for one in hello.suites],
        compressions=[COMPRESSIONS.get(one, f"0x{one:02X}") for one in hello.compressions],
        extensions=[ExtensionFact(names.extension(one.type), _value(hello, one.type), len(one.data))
                    for one in hello.extensions],
        server_name=hello.server_name,
        alpn=[_text(one) for one in hello.alpn],
        groups=[names.group(one) for one in hello.groups],
        schemes=[names.scheme(one) for one in hello.schemes],
        key_shares=[names.group(one) for one in hello.key_shares],
        psk_modes=[PSK_MODES.get(one, f"0x{one:02X}") for one in hello.psk_modes],
        ja3=fingerprints.ja3(hello), ja3_text=fingerprints.ja3_text(hello), ja4=fingerprints.ja4(hello))


def _value(hello: ClientHello, kind: int) -> str:
    """What an extension says, as one line."""
    if kind in hello.malformed:
        return "malformed"
    match kind:
        case 0:
            return hello.server_name
        case 10:
            return ", ".join(names.group(one) for one in hello.groups)
        case 11:
            return ", ".join(POINT_FORMATS.get(one, f"0x{one:02X}") for one in hello.point_formats)
        case 13:
            return ", ".join(names.scheme(one) for one in hello.schemes)
        case 16:
            return ", ".join(_text(one) for one in hello.alpn)
        case 43:
            return ", ".join(names.version(one) for one in hello.versions)
        case 45:
            return ", ".join(PSK_MODES.get(one, f"0x{one:02X}") for one in hello.psk_modes)
        case 51:
            return ", ".join(names.group(one) for one in hello.key_shares)
    return ""


def _choice(side: _Side) -> Choice | None:
    chosen = side.choice
    if chosen is None:
        return None
    suite = names.suite(chosen.suite)
    group = chosen.group or side.group
    return Choice(
        version=names.version(chosen.version), suite=suite, parts=names.suite_parts(suite)._asdict(),
        group=names.group(group) if group else "", alpn=_text(chosen.alpn),
        compression=COMPRESSIONS.get(chosen.compression, f"0x{chosen.compression:02X}"),
        extensions=[names.extension(one.type) for one in chosen.extensions], retried=side.retried,
        certificates=side.certificates)


def _text(protocol: bytes) -> str:
    """An ALPN protocol: ASCII by custom, any bytes by right."""
    return protocol.decode("ascii", "backslashreplace")
