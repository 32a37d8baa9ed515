"""LOGIN: the name, then the password. Never standardised (draft-murchison-sasl-login-00), but many clients use it."""

from __future__ import annotations

from sandbox.protocols.sasl.base import Challenge, Host, Mechanism, Success, text

__all__ = ["Login"]


class Login(Mechanism):
    """The client ignores what the challenges say, except for some that look for these very words."""

    name = "LOGIN"
    plaintext = True

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.login: str | None = None

    def step(self, response: bytes | None) -> Challenge | Success:
        if response is None:
            return Challenge(b"Username:")
        if self.login is None:
            self.login = text(response)
            return Challenge(b"Password:")
        return self.check_password(self.login, text(response))
