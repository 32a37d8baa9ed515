"""The authority's certificate in the forms that different systems import."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12

__all__ = ["MEDIA_TYPES", "P12_PASSWORD", "der", "p12", "pem"]

MEDIA_TYPES = {
    "pem": "application/x-pem-file",
    "crt": "application/x-x509-ca-cert",  # the type at which browsers and phones offer to install a root
    "p12": "application/x-pkcs12",
    "crl": "application/pkix-crl",        # RFC 2585 §4.2
}
"""What a web server says about each file, by file name extension."""

P12_PASSWORD = "sandbox"
"""Java and macOS refuse a PKCS #12 file without a password. This one protects nothing: the file is public."""


def pem(certificate: x509.Certificate) -> bytes:
    """Base64 between BEGIN and END lines (RFC 7468): curl, OpenSSL, Python, Node, Linux distributions."""
    return certificate.public_bytes(Encoding.PEM)


def der(certificate: x509.Certificate) -> bytes:
    """The bare binary form: Windows, Android, browsers."""
    return certificate.public_bytes(Encoding.DER)


def p12(certificate: x509.Certificate) -> bytes:
    """PKCS #12 (RFC 7292) marked as a trust anchor the way Java wants it, so that it is a trust store as it is."""
    entry = pkcs12.PKCS12Certificate(certificate, b"sandbox")
    return pkcs12.serialize_java_truststore([entry], BestAvailableEncryption(P12_PASSWORD.encode()))
