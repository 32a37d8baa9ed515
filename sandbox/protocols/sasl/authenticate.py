"""Carries a mechanism over a conversation: base64 lines, cancel, limits (RFC 4954 §4, 5034 §4, 9051 §6.2.2)."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable

from sandbox.protocols.contract.conversation import Conversation, TooLong
from sandbox.protocols.sasl.base import Mechanism, Reason, SaslError, Success

__all__ = ["LINE", "authenticate", "decode", "encode"]

LINE = 12_288 + 2  # RFC 4954 §4.1 and 5034 §4: the base64 of one response may have 12288 octets; and CRLF
STEPS = 8  # no mechanism here needs more than four


def decode(data: bytes) -> bytes:
    """Strict base64 (RFC 4648 §4): no stray characters, right padding, no bits left over. Raises SaslError."""
    try:
        value = b64decode(data, validate=True)
    except binascii.Error:
        raise SaslError(Reason.BASE64) from None
    if b64encode(value) != data:
        raise SaslError(Reason.BASE64)
    return value


def encode(data: bytes) -> bytes:
    return b64encode(data)


async def authenticate(conversation: Conversation, mechanism: Mechanism, initial: bytes | None,
                       prompt: Callable[[bytes], bytes]) -> str:
    """Run a login to its end; returns the account's name.

    initial: the initial response as the client sent it, in base64, "=" for an empty one, None without; prompt: how
    the protocol writes a challenge that is already in base64. Raises SaslError, ConversationError.
    """
    response = None if initial is None else b"" if initial == b"=" else decode(initial)
    for _ in range(STEPS):
        outcome = mechanism.step(response)
        if isinstance(outcome, Success):
            return outcome.account
        conversation.write(prompt(encode(outcome.data)))
        try:
            line = await conversation.read_line(LINE)
        except TooLong:
            conversation.take(len(conversation.buffer))
            raise SaslError(Reason.TOO_LONG) from None
        line = line.removesuffix(b"\n").removesuffix(b"\r")
        if line == b"*":
            raise SaslError(Reason.CANCELLED)
        response = decode(line)
    raise SaslError(Reason.MALFORMED)
