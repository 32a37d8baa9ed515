"""What an SMTP session works on: the office it belongs to, and the envelope being filled."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from email.utils import formatdate

from sandbox.protocols.sasl.base import Account, Accounts
from sandbox.protocols.smtp.grammar import Mailbox, Parameters
from sandbox.world.mail import MailStore

__all__ = ["CATCH_ALL", "Envelope", "Office", "Recipient", "received", "shown_host"]

CATCH_ALL = "catch-all"
"""The account that gets mail for everybody else, and for postmasters. Nobody can log in to it."""


@dataclass(frozen=True, slots=True)
class Office:
    """What an SMTP service is built on.

    accounts: finds a person by login or address; domains: those of the world; hostname: the server's own name;
    submission: whether it takes mail from people who log in (RFC 6409), rather than for them; catch_all: whether
    mail for other domains is captured; upgrade: whether STARTTLS is offered; require_tls: whether passwords may only
    be sent over TLS; channel_binding: whether logins may be tied to their TLS connection; size: octets of one
    message.
    """

    accounts: Accounts
    store: MailStore
    domains: Collection[str]
    hostname: str = "mail.example.com"
    submission: bool = False
    catch_all: bool = True
    upgrade: bool = False
    require_tls: bool = False
    channel_binding: bool = False
    size: int = 104_857_600

    def is_local(self, domain: str) -> bool:
        """Whether a domain is one of the world's, or this server itself."""
        domain = domain.lower().rstrip(".")
        return domain in self.domains or domain == self.hostname or not domain

    def find(self, mailbox: Mailbox) -> Account | None:
        """The person a local address belongs to; alice+anything is alice's too (RFC 5233)."""
        local = mailbox.local.partition("+")[0] or mailbox.local
        return None if "@" in local else self.accounts(local)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One accepted RCPT. account: whose mailbox it is, "" for one that another server has."""

    mailbox: Mailbox
    parameters: Parameters
    account: str = ""


@dataclass(slots=True)
class Envelope:
    """One mail transaction (RFC 5321 §3.3). sender: None for the null path."""

    sender: Mailbox | None
    parameters: Parameters
    recipients: list[Recipient] = field(default_factory=list)

    @property
    def return_path(self) -> str:
        return str(self.sender) if self.sender is not None else ""


def shown_host(name: str) -> str:
    """What a client called itself, made safe to stand in a header field."""
    return name[:255] if re.fullmatch(r"[A-Za-z0-9.:_\[\]-]+", name[:255]) else "unknown"


def received(helo: str, client: str, hostname: str, protocol: str, recipient: str) -> str:
    """A Received field (RFC 5321 §4.4). recipient: only where there is one, or others would be given away."""
    address = f"[IPv6:{client}]" if ":" in client else f"[{client}]"
    target = f"\r\n\tfor <{recipient}>" if recipient else ""
    return (f"Received: from {shown_host(helo)} ({address})\r\n\tby {hostname} with {protocol}{target};\r\n"
            f"\t{formatdate(localtime=True)}\r\n")
