"""The http service: the engine of `sandbox.protocols.http` with the websites of the world on it."""

from __future__ import annotations

from sandbox.protocols.contract.conversation import SessionHandler
from sandbox.protocols.contract.later import Later
from sandbox.protocols.contract.registry import Context, Service

__all__ = ["serve"]

SERVER_BUSY = b"The sandbox has as many connections as it may have. Try again in a moment.\n"
BUSY = (b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 1\r\n"
        b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(SERVER_BUSY), SERVER_BUSY))


def serve(context: Context) -> Service:
    """One role of HTTP, for all hosts of the world."""
    context.world.open_resources()

    def build() -> SessionHandler:
        from sandbox.protocols.http.session import HttpService
        from sandbox.websites import choice, page
        return HttpService(context, choice.build(context), page.error_page).session

    return Service(session=Later(build), busy=BUSY)
