"""Proving who one is: SASL (RFC 4422), server side, shared by SMTP, POP3 and IMAP.

One file per mechanism, each a small state machine without I/O: it is given what the client sent and returns a
`Challenge` or the `Success`, or raises `SaslError`. `dialogue.authenticate` carries one over a conversation.
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.protocols.contract.conversation import Conversation
from sandbox.protocols.sasl.authenticate import authenticate, decode, encode
from sandbox.protocols.sasl.base import Accounts, Challenge, Mechanism, Reason, SaslError, Success
from sandbox.protocols.sasl.cram_md5 import CramMd5
from sandbox.protocols.sasl.login import Login
from sandbox.protocols.sasl.plain import Plain
from sandbox.protocols.sasl.scram import ScramSha256, ScramSha256Plus
from sandbox.protocols.sasl.xoauth2 import XOAuth2

__all__ = [
    "MECHANISMS", "Accounts", "Challenge", "Mechanism", "Reason", "SaslError", "Success", "authenticate", "bindings",
    "decode", "encode", "offered",
]

MECHANISMS: Mapping[str, type[Mechanism]] = {
    mechanism.name: mechanism
    for mechanism in (ScramSha256Plus, ScramSha256, CramMd5, Plain, Login, XOAuth2)
}
"""By name, strongest first: the order in which they are announced."""


def bindings(conversation: Conversation, *, wanted: bool) -> dict[str, bytes]:
    """The channel binding data of a conversation by type; empty unless it has one that every client that binds knows.

    wanted: whether binding is offered at all (`mail.channel_binding`).

    There is no way to say which types a server has, so a client takes the one that is usual for its version of TLS:
    "tls-exporter" for TLS 1.3, "tls-unique" before (RFC 9266 §3, RFC 5802 §6.1).
    """
    if not wanted:
        return {}
    found = {kind: data for kind in ("tls-exporter", "tls-unique", "tls-server-end-point")
             if (data := conversation.channel_binding(kind)) is not None}
    return found if found.keys() & {"tls-exporter", "tls-unique"} else {}


def offered(*, plaintext: bool, bindings: Mapping[str, bytes]) -> list[str]:
    """The mechanisms to announce.

    plaintext: whether those that show the password may be used now; bindings: the channel binding data TLS gives.
    """
    return [name for name, mechanism in MECHANISMS.items()
            if (plaintext or not mechanism.plaintext) and (bindings or not mechanism.binds)]
