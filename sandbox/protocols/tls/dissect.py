"""TLS on the wire in its parts (RFC 8446, RFC 5246): records, and what stands in them in clear.

What is encrypted is named as that. After a ChangeCipherSpec, handshake records up to TLS 1.2 are encrypted; in TLS
1.3 that message means nothing, encrypted handshake messages look like data, and only a hello may follow in clear.
"""

from __future__ import annotations

from sandbox.net.layers.tls import names
from sandbox.protocols.contract.spans import About, Cutter, Span
from sandbox.protocols.tls.dissecting.messages import HELLOS, message, sslv2

__all__ = ["PARTS", "RECORDS", "dissect"]

PARTS = frozenset({
    "alert-level", "certificate", "certificate-length", "cipher-suite", "common-name", "compression", "critical",
    "curve", "der-length", "encrypted", "entry", "extension-data", "extension-length", "extensions",
    "handshake-header", "host-name", "issuer", "key-exchange", "key-usage", "list-length", "message-length",
    "message-type", "name-part", "octets", "opaque", "point-format", "protocol-name", "psk-mode", "public-key",
    "random", "record-header", "record-length", "record-type", "san", "serial", "session-id", "signature",
    "signature-algorithm", "subject", "suites", "validity", "x509-extension", "x509-version",
})
"""Every part that has an entry of its own in the knowledge."""

RECORDS = {20: "change_cipher_spec", 21: "alert", 22: "handshake", 23: "application_data", 24: "heartbeat"}
LEVELS = {1: "warning", 2: "fatal"}
LARGEST = 16_384 + 2_048


def dissect(octets: bytes, about: About) -> tuple[Span, ...]:
    cutter = Cutter(octets)
    if len(octets) > 2 and octets[0] & 0x80 and octets[2] == 1:
        sslv2(cutter)
    hidden, open_ = False, 0
    while cutter.left >= 5:
        kind, size = cutter.octets[cutter.position], int.from_bytes(cutter.peek(5)[3:], "big")
        if kind not in RECORDS or cutter.peek(2)[1:] != b"\x03" or size > LARGEST:
            break
        with cutter.within(cutter.position + 5 + size, f"{RECORDS[kind]} record", f"record.{RECORDS[kind]}",
                           f"{size} octets") as inner:
            header(inner, kind, size)
            if kind == 20:
                inner.take(1, "change cipher spec", "record.change_cipher_spec")
                hidden = True
            elif kind == 22 and not (hidden and not hello_follows(inner)):
                open_ = handshake(inner, open_)
            elif kind == 21 and inner.left == 2 and not (hidden and open_):
                alert(inner)
            inner.to(inner.end, "encrypted octets", "part.encrypted")
    cutter.to(cutter.end, "piece of a record" if cutter.left < 5 else "octets", "part.octets")
    return cutter.done()


def header(inner: Cutter, kind: int, size: int) -> None:
    """RFC 8446 §5.1."""
    with inner.within(inner.position + 5, "record header", "part.record-header") as head:
        head.take(1, "record type", "part.record-type", RECORDS[kind])
        number = names.version(int.from_bytes(head.peek(2), "big"))
        head.take(2, "record version", f"version.{number}", number)
        head.take(2, "record length", "part.record-length", f"{size} octets")


def hello_follows(inner: Cutter) -> bool:
    """Whether a record after ChangeCipherSpec holds a hello in clear: after a HelloRetryRequest (RFC 8446 §4.1.4)."""
    front = inner.peek(4)
    return len(front) == 4 and front[0] in HELLOS and int.from_bytes(front[1:], "big") + 4 <= inner.left


def handshake(inner: Cutter, open_: int) -> int:
    """The messages of one record. open_: octets that the message that began before still has. What the last one
    here still has."""
    if open_:
        taken = min(open_, inner.left)
        inner.take(taken, "rest of a message", "part.opaque")
        open_ -= taken
    while inner.left >= 4:
        size = 4 + int.from_bytes(inner.peek(4)[1:], "big")
        open_ = max(0, size - inner.left)
        message(inner, inner.position + size)
    inner.to(inner.end, "piece of a message", "part.opaque")
    return open_


def alert(inner: Cutter) -> None:
    """RFC 8446 §6."""
    level, number = inner.peek(2)
    inner.take(1, "alert level", "part.alert-level", LEVELS.get(level, str(level)))
    inner.take(1, "alert", f"alert.{names.alert(number)}", names.alert(number))
