"""The revocation list: always empty, always fresh.

Windows' TLS library refuses a certificate whose revocation it cannot check when the certificate names a list, and
distrusts one that names none in some settings; so there is one, and the sandbox answers for it.
"""

from __future__ import annotations

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from sandbox.pki.authority import BACKDATED, Authority

__all__ = ["empty_crl"]

FRESH = datetime.timedelta(days=7)
"""Until when a client may keep the list. It costs a millisecond to sign: no need to keep one ourselves."""


def empty_crl(authority: Authority) -> bytes:
    """A signed list that revokes nothing, in DER (RFC 5280 §5)."""
    now = datetime.datetime.now(datetime.UTC)
    key = authority.key.public_key()
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(now - BACKDATED).next_update(now + FRESH)
        .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)  # must never fall (§5.2.3)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key), critical=False)
    )
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.DER)
