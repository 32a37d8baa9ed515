"""Hands a letter to a running sandbox over real SMTP, as any mail program would. Blocks."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Mapping, Sequence
from email import policy
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from pathlib import Path
from typing import NamedTuple

from sandbox.address import Address
from sandbox.errors import UserError
from sandbox.pki import ca_folder, ca_path

__all__ = ["Handed", "Login", "composed", "hand_over", "said", "trusting"]

SEND_SECONDS = 30.0
"""How long the sandbox may take to answer a command."""


class Login(NamedTuple):
    """As whom to log in, after TLS has started with this context."""

    name: str
    password: str
    context: ssl.SSLContext


class Handed(NamedTuple):
    """said: the answer to the letter itself; refused: by recipient, why it was not taken for them."""

    said: str
    refused: Mapping[str, str]


def composed(sender: str, to: Sequence[str], subject: str, text: str) -> bytes:
    """A letter of plain text. Raises UserError for what no header can say."""
    message = EmailMessage(policy=policy.SMTP if ascii_only((sender, *to)) else policy.SMTPUTF8)
    try:
        message["From"], message["To"], message["Subject"] = sender, ", ".join(to), subject
    except (ValueError, IndexError) as error:   # IndexError: the standard library's own, for an address such as ","
        raise UserError(f"such a message cannot be: {error}") from None
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2] or "sandbox.test")
    message.set_content(text)
    return message.as_bytes()


def hand_over(address: Address, sender: str, to: Sequence[str], letter: bytes, login: Login | None = None,
              connected: Callable[[Address], None] = lambda own: None) -> Handed:
    """One transaction. connected: told our own end of the connection. Raises UserError, which says what SMTP said."""
    try:
        with smtplib.SMTP(address.host, address.port, timeout=SEND_SECONDS) as client:
            assert client.sock is not None
            connected(Address(*client.sock.getsockname()[:2]))
            if login is not None:
                client.starttls(context=login.context)
                client.login(login.name, login.password)
            client.ehlo_or_helo_if_needed()
            return transaction(client, parseaddr(sender)[1], [parseaddr(each)[1] for each in to], letter,
                               utf8=not ascii_only((sender, *to)))
    except (smtplib.SMTPException, OSError, ValueError) as error:  # ValueError: an address that cannot be said
        raise UserError(said(error)) from error


def transaction(client: smtplib.SMTP, sender: str, to: Sequence[str], letter: bytes, *, utf8: bool) -> Handed:
    # RFC 6531 §3.4, RFC 6152 §3: what is not plain ASCII has to be announced.
    options = (["SMTPUTF8"] if utf8 else []) + ([] if letter.isascii() else ["BODY=8BITMIME"])
    if utf8:
        client.command_encoding = "utf-8"
    code, words = client.mail(sender, options)
    if code != 250:
        raise smtplib.SMTPSenderRefused(code, words, sender)
    refused = {}
    for recipient in to:
        code, words = client.rcpt(recipient)
        if code not in (250, 251):
            refused[recipient] = (code, words)
    if len(refused) == len(to):
        raise smtplib.SMTPRecipientsRefused(refused)
    code, words = client.data(letter)
    if code != 250:
        raise smtplib.SMTPDataError(code, words)
    return Handed(reply(code, words), {recipient: reply(*answer) for recipient, answer in refused.items()})


def ascii_only(addresses: Sequence[str]) -> bool:
    """Whether the addresses can be said without SMTPUTF8; names beside them can be encoded."""
    return all(parseaddr(text)[1].isascii() for text in addresses)


def trusting(data: Path) -> ssl.SSLContext:
    """A context that believes the sandbox's authority alone, which is made where there is none yet."""
    from sandbox.pki.authority import Authority
    Authority.open(ca_folder(data))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ca_path(data))
    return context


def reply(code: int, words: bytes | str) -> str:
    return f"{code} {words.decode('utf-8', 'replace') if isinstance(words, bytes) else words}"


def said(error: Exception) -> str:
    """What the server said, or why it said nothing."""
    if isinstance(error, smtplib.SMTPResponseException):
        return reply(error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(f"{address}: {reply(*answer)}" for address, answer in error.recipients.items())
    return str(error)
