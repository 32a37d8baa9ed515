"""A login as it goes over a conversation: base64, cancel, limits."""

from __future__ import annotations

import pytest

from sandbox.protocols.sasl import MECHANISMS, Reason, SaslError, authenticate
from sandbox.protocols.sasl.base import Host
from tests.support.dialogue import Talk


class Alice:
    login = "alice"
    password = "wonderland"


HOST = Host(lambda name: Alice() if name == "alice" else None, "mail.example.com", {})
PLAIN = b"AGFsaWNlAHdvbmRlcmxhbmQ="


async def login(mechanism: str, initial: bytes | None, *lines: bytes) -> str:
    conversation = Talk()
    for line in lines:
        conversation.feed(line)
    conversation.hang_up()
    return await authenticate(conversation, MECHANISMS[mechanism](HOST), initial, lambda data: b"334 %b\r\n" % data)


async def test_with_and_without_initial_response() -> None:
    assert await login("PLAIN", PLAIN) == "alice"
    assert await login("PLAIN", None, PLAIN + b"\r\n") == "alice"
    assert await login("LOGIN", None, b"YWxpY2U=\r\n", b"d29uZGVybGFuZA==\n") == "alice"


@pytest.mark.parametrize(("initial", "lines", "reason"), [
    (None, [b"*\r\n"], Reason.CANCELLED),
    (b"=", [], Reason.MALFORMED),                     # RFC 4954 §4: an empty initial response
    (b"!", [], Reason.BASE64),
    (None, [b"AGFsaWNl AHdvbmRlcmxhbmQ=\r\n"], Reason.BASE64),
    (None, [b"x" * 20_000], Reason.TOO_LONG),
])
async def test_refusals(initial: bytes | None, lines: list[bytes], reason: Reason) -> None:
    with pytest.raises(SaslError) as failure:
        await login("PLAIN", initial, *lines)
    assert failure.value.reason == reason


async def test_challenges_are_written_as_the_protocol_does() -> None:
    conversation = Talk()
    conversation.feed(b"YWxpY2U=\r\nd29uZGVybGFuZA==\r\n")
    await authenticate(conversation, MECHANISMS["LOGIN"](HOST), None, lambda data: b"+ " + data + b"\r\n")
    assert await conversation.hear_line() == "+ VXNlcm5hbWU6"
    await conversation.flush()
    assert await conversation.hear_line() == "+ UGFzc3dvcmQ6"
