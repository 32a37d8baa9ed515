"""Telling a sender what became of a message: delivery status notifications (RFC 3461, 3464, 6522)."""

from __future__ import annotations

from email.utils import formatdate
from typing import Literal, NamedTuple
from uuid import uuid4

import msgspec

from sandbox.message.scan import body_start
from sandbox.protocols.smtp.grammar import Parameters

__all__ = ["Facts", "Outcome", "needs", "report"]

HEADER_LIMIT = 65_536    # octets of the original's header that are sent back
RETURNED = 1_048_576     # octets up to which a whole original is sent back when the sender asked for it (RET=FULL)


class Facts(msgspec.Struct, omit_defaults=True):
    """What the queue remembers about one leg beside the addresses (see RFC 3461 §6)."""

    body: str = ""
    utf8: bool = False
    ret: str = ""
    envid: str = ""
    notify: list[str] = []
    orcpt: str = ""
    cause: int = 0
    """The exchange that the message came with, where it was known when the leg was last written down."""

    @classmethod
    def of(cls, mail: Parameters, rcpt: Parameters) -> Facts:
        return cls(mail.body, mail.utf8, mail.ret, mail.envid, sorted(rcpt.notify), rcpt.orcpt)

    def encode(self) -> str:
        return msgspec.json.encode(self).decode()

    @classmethod
    def decode(cls, text: str) -> Facts:
        return msgspec.json.decode(text or "{}", type=cls)

    def wants(self, event: Literal["SUCCESS", "FAILURE", "DELAY"]) -> bool:
        """RFC 3461 §4.1: without NOTIFY a sender hears of failures (and of delays, if the server likes)."""
        return event in self.notify if self.notify else event == "FAILURE"


class Outcome(NamedTuple):
    """What became of one recipient.

    action: RFC 3464 §2.3.3; status: an enhanced code; diagnostic: the other server's reply, "" when it never came to
    one; remote: that server's name, "" for none.
    """

    recipient: str
    facts: Facts
    action: Literal["failed", "delayed", "delivered", "relayed"]
    status: str
    diagnostic: str = ""
    remote: str = ""


SUBJECTS = {"failed": "Your message could not be delivered", "delayed": "Your message is late",
            "delivered": "Your message was delivered", "relayed": "Your message was passed on"}
SENTENCES = {
    "failed": "This message could not be delivered to:",
    "delayed": "This message has not been delivered yet; there will be more attempts. It is for:",
    "delivered": "This message is now in the mailbox of:",
    "relayed": "This message was passed on to a server that does not report what becomes of it. It is for:",
}


def report(sender: str, outcomes: list[Outcome], original: bytes, hostname: str) -> bytes:
    """A multipart/report for the sender of a message: in words, for programs, and the original or its header.

    outcomes: of one action, at least one; original: as much of the message as the caller has.
    """
    action, facts = outcomes[0].action, outcomes[0].facts
    boundary = f"=_{uuid4().hex}"
    utf8 = not (sender + "".join(outcome.recipient + outcome.diagnostic for outcome in outcomes)).isascii()
    charset = "utf-8" if utf8 else "us-ascii"
    words = "".join(f"  {one.recipient}\r\n" + (f"    {flat(one.diagnostic)}\r\n" if one.diagnostic else "")
                    for one in outcomes)
    head = (f"From: Mail Delivery System <MAILER-DAEMON@{hostname}>\r\nTo: <{sender}>\r\n"
            f"Subject: {SUBJECTS[action]}\r\nDate: {formatdate(localtime=True)}\r\n"
            f"Message-ID: <{uuid4().hex}@{hostname}>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
            f"Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{boundary}\"\r\n\r\n")
    text = (f"--{boundary}\r\nContent-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            f"This is the mail system of {hostname}.\r\n\r\n{SENTENCES[action]}\r\n\r\n{words}\r\n")
    status = (f"--{boundary}\r\nContent-Type: message/{'global-' if utf8 else ''}delivery-status\r\n"
              + ("Content-Transfer-Encoding: 8bit\r\n" if utf8 else "") + "\r\n"
              + (f"Original-Envelope-Id: {facts.envid}\r\n" if facts.envid else "")
              + f"Reporting-MTA: dns; {hostname}\r\n"
              + "".join(f"\r\n{recipient_fields(outcome, utf8=utf8)}" for outcome in outcomes))
    kind, returned = returned_part(original, facts.ret if action == "failed" else "HDRS")
    return (head + text + status + f"\r\n--{boundary}\r\nContent-Type: {kind}\r\n"
            + ("" if original.isascii() else "Content-Transfer-Encoding: 8bit\r\n") + "\r\n"
            ).encode("utf-8") + returned + f"\r\n--{boundary}--\r\n".encode()


def needs(sender: str, text: bytes) -> Facts:
    """What a report, for that sender, needs of the servers on its way (RFC 6152 §3, RFC 6531 §3.5)."""
    return Facts(body="" if text.isascii() else "8BITMIME", utf8=not sender.isascii())


def recipient_fields(outcome: Outcome, *, utf8: bool) -> str:
    """The per-recipient group (RFC 3464 §2.3)."""
    kind = "utf-8" if utf8 and not outcome.recipient.isascii() else "rfc822"
    fields = [f"Original-Recipient: {outcome.facts.orcpt}"] if outcome.facts.orcpt else []
    fields += [f"Final-Recipient: {kind}; {outcome.recipient}", f"Action: {outcome.action}",
               f"Status: {outcome.status}"]
    if outcome.remote:
        fields.append(f"Remote-MTA: dns; {outcome.remote}")
    if outcome.diagnostic:
        fields.append(f"Diagnostic-Code: smtp; {flat(outcome.diagnostic)}")
    return "".join(f"{field}\r\n" for field in fields)


def returned_part(original: bytes, ret: str) -> tuple[str, bytes]:
    """The original as far as it is sent back (RFC 3461 §6.2: its header, unless all of it was asked for)."""
    if ret == "FULL" and len(original) <= RETURNED:
        return "message/rfc822", original
    start = original[:HEADER_LIMIT]
    header = start[:body_start(start, 0, len(start))]
    if header.endswith((b"\n\r\n", b"\n\n")):  # the blank line is none of it
        header = header[:-1].removesuffix(b"\r")
    return "text/rfc822-headers", header


def flat(text: str) -> str:
    """One printable line, however the other server broke it."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:500]
