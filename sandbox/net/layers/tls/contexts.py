"""OpenSSL's contexts: one for each name, list of application protocols and strength, made when first asked for.

A context holds a site's certificates and everything OpenSSL should insist on. The engine reads the name from the
ClientHello before OpenSSL sees it, so a handshake runs on the right context from its first byte: with OpenSSL's
own server-name callback the application protocols and the key log of the context it selects would be lost.

Making one takes a millisecond or two (the first in a folder up to 0.2 s) and reads and writes files: make them in
a worker thread (`get`), after a look at what is there already (`ready`), which never blocks.
"""

from __future__ import annotations

import enum
import os
import ssl
import tempfile
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sandbox.pki.names import BadName, normalize

if TYPE_CHECKING:
    from sandbox.pki.leaves import KeyType, Leaf, Leaves

__all__ = ["Contexts", "Site", "Strength", "site_for"]

KEPT = 128
"""Contexts kept. Each holds a file descriptor while there is a key log; one that left stays open only as long as
a connection uses it."""

KEPT_SECONDS = 86_400
"""After a day a context is made anew: its certificates, which are renewed two days before their end, grow old."""

MODERN_SUITES = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""TLS 1.2 with forward secrecy and authenticated encryption only (RFC 9325 §4.2). TLS 1.3 has nothing weaker."""

LEGACY_SUITES = "ALL:!aNULL:!eNULL:!PSK:!SRP:@SECLEVEL=0"
"""Everything OpenSSL still has: TLS 1.0 and 1.1 sign with SHA-1, which level 1 and above forbid."""


class Strength(enum.Enum):
    """What a service accepts."""

    MODERN = "modern"
    """TLS 1.2 and 1.3, strong suites."""
    LEGACY = "legacy"
    """TLS 1.0 to 1.3, any suite that encrypts: for old clients, on a listener of its own."""
    OLDEST = "oldest"
    """TLS 1.0 alone: so that a modern client can be seen refusing it."""


class Site(NamedTuple):
    """What a context is for. name: a normalized host name or IP address; bad: what is wrong with its certificate, a
    fault of `pki/bad.py`, "" for nothing."""

    name: str
    alpn: tuple[str, ...] = ()
    strength: Strength = Strength.MODERN
    bad: str = ""


OLDEST_HOST = "old-tls.badtls.example.com"
"""The host that speaks TLS 1.0 only, whoever asks."""


def site_for(
    server_name: str, address: str, alpn: tuple[str, ...] = (), strength: Strength = Strength.MODERN, bad: str = "",
) -> Site:
    """What a client asked for: the name in its hello, or the address it came to when it named none, or one that no
    certificate could carry."""
    name = _host(server_name) or _host(address) or "localhost"
    if name == OLDEST_HOST or strength is Strength.OLDEST:
        return Site(name, tuple(one for one in alpn if one != "h2"), Strength.OLDEST, bad)  # RFC 9113 §9.2: 1.2
    return Site(name, alpn, strength, bad)


class Kept(NamedTuple):
    """expires: when to make another, in seconds since the epoch."""

    context: ssl.SSLContext
    expires: float
    leaves: tuple[Leaf, ...]


class Contexts:
    """The contexts of one data folder. Safe to use from several threads.

    folder: of the authority, made where there is none; crl_url: for the certificates, "" for none; keylog: the
    file that gets every connection's secrets (the NSS format Wireshark reads), created for the owner alone.
    """

    def __init__(self, folder: Path, *, crl_url: str = "", keylog: Path | None = None, size: int = KEPT) -> None:
        self._folder = folder
        self._crl_url = crl_url
        self.keylog = keylog
        self._size = size
        self._lock = threading.Lock()
        self._kept: OrderedDict[Site, Kept] = OrderedDict()
        self._issuer: Leaves | None = None
        self._client: ssl.SSLContext | None = None

    def ready(self, site: Site) -> ssl.SSLContext | None:
        """The context, if it is there. Never blocks, not even on a thread that is making another one."""
        kept = self._kept.get(site)
        return kept.context if kept is not None and kept.expires > time.time() else None

    def get(self, site: Site) -> ssl.SSLContext:
        """The context, made now where there is none. Blocks: call it in a worker thread.

        Raises AuthorityError or OSError when the authority's folder cannot be used.
        """
        with self._lock:
            context = self.ready(site)
            if context is not None:
                self._kept.move_to_end(site)
                return context
            leaves = self._certificates(site.name, site.bad)
            context = self._make(site, leaves)
            self._kept[site] = Kept(context, time.time() + KEPT_SECONDS, tuple(leaves))
            self._kept.move_to_end(site)
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
            return context

    def leaves(self, site: Site) -> tuple[Leaf, ...]:
        """The certificates that a context was made with, the EC one first; none where it is gone. Never blocks."""
        kept = self._kept.get(site)
        return kept.leaves if kept is not None else ()

    def client(self) -> ssl.SSLContext:
        """The context of connections that the sandbox itself opens: it believes this authority and no other.

        Blocks. Raises as `get`.
        """
        with self._lock:
            if self._client is None:
                from sandbox.pki.formats import pem
                authority = self._leaves().authority
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.minimum_version = ssl.TLSVersion.TLSv1_2
                context.load_verify_locations(cadata=pem(authority.certificate).decode())
                self._client = context
            return self._client

    def open(self) -> None:
        """Load or make the authority: its files are there from now on. Blocks. Raises as `get`."""
        with self._lock:
            self._leaves()

    def warm(self) -> None:
        """Make the key that takes longest, so that the first handshake need not. Blocks. Raises as `get`."""
        with self._lock:
            self._leaves().key("rsa")

    def _leaves(self) -> Leaves:
        if self._issuer is None:
            from sandbox.pki.authority import Authority
            from sandbox.pki.leaves import Leaves

            self._issuer = Leaves(Authority.open(self._folder), self._crl_url)
        return self._issuer

    def _certificates(self, name: str, bad: str) -> list[Leaf]:
        """An EC and an RSA certificate: OpenSSL sends the one the client can verify. On purpose bad ones for the
        hosts that exist for it, and where that is asked for."""
        from sandbox.pki.bad import bad_leaf, fault_of

        leaves, fault = self._leaves(), bad or fault_of(name)
        kinds: tuple[KeyType, ...] = ("ec", "rsa")
        if fault is not None:
            return [bad_leaf(leaves, fault, name, kind) for kind in kinds]
        return [leaves.get(name, kind) for kind in kinds]

    def _make(self, site: Site, certificates: list[Leaf]) -> ssl.SSLContext:
        # Python's own defaults stay: no SSL 2.0 and 3.0, no compression (CRIME), the server's order of suites.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_COMPRESSION
        if site.strength is Strength.MODERN:
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(MODERN_SUITES)
        else:
            # The lowest that OpenSSL has, short of SSL 3.0 which the defaults exclude: naming TLS 1.0 is deprecated.
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.set_ciphers(LEGACY_SUITES)
        if site.strength is Strength.OLDEST:
            context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        if site.alpn:
            context.set_alpn_protocols(list(site.alpn))
        for leaf in certificates:
            _load(context, leaf)
        if self.keylog is not None:
            handle = os.open(self.keylog, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.fchmod(handle, 0o600)  # OpenSSL would create it readable for everyone
            finally:
                os.close(handle)
            context.keylog_filename = str(self.keylog)
        return context


def _host(name: str) -> str:
    try:
        return normalize(name)
    except BadName:
        return ""


def _load(context: ssl.SSLContext, leaf: Leaf) -> None:
    """OpenSSL reads certificate and key from a file only: one that nobody else can read, for a moment."""
    with tempfile.NamedTemporaryFile(prefix="sandbox-", suffix=".pem") as file:
        file.write(leaf.pem)
        file.flush()
        context.load_cert_chain(file.name)
