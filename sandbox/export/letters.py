"""Mail as JSON: what `sandbox mail --json` prints, and what programs are given elsewhere.

docs/reference/cli.md says what each field is. The values are those of `sandbox.message`, the one reading that IMAP
answers from as well.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from sandbox.message.addresses import Mailbox
from sandbox.message.message import Attachment, Message

__all__ = ["brief", "place", "whole"]


def place(account: str, folder: str, uid: int, flags: str, received: float, recipient: str) -> dict[str, Any]:
    """One copy of a message in a mailbox. received: seconds since the epoch; recipient: whom it was delivered for."""
    return {"account": account, "folder": folder, "uid": uid, "flags": flags.split(),
            "received": datetime.fromtimestamp(received, UTC).isoformat(), "recipient": recipient}


def brief(message: Message, recipients: list[str]) -> dict[str, Any]:
    """What the header and the envelope say. recipients: RCPT's; none for what its owner put there."""
    sent = message.sent
    return {
        "envelope": envelope(message, recipients),
        "from": addresses(message, "From"), "to": addresses(message, "To"), "cc": addresses(message, "Cc"),
        "subject": message.subject, "date": sent.isoformat() if sent is not None else None,
        "message_id": message.message_id,
    }


def envelope(message: Message, recipients: list[str]) -> dict[str, Any] | None:
    """MAIL FROM, which the last server writes into Return-Path (RFC 5321 §4.4), and RCPT TO."""
    if not recipients:
        return None
    return {"from": message.text_of("Return-Path").strip("<> "), "to": recipients}


def whole(message: Message, recipients: list[str], *, raw: bool = False) -> dict[str, Any]:
    """All that is read of a message; with its octets, in base64, where somebody asks for them."""
    return brief(message, recipients) | {
        "bcc": addresses(message, "Bcc"), "reply_to": addresses(message, "Reply-To"),
        "headers": [{"name": field.name, "value": field.text} for field in message.fields],
        "text": message.text, "html": message.html, "links": message.links, "codes": message.codes,
        "attachments": [attachment(message, each) for each in message.attachments],
    } | ({"raw": b64encode(message.octets).decode("ascii")} if raw else {})


def addresses(message: Message, name: str) -> list[dict[str, Any]]:
    return [address(box) for box in message.addresses(name) if box.host is not None]


def address(box: Mailbox) -> dict[str, Any]:
    """valid: false for what is no address; then `address` is what was written."""
    return {"name": box.shown_name, "address": box.address, "valid": box.valid}


def attachment(message: Message, about: Attachment) -> dict[str, Any]:
    return {"part": about.number, "type": about.type, "name": about.name, "disposition": about.disposition,
            "content_id": about.identity, "size": len(message.decoded(about.part)), "decoded": about.known}
