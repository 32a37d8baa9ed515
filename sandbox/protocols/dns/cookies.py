"""DNS cookies (RFC 7873, RFC 9018): a weak but cheap proof that a client is where it says it is.

The server's cookie is a keyed hash of the client's cookie, its address and the time, so nothing has to be remembered
per client. Nobody is refused for lack of one here: a sandbox is not flooded from forged addresses, but clients that
use cookies get to see real ones.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
import time
from collections.abc import Callable

__all__ = ["BadCookie", "Cookies"]

CLIENT_SIZE = 8
SERVER_SIZES = range(8, 33)     # RFC 7873 §4
VERSION = 1                     # RFC 9018 §4.1
HASH_SIZE = 8
LIFETIME = 3_600                # seconds, RFC 9018 §4.3
RENEW = 1_800
FUTURE = 300


class BadCookie(ValueError):
    """A COOKIE option of a length that none may have: a format error (RFC 7873 §5.2.2)."""


class Cookies:
    """Makes and checks cookies. secret: 16 octets, by default fresh ones; clock: seconds since the epoch."""

    def __init__(self, secret: bytes = b"", clock: Callable[[], float] = time.time) -> None:
        self._secret = secret or os.urandom(16)
        self._clock = clock

    def answer(self, option: bytes, host: str) -> tuple[bytes, str]:
        """The option to send back, and what the client's one was: "new", "valid" or "bad".

        option: the client's, with or without a server cookie in it. Raises BadCookie.
        """
        client, server = option[:CLIENT_SIZE], option[CLIENT_SIZE:]
        if len(client) < CLIENT_SIZE or (server and len(server) not in SERVER_SIZES):
            raise BadCookie(f"{len(option)} octets are no cookie")
        now = int(self._clock())
        if not server:
            return client + self._make(client, host, now), "new"
        age = self._age(client, server, host, now)
        if age is None:
            return client + self._make(client, host, now), "bad"
        return client + (server if age < RENEW else self._make(client, host, now)), "valid"

    def _age(self, client: bytes, server: bytes, host: str, now: int) -> int | None:
        """How old a server cookie is, in seconds; None where it is not one of ours, or too old."""
        if len(server) != 8 + HASH_SIZE or server[0] != VERSION:
            return None
        (made,) = struct.unpack("!I", server[4:8])
        # Serial number arithmetic (RFC 1982), for the day when 32 bits of seconds run over.
        age: int = (now - made + 2 ** 31) % 2 ** 32 - 2 ** 31
        genuine = hmac.compare_digest(self._hash(client, server[:8], host), server[8:])
        return age if genuine and -FUTURE <= age <= LIFETIME else None

    def _make(self, client: bytes, host: str, now: int) -> bytes:
        head = struct.pack("!BxxxI", VERSION, now % 2 ** 32)
        return head + self._hash(client, head, host)

    def _hash(self, client: bytes, head: bytes, host: str) -> bytes:
        # RFC 9018 wants SipHash only where several servers share a secret; BLAKE2 is in the standard library.
        return hashlib.blake2s(client + head + host.encode(), key=self._secret, digest_size=HASH_SIZE).digest()
