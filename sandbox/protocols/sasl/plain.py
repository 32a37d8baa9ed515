"""PLAIN (RFC 4616): the name and the password in one message, for channels that are encrypted already."""

from __future__ import annotations

from sandbox.protocols.sasl.base import Challenge, Mechanism, Reason, SaslError, Success, text

__all__ = ["Plain"]


class Plain(Mechanism):
    """message = [authzid] UTF8NUL authcid UTF8NUL passwd"""

    name = "PLAIN"
    plaintext = True

    def step(self, response: bytes | None) -> Challenge | Success:
        if response is None:
            return Challenge(b"")
        parts = response.split(b"\0")
        if len(parts) != 3 or not parts[1] or not parts[2]:
            raise SaslError(Reason.MALFORMED)
        authzid, authcid, password = map(text, parts)
        return self.check_identity(authzid, self.check_password(authcid, password))
