"""CRAM-MD5 (RFC 2195): the password is proved, not shown; but the server must know it, and MD5 is old."""

from __future__ import annotations

import hmac
import secrets
import time

from sandbox.protocols.sasl.base import Challenge, Host, Mechanism, Reason, SaslError, Success, same, text

__all__ = ["CramMd5"]


class CramMd5(Mechanism):
    """The response is the name, a space, and HMAC-MD5 of the challenge under the password, in lower case hex."""

    name = "CRAM-MD5"

    def __init__(self, host: Host, challenge: bytes = b"") -> None:
        super().__init__(host)
        # RFC 2195 §2: a timestamp that never comes twice, in the form of a message identifier.
        self.challenge = challenge or f"<{secrets.randbelow(10**12)}.{int(time.time())}@{host.hostname}>".encode()
        self.asked = False

    def step(self, response: bytes | None) -> Challenge | Success:
        if not self.asked:
            if response:
                raise SaslError(Reason.MALFORMED)  # the server speaks first: RFC 4954 §4 forbids an initial response
            self.asked = True
            return Challenge(self.challenge)
        login, space, digest = text(response or b"").rpartition(" ")
        if not space or not login:
            raise SaslError(Reason.MALFORMED)
        account = self.host.accounts(login)
        password = account.password if account else ""
        expected = hmac.new(password.encode(), self.challenge, "md5").hexdigest()
        right = same(expected, digest.lower())
        if account is None or not right:
            raise SaslError(Reason.CREDENTIALS, login)
        return Success(account.login)
