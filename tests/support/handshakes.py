"""What crosses the wire in a TLS handshake, and the readable start of SSH, without a network."""

from __future__ import annotations

import contextlib
import datetime
import functools
import ipaddress
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["SYN_4", "SYN_6", "shake", "ssh_start"]

NAME = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests"),
                  x509.NameAttribute(NameOID.COMMON_NAME, "www.example.com")])

SYN_4 = bytes.fromhex(
    "4500003c1c46400040063a2e" "7f0000017f000001" "9c401f90" "6ad5f3b2" "00000000" "a002" "ffd7" "fe30" "0000"
    "0204ffd7" "0402" "080a" "3b1c9f1a" "00000000" "01" "030307")
"""An IPv4 header and a TCP header with the options that Linux sends."""
SYN_6 = bytes.fromhex("6002a1b300280640" + "00" * 15 + "01" + "00" * 15 + "01") + SYN_4[20:]


@functools.cache
def credentials() -> tuple[bytes, bytes]:
    """A certificate that vouches for itself, and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("www.example.com"), x509.IPAddress(ipaddress.ip_address("::1")),
                                         x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    usage = x509.KeyUsage(digital_signature=True, content_commitment=False, key_encipherment=False,
                          data_encipherment=False, key_agreement=False, key_cert_sign=False, crl_sign=False,
                          encipher_only=False, decipher_only=False)
    built = (x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).public_key(key.public_key())
             .serial_number(4711).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=20_000))
             .add_extension(names, critical=False).add_extension(usage, critical=True)
             .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
             .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
             .sign(key, hashes.SHA256()))
    return built.public_bytes(serialization.Encoding.PEM), key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@functools.cache
def shake(version: ssl.TLSVersion, protocol: str = "h2") -> tuple[bytes, bytes]:
    """All that client and server send until the client has said a few words, which an alert follows."""
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("certificate", "key")]
        for file, pem in zip(files, credentials(), strict=True):
            file.write_bytes(pem)
        server.load_cert_chain(files[0], files[1])
    client.check_hostname, client.verify_mode, client.maximum_version = False, ssl.CERT_NONE, version
    server.set_alpn_protocols(["h2"])
    client.set_alpn_protocols([protocol, "http/1.1"])
    to_client, to_server, from_client, from_server = (ssl.MemoryBIO() for _ in range(4))
    ends = (client.wrap_bio(to_client, from_client, server_hostname="www.example.com"),
            server.wrap_bio(to_server, from_server, server_side=True))
    said, answered = b"", b""
    for _ in range(5):
        for end in ends:
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
        octets = from_client.read()
        said += octets
        to_server.write(octets)
        octets = from_server.read()
        answered += octets
        to_client.write(octets)
    ends[0].write(b"hello")
    with contextlib.suppress(ssl.SSLError):
        ends[0].unwrap()
    return said + from_client.read(), answered


def string(octets: bytes) -> bytes:
    return len(octets).to_bytes(4, "big") + octets


def packet(payload: bytes) -> bytes:
    """RFC 4253 §6, before there is a cipher."""
    padding = 8 - (len(payload) + 5) % 8 + 4
    return (1 + len(payload) + padding).to_bytes(4, "big") + bytes([padding]) + payload + bytes(padding)


def ssh_start() -> bytes:
    """A client's side up to its first encrypted octets."""
    lists = [b"curve25519-sha256", b"ssh-ed25519", b"aes128-ctr", b"aes128-ctr", b"hmac-sha2-256", b"hmac-sha2-256",
             b"none", b"none", b"", b""]
    offer = bytes([20]) + bytes(range(16)) + b"".join(map(string, lists)) + bytes(5)
    return (b"SSH-2.0-OpenSSH_9.2 Debian\r\n" + packet(offer) + packet(bytes([30]) + string(bytes(32)))
            + packet(bytes([21])) + bytes(range(64)))
