"""HTTP/1.1 over one connection (RFC 9110, RFC 9112): requests in, responses out, in order, until one side has enough.
Where client and server agreed on HTTP/2 in the TLS handshake, `http2` takes over.

`scanner` and `heads` read a request's head, `content` its body, the `engine` asks a site for the response, `delivery`
sends it. Left out: obsolete line folding, HTTP/0.9, TRACE and transfer codings other than chunked are refused;
upgrades are a site's own business (a response with a tunnel).
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import trio

from sandbox.config import Config
from sandbox.protocols.contract.conversation import (
    Conversation,
    ConversationError,
    EndOfStream,
    OpenExchange,
    TimedOut,
)
from sandbox.protocols.contract.registry import Context
from sandbox.protocols.http.content import NO_CONTENT, Http1Body
from sandbox.protocols.http.delivery import Delivery, close_body, linger
from sandbox.protocols.http.engine import PORTS, HttpEngine, keep_facts
from sandbox.protocols.http.errors import ErrorPage, Refused, error_response
from sandbox.protocols.http.heads import Head, HeadCache, parse_head
from sandbox.protocols.http.hosts import Hosts
from sandbox.protocols.http.messages import HttpError, Request, Response, Site
from sandbox.protocols.http.scanner import Scanner
from sandbox.protocols.http.status import reason

__all__ = ["GARBLED", "HttpService", "SiteService"]

PIPELINED = 64
"""Responses queued before they are sent, while more requests are already here."""
GARBLED = "garbled"
"""The verb of what could not be read as a request."""


class SiteService:
    """One site over all its connections, in the version each client wants: for every host, and no proxy. page: as
    the engine has it."""

    def __init__(self, config: Config, site: Site, page: ErrorPage | None = None) -> None:
        self.engine = HttpEngine(config, site, page)
        self._heads = HeadCache()

    async def session(self, conversation: Conversation) -> None:
        """One connection, from its first request to its last response."""
        if conversation.alpn == "h2":
            # Imported when it is first needed, in a thread: it takes some hundredths of a second.
            converse = await trio.to_thread.run_sync(http2)
            await converse(self.engine, conversation)
            return
        try:
            await Http1Connection(self.engine, self._heads, conversation).run()
        except ConversationError:
            return                                           # the client is gone; what happened is recorded


class HttpService(SiteService):
    """The same for the sites of a world, and as a proxy. sites: answers each request for a site."""

    def __init__(self, context: Context, sites: Site, page: ErrorPage | None = None) -> None:
        super().__init__(context.config, Hosts(context, sites, self.session), page)


def http2() -> Callable[[HttpEngine, Conversation], Awaitable[None]]:
    """The session of HTTP/2."""
    from sandbox.protocols.http.http2.session import converse
    return converse


class Http1Connection:
    """One connection."""

    def __init__(self, engine: HttpEngine, heads: HeadCache, conversation: Conversation) -> None:
        self._engine = engine
        self._heads = heads
        self._talk = conversation
        self._client = conversation.client
        self._local = conversation.server
        self._scheme = "https" if conversation.secure else "http"
        self._queued = 0

    async def run(self) -> None:
        """Raises ConversationError when the client is gone."""
        talk = self._talk
        known = self._heads.get
        while True:
            if (not talk.buffer or self._queued >= PIPELINED) and not await self._wait():
                return
            buffer = talk.buffer
            end = buffer.find(b"\r\n\r\n") + 4
            head = known(bytes(buffer[:end])) if end > 3 else None
            if head is not None:
                talk.take(end)
            else:
                head = await self._read_head()
                if head is None:
                    return
            if not await self._answer(head):
                return

    async def _wait(self) -> bool:
        """Send what is queued, and wait for a request to begin. False when none will."""
        talk = self._talk
        self._queued = 0
        await talk.flush()                                   # the time for a next request begins when all has left
        if talk.buffer:
            return True
        talk.due = trio.current_time() + self._engine.config.http.keep_alive
        try:
            return await talk.fill()
        except TimedOut:
            return False                                     # idle: closed without a word (RFC 9112 §9.5)
        finally:
            talk.due = math.inf

    async def _read_head(self) -> Head | None:
        """A head that is new or still arriving. None when it was no request, and has been answered."""
        talk, limits = self._talk, self._engine.config.limits
        scanner = Scanner(limits.head)
        raw = b""
        try:
            while not (length := scanner.scan(talk.buffer)):
                if talk.due == math.inf:
                    await talk.flush()
                    talk.due = trio.current_time() + limits.head_seconds
                if not await talk.fill():
                    if not talk.buffer.strip(b"\r\n"):
                        return None
                    raise Refused(400, "The request ended before its head did: an empty line ends it "
                                  "(RFC 9112 §2.1, §8).", "situation.incomplete")
            raw = talk.take(length)[scanner.skipped:]
            head = parse_head(raw)
        except TimedOut:
            if not talk.buffer.strip(b"\r\n"):
                return None
            await self._refuse(Refused(408, f"The request head was not here after {limits.head_seconds:g} seconds "
                                       "(RFC 9110 §15.5.9).", "situation.slow-head"), scanner, raw)
            return None
        except Refused as refused:
            await self._refuse(refused, scanner, raw)
            return None
        finally:
            talk.due = math.inf
        self._heads.keep(raw, head)
        return head

    async def _refuse(self, refused: Refused, scanner: Scanner, raw: bytes) -> None:
        """Answer what could not be read, and end the connection.

        raw: the head, if all of it was here; else what is here of it is still in the buffer.
        """
        talk = self._talk
        verb, asked = GARBLED, ""
        if scanner.lines:                                    # its first line was good
            start = raw or bytes(talk.buffer[scanner.skipped:scanner.line])
            verb, asked, _ = start.decode("latin-1").split(" ", 2)
        exchange = talk.begin(verb, asked)
        talk.take(len(talk.buffer))
        exchange.note("problem", refused.detail)
        delivery = Delivery(talk, exchange, verb, "1.1", keep=False)
        await delivery.send(error_response(refused))
        exchange.end(str(refused.status), reason(refused.status), refused.key)

    async def _answer(self, head: Head) -> bool:
        """One exchange. Whether there may be another. Raises ConversationError."""
        talk, engine = self._talk, self._engine
        self._queued += 1
        exchange = talk.begin(head.method, head.asked, head.facts)
        content = Http1Body(talk, head.length, engine.config.limits.body, bool(head.expect)) if head.length else None
        scheme = head.scheme or self._scheme
        # An authority without a port means the scheme's own (RFC 9110 §4.2.1), not the one this service has here.
        port = head.port or (PORTS[scheme] if head.host else self._local.port)
        request = Request(
            head.method, head.target, scheme, head.host, port,
            head.path, head.query, head.headers.copy(), content or NO_CONTENT, self._client, self._local,
            head.version, head.form == "absolute")
        if request.proxied:
            exchange.note("proxied", "absolute form")
        response, key = await engine.answer(request, head.length, head.expect, head.selective, exchange, talk)
        return await self._deliver(head, request, response, content, exchange, key)

    async def _deliver(self, head: Head, request: Request, response: Response, content: Http1Body | None,
                       exchange: OpenExchange, key: str) -> bool:
        talk = self._talk
        keep = head.persistent and not response.close and (content is None or content.skippable)
        delivery = Delivery(talk, exchange, head.method, head.version, keep)
        try:
            try:
                await delivery.send(response)
            except (ValueError, TypeError) as error:         # nothing has been written yet
                await close_body(response.body)
                response = self._engine.failed(error, request, exchange)
                await delivery.send(response)
            if content is not None and not content.done:
                await self._skip(content, delivery)
        except ConversationError:
            keep_facts(request, exchange)
            exchange.end(str(response.status), "the client was gone before the end", "situation.client-gone")
            raise
        if request.facts:
            keep_facts(request, exchange)
        exchange.end(str(response.status), delivery.summary, key or delivery.key)
        if delivery.tunnel is not None:
            await delivery.tunnel(talk)
            return False
        return delivery.keep

    async def _skip(self, content: Http1Body, delivery: Delivery) -> None:
        """Get past a body nobody read, or make sure that the client sees the answer although it was not read."""
        try:
            if delivery.keep and await content.discard():
                return
        except (HttpError, TimedOut, EndOfStream):
            pass
        delivery.keep = False
        await linger(self._talk)
