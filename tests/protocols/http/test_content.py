"""Bodies as they come in."""

from __future__ import annotations

from sandbox.protocols.http.content import BURST
from sandbox.protocols.http.messages import Request, Response
from tests.support.http import converse
from tests.support.turns import bystander

CHUNKS = 20_000


async def test_thousands_of_small_chunks_hold_up_nobody() -> None:
    async def site(request: Request) -> Response:
        return Response(200, body=b"%d" % len(await request.body.read()))

    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with bystander() as others:
        talk = await converse([head + b"1\r\nx\r\n" * CHUNKS + b"0\r\n\r\n"], site)
    assert talk.sent.endswith(b"\r\n\r\n%d" % CHUNKS)
    assert others.turns >= CHUNKS // BURST
