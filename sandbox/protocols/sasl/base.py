"""What every mechanism has in common."""

from __future__ import annotations

import abc
import enum
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

__all__ = ["Account", "Accounts", "Challenge", "Host", "Mechanism", "Reason", "SaslError", "Success", "same"]


class Account(Protocol):
    """Whoever may log in. login: the canonical name, whatever the client called it."""

    @property
    def login(self) -> str: ...
    @property
    def password(self) -> str: ...


Accounts = Callable[[str], Account | None]
"""The account a login name stands for ("alice", "alice@example.com"), None where there is none."""


@dataclass(frozen=True, slots=True)
class Host:
    """What a mechanism is told about where it runs.

    hostname: this server's name, for challenges; bindings: channel binding data by type, empty without TLS.
    """

    accounts: Accounts
    hostname: str
    bindings: Mapping[str, bytes]


class Reason(enum.Enum):
    """Why a login failed, as far as the client may know it."""

    CREDENTIALS = "wrong name or password"      # never which of the two
    MALFORMED = "that response does not follow the mechanism"
    BASE64 = "that is not base64"
    CANCELLED = "cancelled"
    TOO_LONG = "that response is too long"
    IDENTITY = "one account cannot act for another here"
    BINDING = "the channel binding does not match this TLS connection"


class SaslError(Exception):
    """The login failed. reason: why; account: the name that was tried, "" if it never came so far."""

    def __init__(self, reason: Reason, account: str = "") -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.account = account

    @property
    def heard(self) -> bool:
        """Whether the client has sent what it had to prove itself with."""
        return self.reason is Reason.CREDENTIALS


class Challenge(NamedTuple):
    """The client is asked for another response."""

    data: bytes


class Success(NamedTuple):
    """The client has proved to be this account."""

    account: str


class Mechanism(abc.ABC):
    """One login attempt.

    plaintext: whether a response carries the secret itself; secret: what that is; binds: whether it needs channel
    binding.
    """

    name: ClassVar[str]
    plaintext: ClassVar[bool] = False
    secret: ClassVar[str] = "password"
    binds: ClassVar[bool] = False

    def __init__(self, host: Host) -> None:
        self.host = host

    @abc.abstractmethod
    def step(self, response: bytes | None) -> Challenge | Success:
        """Take the client's response; None at the start when it sent no initial response. Raises SaslError."""

    def check_password(self, login: str, password: str) -> Success:
        """Compare in constant time, whether the account exists or not. Raises SaslError."""
        account = self.host.accounts(login)
        right = same(account.password if account else "", password)
        if account is None or not right:
            raise SaslError(Reason.CREDENTIALS, login)
        return Success(account.login)

    def check_identity(self, authzid: str, success: Success) -> Success:
        """An authorization identity may only repeat the account that logged in (RFC 4422 §3.4.1)."""
        if authzid:
            acting = self.host.accounts(authzid)
            if acting is None or acting.login != success.account:
                raise SaslError(Reason.IDENTITY, success.account)
        return success


def same(left: str | bytes, right: str | bytes) -> bool:
    """Equality in a time that does not tell where the difference is."""
    return hmac.compare_digest(left.encode() if isinstance(left, str) else left,
                               right.encode() if isinstance(right, str) else right)


def text(data: bytes) -> str:
    """UTF-8 without NUL. Raises SaslError."""
    try:
        value = data.decode("utf-8")
    except UnicodeDecodeError:
        raise SaslError(Reason.MALFORMED) from None
    if "\0" in value:
        raise SaslError(Reason.MALFORMED)
    return value
