"""The certificate authority: a key and a self-signed certificate in `DATA/ca/`, made once.

Files: `ca.key` (mode 0600: whoever has it can pretend to be any website to whoever trusts the authority), and the
certificate as `ca.pem`, `ca.crt` (DER) and `ca.p12`. The certificate is written last, so that a start that was
killed half-way leaves nothing that looks complete.

The authority's own key is RSA: the oldest clients that still speak TLS cannot verify ECDSA signatures, and one
authority has to do for all. Its certificates' keys are EC for everyone else (see `leaves`).
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import fcntl
import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from sandbox.errors import UserError
from sandbox.pki import formats

__all__ = ["Authority", "AuthorityError", "make_root"]

YEARS = 10
"""How long a root is valid. Browsers bound the age of site certificates, not of roots a person installed."""

BACKDATED = datetime.timedelta(days=1)
"""Certificates begin yesterday: a virtual machine's clock is often some hours behind."""


class AuthorityError(UserError):
    """The authority's files cannot be used. The text says which file, why, and what to do."""


class Authority:
    """A key and its self-signed certificate. It signs; `leaves`, `crl` and `bad` say what."""

    def __init__(self, certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> None:
        self.certificate = certificate
        self.key = key

    @classmethod
    def open(cls, folder: Path) -> Authority:
        """Load the authority in `folder`; make it first where there is none. Takes up to 0.2 s, on disk too.

        Raises AuthorityError when the files there cannot be used, OSError when they cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        with _alone_in(folder):
            if (folder / "ca.pem").exists():
                return cls._load(folder)
            authority = cls(*make_root(f"Sandbox CA {secrets.token_hex(3)}"))
            key = authority.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            _write(folder / "ca.key", key, 0o600)
            _write(folder / "ca.crt", formats.der(authority.certificate), 0o644)
            _write(folder / "ca.p12", formats.p12(authority.certificate), 0o644)
            _write(folder / "ca.pem", formats.pem(authority.certificate), 0o644)
            return authority

    @classmethod
    def _load(cls, folder: Path) -> Authority:
        path = folder / "ca.pem"
        advice = f"Remove the folder {folder} to get a new authority (clients must then trust that one)."
        try:
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
            path = folder / "ca.key"
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)
            # Checking that its numbers are prime takes longer than all the rest of a start; the comparison below
            # notices a damaged file.
            key = load_pem_private_key(path.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise AuthorityError(f"{path}: cannot be read as the sandbox's authority: {error}. {advice}") from error
        if not isinstance(key, rsa.RSAPrivateKey) or key.public_key() != certificate.public_key():
            raise AuthorityError(f"{path}: is not the key of {folder / 'ca.pem'}. {advice}")
        end = certificate.not_valid_after_utc
        if end < datetime.datetime.now(datetime.UTC):
            raise AuthorityError(f"{folder / 'ca.pem'}: expired on {end:%Y-%m-%d}. {advice}")
        return cls(certificate, key)

    @property
    def name(self) -> str:
        """The name under which trust stores list it."""
        return str(self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate as browsers show it: pairs of hexadecimal digits between colons."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def spki_hash(self) -> str:
        """Base64 of the SHA-256 of the public key, as Chromium and HPKP-style pins write it (RFC 7469 §2.4)."""
        public = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(hashlib.sha256(public).digest()).decode()


def make_root(name: str) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    """A new root that may sign site certificates, and nothing below those (RFC 5280 §4.2.1.9).

    Each has a name of its own: Firefox refuses two certificates that share issuer and serial number, and people
    who remove an old authority must be able to tell it from the new one.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sandbox, a pretend internet on this machine"),
        x509.NameAttribute(NameOID.COMMON_NAME, name),
    ])
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(
        key_cert_sign=True, crl_sign=True, digital_signature=False, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
        decipher_only=False)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED).not_valid_after(now + datetime.timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(identifier, critical=False)
    )
    return builder.sign(key, hashes.SHA256()), key


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """No other process may make an authority here meanwhile: the key of one and the certificate of the other would
    stay."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(path: Path, data: bytes, mode: int) -> None:
    """Write a whole file or none; never readable by others for a moment."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
