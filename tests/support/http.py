"""An HTTP service in memory: the real session over in-memory conversations, its answers read by h11 as a client."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import cast

import h11

from sandbox.address import Address
from sandbox.config import Config
from sandbox.protocols.contract.conversation import Cause, Wire
from sandbox.protocols.contract.registry import Context, find_role
from sandbox.protocols.http.messages import Headers, Request, Response, Site
from sandbox.protocols.http.session import HttpService
from sandbox.world import World
from tests.support.conversation import MemoryConversation, Step


@dataclass
class Reply:
    """A response as a client sees it."""

    status: int
    reason: str
    headers: Headers
    body: bytes = b""
    trailers: Headers = field(default_factory=Headers)


async def no_dial(address: Address, cause: Cause | int = 0) -> Wire:
    raise ConnectionRefusedError(f"nothing listens at {address}")


async def hello(request: Request) -> Response:
    """A site for tests: says what it was asked, with the body."""
    body = await request.body.read()
    text = f"{request.method} {request.url}\n".encode("latin-1") + body
    return Response(200, Headers([("Content-Type", "text/plain; charset=utf-8")]), text)


def context(config: Config | None = None) -> Context:
    return Context(world=cast(World, None), role=find_role("http")[1], config=config or Config(),
                   endpoints={"http": Address("127.0.0.1", 8080)}, dial=no_dial)


async def converse(steps: Iterable[Step] | bytes, site: Site = hello, *, config: Config | None = None,
                   ending: str = "close", gone_after: int | None = None,
                   server: HttpService | None = None) -> MemoryConversation:
    """Run one connection to its end."""
    talk = MemoryConversation([steps] if isinstance(steps, bytes) else steps, ending=ending, gone_after=gone_after)
    await (server or HttpService(context(config), site)).session(talk)
    if gone_after is None:
        await talk.finish()
    return talk


def read_replies(data: bytes, methods: Sequence[str] = ()) -> list[Reply]:
    """All final responses in the octets, by h11 as the client. methods: of the requests, GET where it has no more."""
    replies: list[Reply] = []
    while data:
        method = methods[len(replies)] if len(replies) < len(methods) else "GET"
        client = h11.Connection(h11.CLIENT)
        client.send(h11.Request(method=method, target="*" if method == "OPTIONS" else "/",
                                headers=[("Host", "x"), *([("Content-Length", "0")] if method == "POST" else [])]))
        client.send(h11.EndOfMessage())
        client.receive_data(data)
        reply = None
        while True:
            event = client.next_event()
            if event is h11.NEED_DATA:
                client.receive_data(b"")
                continue
            if isinstance(event, h11.Response):
                reply = Reply(event.status_code, event.reason.decode("latin-1"), as_headers(event.headers))
            elif isinstance(event, h11.Data):
                assert reply is not None
                reply.body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                assert reply is not None
                reply.trailers = as_headers(event.headers)
                break
            else:
                assert isinstance(event, h11.InformationalResponse), event
        replies.append(reply)
        data = client.trailing_data[0]
    return replies


def as_headers(items: Iterable[tuple[bytes, bytes]]) -> Headers:
    return Headers([(name.decode("ascii"), value.decode("latin-1")) for name, value in items])


async def ask(request: bytes, site: Site = hello, *, config: Config | None = None) -> Reply:
    """The first reply to one request."""
    talk = await converse(request, site, config=config)
    return read_replies(talk.sent, [request.partition(b" ")[0].decode("ascii", "replace")])[0]
