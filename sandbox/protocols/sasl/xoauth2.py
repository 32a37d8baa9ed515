"""XOAUTH2: a bearer token in the place of a password, as the large mail providers ask for it.

The sandbox has no token server: the account's password is its token. The form is that of Google's documentation
("SASL XOAUTH2 Mechanism"): user=NAME ^A auth=Bearer TOKEN ^A ^A.
"""

from __future__ import annotations

from sandbox.protocols.sasl.base import Challenge, Host, Mechanism, Reason, SaslError, Success, text

__all__ = ["XOAuth2"]

REFUSED = b'{"status":"400","schemes":"Bearer","scope":"https://mail.sandbox.test/"}'


class XOAuth2(Mechanism):
    """A wrong token is answered by a challenge with JSON in it; the client responds with nothing, then it fails."""

    name = "XOAUTH2"
    plaintext = True
    secret = "token"

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.failure: SaslError | None = None

    def step(self, response: bytes | None) -> Challenge | Success:
        if self.failure is not None:
            raise self.failure
        if response is None:
            return Challenge(b"")
        fields = text(response).split("\x01")
        if len(fields) != 4 or fields[2:] != ["", ""] or not fields[0].startswith("user="):
            raise SaslError(Reason.MALFORMED)
        scheme, _, token = fields[1].removeprefix("auth=").partition(" ")
        if not fields[1].startswith("auth=") or scheme.lower() != "bearer":
            raise SaslError(Reason.MALFORMED)
        try:
            return self.check_password(fields[0].removeprefix("user="), token.strip())
        except SaslError as failure:
            self.failure = failure
            return Challenge(REFUSED)
