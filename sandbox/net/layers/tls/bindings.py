"""Channel bindings: what ties a login to one TLS connection, so that nobody between the two ends can pass it on
(RFC 5056, 5929, 9266).

Python's ssl gives "tls-unique" only. "tls-exporter" is computed here from the exporter secret, which OpenSSL writes
to the key log; "tls-server-end-point" from the certificate that was sent, where it is sure which one that was.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path

from sandbox.net.layers.tls.hello import ClientHello
from sandbox.pki.leaves import Leaf

__all__ = ["end_point", "exporter", "logged_secret", "sent_leaf"]

LOOKED_AT = 262_144
"""Octets at the key log's end: a few hundred handshakes."""

LABEL = b"EXPORTER-Channel-Binding"
LENGTH = 32
"""Of tls-exporter, in octets (RFC 9266 §2)."""

ECDSA_P256 = 0x0403
"""ecdsa_secp256r1_sha256 (RFC 8446 §4.2.3)."""


def logged_secret(keylog: Path, hello: ClientHello) -> bytes:
    """The exporter secret of the connection that began with this hello, b"" where the log's end has none.

    It reads what OpenSSL has just written, from the system's cache, on the thread where OpenSSL wrote it.
    """
    try:
        with open(keylog, "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LOOKED_AT))
            lines = file.read()
    except OSError:
        return b""
    _, found, rest = lines.rpartition(b"EXPORTER_SECRET " + hello.random.hex().encode() + b" ")
    return bytes.fromhex(rest.split(b"\n", 1)[0].decode("ascii")) if found else b""


def exporter(secret: bytes) -> bytes:
    """"tls-exporter" of a TLS 1.3 connection (RFC 9266 §2), by RFC 8446 §7.5. secret: the exporter's."""
    digest = "sha384" if len(secret) == 48 else "sha256"  # the suite's; no suite in use has another
    empty = hashlib.new(digest).digest()
    derived = expand(secret, LABEL, empty, len(empty), digest)
    return expand(derived, b"exporter", empty, LENGTH, digest)


def expand(secret: bytes, label: bytes, context: bytes, length: int, digest: str) -> bytes:
    """HKDF-Expand-Label (RFC 8446 §7.1) for a length of one block at most."""
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(label)]) + label + bytes([len(context)]) + context
    return hmac.digest(secret, info + b"\x01", digest)[:length]


def sent_leaf(leaves: Sequence[Leaf], hello: ClientHello, version: str, suite: str) -> Leaf | None:
    """Which of an EC and an RSA certificate OpenSSL sent, None where that is not sure. suite: its standard name."""
    if len(leaves) != 2:
        return None
    if version == "TLS 1.3":
        # Contexts prefer their own order of signature schemes, in which this one comes first.
        return leaves[0 if ECDSA_P256 in hello.schemes else 1]
    if "ECDSA" in suite:
        return leaves[0]
    return leaves[1] if "_RSA_" in suite else None


def end_point(leaf: Leaf) -> bytes:
    """"tls-server-end-point" (RFC 5929 §4.1): the certificate's hash, by the algorithm it is signed with, which is
    SHA-256 for all of ours."""
    return hashlib.sha256(leaf.chain[0]).digest()
