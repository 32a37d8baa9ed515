"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, 7677; bindings of RFC 5929 and 9266).

Neither side shows the password, and the client learns that the server knows it too. PLUS ties the proof to the
TLS connection, so that nobody in the middle can pass it on.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b64encode
from functools import lru_cache
from typing import NamedTuple

from sandbox.protocols.sasl.authenticate import decode
from sandbox.protocols.sasl.base import Challenge, Host, Mechanism, Reason, SaslError, Success, same, text
from sandbox.protocols.sasl.saslprep import saslprep

__all__ = ["ScramSha256", "ScramSha256Plus"]

ITERATIONS = 4096  # RFC 7677 §4: at least this many; a class of thirty logs in at once on a small machine
SECRET = secrets.token_bytes(32)  # salts are derived from it, so that a name that does not exist has one too

# RFC 5802 §7. gs2-header: gs2-cbind-flag "," [ "a=" saslname ] ","
CLIENT_FIRST = re.compile(
    r"(?P<header>(?P<flag>n|y|p=(?P<binding>[A-Za-z0-9.-]+)),(?:a=(?P<authzid>[^,]+))?,)"
    r"(?P<bare>n=(?P<name>[^,]+),r=(?P<nonce>[\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,]+)*)")
CLIENT_FINAL = re.compile(
    r"(?P<without_proof>c=(?P<channel>[A-Za-z0-9+/=]+),r=(?P<nonce>[\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,]+)*)"
    r",p=(?P<proof>[A-Za-z0-9+/=]+)")


class Keys(NamedTuple):
    """What is derived from a password (RFC 5802 §3)."""

    stored: bytes
    server: bytes


@lru_cache(maxsize=1024)
def derive(password: str, salt: bytes, iterations: int) -> Keys:
    """StoredKey and ServerKey. Costs about a millisecond, so the last ones are kept."""
    try:
        prepared = saslprep(password, stored=True)
    except ValueError:
        prepared = password  # it was given to the world as it is: such an account can still log in by PLAIN
    salted = hashlib.pbkdf2_hmac("sha256", prepared.encode(), salt, iterations)
    client = hmac.digest(salted, b"Client Key", "sha256")
    return Keys(hashlib.sha256(client).digest(), hmac.digest(salted, b"Server Key", "sha256"))


def saslname(value: str) -> str:
    """A name with its =2C and =3D taken back, prepared. Raises SaslError."""
    if re.search("=(?!2C|3D)", value):
        raise SaslError(Reason.MALFORMED)
    try:
        return saslprep(value.replace("=2C", ",").replace("=3D", "="))
    except ValueError:
        raise SaslError(Reason.MALFORMED) from None


class ScramSha256(Mechanism):
    """client-first, server-first, client-final, server-final; then the client responds with nothing (RFC 4422 §5)."""

    name = "SCRAM-SHA-256"

    def __init__(self, host: Host, nonce: str = "", salt: bytes = b"") -> None:
        super().__init__(host)
        self.own_nonce = nonce or secrets.token_urlsafe(18)
        self.salt = salt
        self.stage = self.first
        self.authzid = ""

    def step(self, response: bytes | None) -> Challenge | Success:
        if response is None:
            return Challenge(b"")  # RFC 4422 §3: a client-first mechanism without an initial response
        return self.stage(text(response))

    def first(self, message: str) -> Challenge | Success:
        match = CLIENT_FIRST.fullmatch(message)
        if match is None:  # also "m=", an extension this server must know and does not (§5.1)
            raise SaslError(Reason.MALFORMED)
        self.check_flag(match["flag"])
        self.header = match["header"].encode() + self.binding_data(match["binding"])
        self.authzid = saslname(match["authzid"] or "")
        self.login = saslname(match["name"])
        self.account = self.host.accounts(self.login)
        salt = self.salt or hmac.digest(SECRET, self.login.encode(), "sha256")[:16]
        self.keys = derive(self.account.password if self.account else "", salt, ITERATIONS)
        self.nonce = match["nonce"] + self.own_nonce
        server_first = f"r={self.nonce},s={b64encode(salt).decode()},i={ITERATIONS}"
        self.signed = f"{match['bare']},{server_first}"
        self.stage = self.final
        return Challenge(server_first.encode())

    def final(self, message: str) -> Challenge | Success:
        match = CLIENT_FINAL.fullmatch(message)
        if match is None or not same(match["nonce"], self.nonce):
            raise SaslError(Reason.MALFORMED, self.login)
        if not same(decode(match["channel"].encode()), self.header):
            raise SaslError(Reason.BINDING, self.login)
        auth = f"{self.signed},{match['without_proof']}".encode()
        signature = hmac.digest(self.keys.stored, auth, "sha256")
        proof = decode(match["proof"].encode())
        if len(proof) != len(signature):
            raise SaslError(Reason.MALFORMED, self.login)
        client_key = bytes(left ^ right for left, right in zip(proof, signature, strict=True))
        right = same(hashlib.sha256(client_key).digest(), self.keys.stored)
        if self.account is None or not right:
            raise SaslError(Reason.CREDENTIALS, self.login)
        self.success = self.check_identity(self.authzid, Success(self.account.login))
        self.stage = self.done
        return Challenge(b"v=" + b64encode(hmac.digest(self.keys.server, auth, "sha256")))

    def done(self, message: str) -> Challenge | Success:
        if message:
            raise SaslError(Reason.MALFORMED, self.login)
        return self.success

    def check_flag(self, flag: str) -> None:
        """Without binding. "y": the client could bind, and thinks we cannot: if we can, someone in the middle took
        PLUS out of our list (§6). Raises SaslError."""
        if flag.startswith("p=") or (flag == "y" and self.host.bindings):
            raise SaslError(Reason.BINDING)

    def binding_data(self, kind: str | None) -> bytes:
        return b""


class ScramSha256Plus(ScramSha256):
    """The same, bound to the TLS connection."""

    name = "SCRAM-SHA-256-PLUS"
    binds = True

    def check_flag(self, flag: str) -> None:
        if not flag.startswith("p="):
            raise SaslError(Reason.BINDING)

    def binding_data(self, kind: str | None) -> bytes:
        if kind is None or kind not in self.host.bindings:
            raise SaslError(Reason.BINDING)
        return self.host.bindings[kind]
