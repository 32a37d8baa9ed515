"""Certificates that are wrong on purpose, so that everyone can see what a browser says about each.

A fault belongs to a host name, the first label under `badtls.example.com`: `expired.badtls.example.com` always
has an expired certificate.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.pki.authority import BACKDATED, make_root
from sandbox.pki.leaves import DAYS, KeyType, Leaf, Leaves, bundle, sign_leaf

__all__ = ["DOMAIN", "FAULTS", "bad_leaf", "fault_of"]

DOMAIN = "badtls.example.com"

OTHER_NAME = "somebody-else.example.net"
"""The name in the certificate for the wrong host."""


def fault_of(name: str) -> str | None:
    """The fault that the certificate for this (normalized) host name has, a key of `FAULTS`, or None."""
    label, _, domain = name.partition(".")
    return label if domain == DOMAIN and label in FAULTS else None


def bad_leaf(leaves: Leaves, fault: str, name: str, kind: KeyType = "ec") -> Leaf:
    """A certificate for `name` with that one thing wrong, and nothing else. Raises KeyError for unknown faults."""
    return FAULTS[fault](leaves, name, kind)


def _expired(leaves: Leaves, name: str, kind: KeyType) -> Leaf:
    """Good in every way, until yesterday."""
    now = datetime.datetime.now(datetime.UTC)
    return _signed(leaves, name, kind, now - datetime.timedelta(days=91), now - datetime.timedelta(days=1))


def _wrong_host(leaves: Leaves, name: str, kind: KeyType) -> Leaf:
    """A good certificate of another site (RFC 9525 §6)."""
    return _signed(leaves, OTHER_NAME, kind, *_valid_now())


def _self_signed(leaves: Leaves, name: str, kind: KeyType) -> Leaf:
    """Signed with its own key: it proves nothing but that its owner has the key."""
    key = leaves.key(kind)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    return bundle(name, key, sign_leaf(name, key, subject, key, *_valid_now()))


def _untrusted_root(leaves: Leaves, name: str, kind: KeyType) -> Leaf:
    """A complete chain, from an authority that nobody was ever asked to trust."""
    root, root_key = _stranger()
    key = leaves.key(kind)
    return bundle(name, key, sign_leaf(name, key, root.subject, root_key, *_valid_now()), root)


FAULTS: dict[str, Callable[[Leaves, str, KeyType], Leaf]] = {
    "expired": _expired,
    "wrong-host": _wrong_host,
    "self-signed": _self_signed,
    "untrusted-root": _untrusted_root,
}


@functools.cache
def _stranger() -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    """The untrusted root. Never written anywhere, so that nobody can come to trust it."""
    return make_root("A root that nobody trusts")


def _valid_now() -> tuple[datetime.datetime, datetime.datetime]:
    start = datetime.datetime.now(datetime.UTC) - BACKDATED
    return start, start + datetime.timedelta(days=DAYS)


def _signed(leaves: Leaves, name: str, kind: KeyType, start: datetime.datetime, end: datetime.datetime) -> Leaf:
    key, authority = leaves.key(kind), leaves.authority
    certificate = sign_leaf(name, key, authority.certificate.subject, authority.key, start, end, leaves.crl_url)
    return bundle(name, key, certificate, authority.certificate)
