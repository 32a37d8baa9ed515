"""Certificates for sites, issued on demand: one for each name or IP address a client asks for.

Exact names, no wildcards: a learner who looks at a certificate should find the name in the address bar. Keys are
shared by all of an authority's certificates, because an RSA key takes longer to make than everything else in a
handshake and nothing here is secret from its own owner.
"""

from __future__ import annotations

import datetime
import ipaddress
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.pki.authority import BACKDATED, Authority
from sandbox.pki.names import normalize

__all__ = ["KeyType", "Leaf", "LeafKey", "Leaves", "bundle", "sign_leaf"]

KeyType = Literal["ec", "rsa"]
LeafKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

DAYS = 90
"""From first to last day. What browsers take falls from year to year, to 47 days in 2029 (CA/Browser Forum ballot
SC-081); a new one is made when it is needed."""

RENEW = datetime.timedelta(days=2)
"""A certificate with less time left is replaced: the sandbox of a classroom may run for a whole year."""

KEPT = 1024
"""Certificates kept in memory. Issuing another costs about a millisecond, so a crawler evicting them is harmless."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A site's certificate. chain: DER, the leaf first; pem: chain and private key in one file, as OpenSSL loads
    it; expires: when to stop using it, seconds since the epoch."""

    name: str
    chain: tuple[bytes, ...]
    pem: bytes
    expires: float


def subject_alternative(name: str) -> x509.GeneralName:
    """How a certificate names its site (RFC 9525 §6: clients look here and nowhere else)."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def sign_leaf(
    name: str, key: LeafKey, issuer: x509.Name, signer: LeafKey, not_before: datetime.datetime,
    not_after: datetime.datetime, crl_url: str = "",
) -> x509.Certificate:
    """One site certificate for `name` and the public half of `key`, by the rules of RFC 5280 §4.2."""
    # A common name holds 64 characters; without one the alternative name must be critical (§4.2.1.6).
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if len(name) <= 64 else [])
    usage = x509.KeyUsage(
        digital_signature=True, key_encipherment=isinstance(key, rsa.RSAPrivateKey), content_commitment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False,
        decipher_only=False)
    signer_key = signer.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before).not_valid_after(not_after)
        .add_extension(x509.SubjectAlternativeName([subject_alternative(name)]), critical=not list(subject))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer_key), critical=False)
    )
    if crl_url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def bundle(name: str, key: LeafKey, certificate: x509.Certificate, *others: x509.Certificate) -> Leaf:
    """A certificate and the ones that follow it in its chain, ready to be served."""
    chain = (certificate, *others)
    pem = b"".join(one.public_bytes(Encoding.PEM) for one in chain)
    pem += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    renew = certificate.not_valid_after_utc - RENEW
    return Leaf(name, tuple(one.public_bytes(Encoding.DER) for one in chain), pem, renew.timestamp())


class Leaves:
    """The certificates of one authority. Safe to use from several threads.

    crl_url: where clients find the revocation list; "" leaves it out.
    """

    def __init__(self, authority: Authority, crl_url: str = "") -> None:
        self.authority = authority
        self.crl_url = crl_url
        self._lock = threading.Lock()
        self._keys: dict[KeyType, LeafKey] = {}
        self._kept: OrderedDict[tuple[str, KeyType], Leaf] = OrderedDict()

    def key(self, kind: KeyType) -> LeafKey:
        """The key that all certificates of this kind share. The first RSA one takes a twentieth of a second."""
        with self._lock:
            if kind not in self._keys:
                self._keys[kind] = (
                    ec.generate_private_key(ec.SECP256R1()) if kind == "ec"
                    else rsa.generate_private_key(public_exponent=65537, key_size=2048))
            return self._keys[kind]

    def get(self, name: str, kind: KeyType = "ec") -> Leaf:
        """The certificate for a host name or IP address, issued now where there is none. Raises BadName."""
        name = normalize(name)
        now = datetime.datetime.now(datetime.UTC)
        with self._lock:
            leaf = self._kept.get((name, kind))
            if leaf is not None and leaf.expires > now.timestamp():
                self._kept.move_to_end((name, kind))
                return leaf
        key, start = self.key(kind), now - BACKDATED
        authority = self.authority
        certificate = sign_leaf(name, key, authority.certificate.subject, authority.key, start,
                                start + datetime.timedelta(days=DAYS), self.crl_url)
        # A client that trusts the root has it already. It is sent all the same, as it may be (RFC 8446 §4.4.2):
        # whoever looks at the chain sees where it ends, and Chromium can be told to accept it by its key.
        leaf = bundle(name, key, certificate, authority.certificate)
        with self._lock:
            self._kept[name, kind] = leaf
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return leaf
