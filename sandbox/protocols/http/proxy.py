"""CONNECT: a tunnel through this proxy, which leads into the sandbox itself and nowhere else (RFC 9110 §9.3.6).

Whatever host a client names, the port decides which of the sandbox's own services is meant: 80 is answered by the
same session that took the CONNECT, every other one over a connection of its own to that service, so that it is
recorded there as if the client had come straight.
"""

from __future__ import annotations

import contextlib

import trio

from sandbox.protocols.contract.conversation import Conversation, ConversationError, SessionHandler, Wire
from sandbox.protocols.contract.registry import Context, find_role
from sandbox.protocols.http.messages import Headers, HttpError, Request, Response

__all__ = ["connect"]


async def connect(request: Request, context: Context, session: SessionHandler) -> Response:
    """The answer to CONNECT, and its tunnel. session: this service's own. Raises HttpError(403), (405), (502)."""
    if not context.config.http.proxy:
        raise HttpError(405, "This server is not a proxy: CONNECT is off here (RFC 9110 §9.3.6).",
                        [("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH")])
    name = service_at(context, request.port)
    if not name:
        raise HttpError(403, f"No service of the sandbox is at port {request.port}, and this proxy leads only into "
                        "the sandbox. Its ports are those on its home page (RFC 9110 §9.3.6).")
    request.facts["tunnel"] = name
    if name == context.role.name:
        return Response(200, Headers(), tunnel=session)
    try:
        wire = await context.dial(context.endpoints[name], request.exchange)
    except OSError as error:
        raise HttpError(502, f"The sandbox's own {name} service cannot be reached: {error} (RFC 9110 §15.6.3).",
                        ) from None
    return Response(200, Headers(), tunnel=Relay(wire, f"{request.host}:{request.port}"))


def service_at(context: Context, port: int) -> str:
    """The service that a port means: by its well-known number, its high one, or where it really listens."""
    for name, address in context.endpoints.items():
        role = find_role(name)[1]
        if "tcp" in role.transports and port in (role.port, role.high, address.port):
            return name
    return ""


class Relay:
    """Carries octets both ways until both ends have said they are done."""

    def __init__(self, wire: Wire, asked: str) -> None:
        self._wire = wire
        self._asked = asked
        self._up = 0
        self._down = 0

    async def __call__(self, conversation: Conversation) -> None:
        exchange = conversation.begin("tunnel", self._asked)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._carry_up, conversation)
                await self._carry_down(conversation)
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 1):
                await self._wire.aclose()
        exchange.end("closed", f"{self._up} octets there, {self._down} back")

    async def _carry_up(self, conversation: Conversation) -> None:
        """Its reads are never cancelled: one that is in the middle of TLS could not be taken up again."""
        try:
            while data := await conversation.read_some():
                self._up += len(data)
                await self._wire.send(data)
            await self._wire.end_writing()
        except ConversationError:
            await self._wire.aclose()                        # wakes the other direction

    async def _carry_down(self, conversation: Conversation) -> None:
        try:
            while data := await self._wire.receive():
                self._down += len(data)
                await conversation.send(data)
                await conversation.flush()
        except ConversationError:
            pass
        with contextlib.suppress(ConversationError):
            await conversation.end_writing()
