"""HTTP in its parts: a message of HTTP/1.1, frames of HTTP/2 or of a WebSocket, or what a tunnel carried."""

from __future__ import annotations

from sandbox.protocols.contract.spans import About, Cutter, Span
from sandbox.protocols.http.dissecting import http1, http2, websocket

__all__ = ["PARTS", "dissect"]

PARTS = frozenset({
    "authority", "chunk", "chunk-extension", "chunk-header", "chunk-size", "close-reason", "colon", "content",
    "cookie", "credentials", "debug-data", "dependency", "directive", "field-block", "frame-flags", "frame-header",
    "frame-length", "frame-padding", "increment", "indexed", "last-chunk", "last-stream", "line-end",
    "literal-string", "mask", "octets", "opaque", "parameter", "path", "preface", "query", "range", "reason-phrase",
    "request-line", "scheme", "setting-value", "status-line", "stream-id", "table-size", "target", "tunnel",
    "version", "weight", "word", "ws-length", "ws-payload",
})
"""Every part that has an entry of its own in the knowledge."""

MESSAGES = frozenset({"TEXT", "BINARY", "PING", "CLOSE"})
"""The verbs of a WebSocket's exchanges."""


def dissect(octets: bytes, about: About) -> tuple[Span, ...]:
    cutter = Cutter(octets)
    if about.verb == "tunnel":
        cutter.to(cutter.end, "tunnelled octets", "part.tunnel")
    elif about.verb in MESSAGES:
        websocket.frames(cutter, about)
    elif http2.speaks(octets, about):
        http2.frames(cutter, about)
    else:
        http1.messages(cutter, client=about.client, verb=about.verb)
    return cutter.done()
