"""Handshake messages in their parts (RFC 8446 §4, RFC 5246 §7.4): hellos with their extensions, certificates."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.net.layers.tls import names
from sandbox.protocols.contract.spans import Cutter
from sandbox.protocols.tls.dissecting.certificates import certificate
from sandbox.protocols.tls.dissecting.extensions import extensions, number

__all__ = ["HELLOS", "MESSAGES", "message", "sslv2"]

MESSAGES = {
    0: "hello_request", 1: "client_hello", 2: "server_hello", 4: "new_session_ticket", 5: "end_of_early_data",
    8: "encrypted_extensions", 11: "certificate", 12: "server_key_exchange", 13: "certificate_request",
    14: "server_hello_done", 15: "certificate_verify", 16: "client_key_exchange", 20: "finished",
    22: "certificate_status", 24: "key_update",
}
HELLOS = (1, 2)
COMPRESSIONS = {0: "none", 1: "DEFLATE", 64: "LZS"}
RETRY = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")
"""The random value by which a HelloRetryRequest is told from a ServerHello (RFC 8446 §4.1.3)."""


def message(cutter: Cutter, end: int) -> None:
    """One message with its header, as much of it as is here."""
    kind = cutter.peek(1)[0]
    word = MESSAGES.get(kind, "other")
    with cutter.within(end, word.replace("_", " "), f"handshake.{word}") as inner:
        size = int.from_bytes(inner.peek(4)[1:], "big")
        with inner.within(inner.position + 4, "message header", "part.handshake-header") as head:
            head.take(1, "message type", "part.message-type", word)
            head.take(3, "message length", "part.message-length", f"{size} octets")
        if kind in READERS:
            READERS[kind](inner)
        inner.to(inner.end, "octets of the message", "part.opaque")


def hello_start(inner: Cutter) -> None:
    """What both hellos begin with: version, random, session id."""
    number(inner, 2, "version", "version", names.version)
    retry = inner.peek(32) == RETRY
    inner.take(32, "random", "part.random", "asks for another hello" if retry else "")
    size = (inner.peek(1) or b"\0")[0]
    inner.take(1, "session id length", "part.list-length", f"{size} octets")
    inner.take(size, "session id", "part.session-id")


def client_hello(inner: Cutter) -> None:
    hello_start(inner)
    size = int.from_bytes(inner.peek(2), "big")
    inner.take(2, "cipher suites length", "part.list-length", f"{size // 2} suites")
    with inner.within(inner.position + size, "cipher suites", "part.suites") as suites:
        while suites.left >= 2:
            suite(suites)
    compressions(inner, (inner.peek(1) or b"\0")[0])
    extensions(inner, client=True)


def server_hello(inner: Cutter) -> None:
    hello_start(inner)
    suite(inner)
    inner.take(1, "compression method", "part.compression", COMPRESSIONS.get((inner.peek(1) or b"\0")[0], "unknown"))
    extensions(inner, client=False)


def suite(inner: Cutter) -> None:
    """One suite: its name says all; those that are signals have an entry of their own."""
    name = names.suite(int.from_bytes(inner.peek(2), "big"))
    signal = name == "GREASE" or name.endswith("_SCSV")
    inner.take(2, "cipher suite", f"suite.{name}" if signal else "part.cipher-suite", name)


def compressions(inner: Cutter, count: int) -> None:
    inner.take(1, "compression methods length", "part.list-length", str(count))
    for _ in range(min(count, inner.left)):
        method = inner.peek(1)[0]
        inner.take(1, "compression method", "part.compression", COMPRESSIONS.get(method, f"0x{method:02X}"))


def certificates(inner: Cutter) -> None:
    """The chain, the leaf first (RFC 5246 §7.4.2)."""
    inner.take(3, "certificates length", "part.list-length", f"{int.from_bytes(inner.peek(3), 'big')} octets")
    while inner.left >= 3:
        size = int.from_bytes(inner.peek(3), "big")
        inner.take(3, "certificate length", "part.certificate-length", f"{size} octets")
        certificate(inner, inner.position + size)


def server_key_exchange(inner: Cutter) -> None:
    """The server's key share for this connection, and its signature (RFC 8422 §5.4)."""
    if inner.peek(1) != b"\x03":
        inner.to(inner.end, "key exchange", "part.key-exchange")
        return
    inner.take(1, "curve type", "part.curve", "named curve")
    number(inner, 2, "group", "group", names.group)
    share(inner, 1)
    if inner.left > 4:
        number(inner, 2, "signature scheme", "scheme", names.scheme)
        size = int.from_bytes(inner.peek(2), "big")
        inner.take(2, "signature length", "part.list-length", f"{size} octets")
        inner.take(size, "signature", "part.signature")


def client_key_exchange(inner: Cutter) -> None:
    share(inner, 2 if inner.left > 200 else 1)


def share(inner: Cutter, prefix: int) -> None:
    size = int.from_bytes(inner.peek(prefix), "big")
    inner.take(prefix, "key length", "part.list-length", f"{size} octets")
    inner.take(size, "key share", "part.key-exchange")


READERS: dict[int, Callable[[Cutter], None]] = {
    1: client_hello, 2: server_hello, 11: certificates, 12: server_key_exchange, 16: client_key_exchange,
}


def sslv2(cutter: Cutter) -> None:
    """A hello as SSL 2.0 had it, which old clients send first (RFC 5246 §E.2)."""
    size = int.from_bytes(cutter.peek(2), "big") & 0x7FFF
    with cutter.within(cutter.position + 2 + size, "SSL 2.0 hello", "version.SSL 2.0") as inner:
        inner.take(2, "length", "part.record-length", f"{size} octets")
        inner.take(1, "message type", "part.message-type", "client_hello")
        number(inner, 2, "version", "version", names.version)
        sizes = [int.from_bytes(inner.peek(6)[at:at + 2], "big") for at in (0, 2, 4)]
        inner.take(6, "lengths", "part.list-length", ", ".join(map(str, sizes)))
        with inner.within(inner.position + sizes[0], "cipher suites", "part.suites") as suites:
            while suites.left >= 3:
                suites.take(3, "cipher suite", "part.cipher-suite", names.suite(
                    int.from_bytes(suites.peek(3), "big") & 0xFFFF))
        inner.take(sizes[1], "session id", "part.session-id")
        inner.take(sizes[2], "challenge", "part.random")
