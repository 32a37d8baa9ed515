"""What HTTP is whatever version carries it: a request as a value goes in, a response ready to be sent comes out.

`session` reads and writes HTTP/1.1, `http2` HTTP/2; both ask the engine, and it knows neither.
"""

from __future__ import annotations

from sandbox.config import Config
from sandbox.protocols.contract.conversation import (
    Closed,
    Conversation,
    ConversationError,
    EndOfStream,
    OpenExchange,
    TimedOut,
)
from sandbox.protocols.contract.script import ScriptedAnswer
from sandbox.protocols.http.errors import ErrorPage, Refused, error_response
from sandbox.protocols.http.hosts import admit
from sandbox.protocols.http.messages import Headers, HttpError, Request, Response, Site
from sandbox.protocols.http.selection import Selection

__all__ = ["PORTS", "HttpEngine", "keep_facts"]

PORTS = {"http": 80, "https": 443}
"""A scheme's own port (RFC 9110 §4.2)."""


class HttpEngine:
    """What the connections of one service share. route: answers every request that is admitted; page: makes the
    document that says what went wrong, None for a bare one."""

    def __init__(self, config: Config, route: Site, page: ErrorPage | None = None) -> None:
        self.config = config
        self.page = page
        self._route = route
        self._select = Selection(config.http.compress)

    async def answer(self, request: Request, length: int, expect: str, selective: bool,
                     exchange: OpenExchange, talk: Conversation) -> tuple[Response, str]:
        """The response to a request, ready to be sent, and the knowledge entry of what was special about it.

        length: of the body, -1 where it is not known beforehand; selective: whether a field may change which
        representation is sent; talk: where the request came from. Raises Closed when the client is gone; its exchange
        has ended then.
        """
        request.exchange = exchange
        scripted = await talk.scripted(exchange.verb, exchange.asked, exchange.facts, exchange)
        if scripted is not None:
            request.facts.update(scripted.facts)
            return in_words(scripted), ""
        try:
            admit(request, length, expect, self.config.limits.body)
            response = await self._route(request)
            if not isinstance(response, Response):
                raise TypeError(f"a site answered with {response!r}, which is no Response")
            if selective:
                return await self._select(request, response), ""
            return self._select.plain(response), ""
        except HttpError as error:
            exchange.note("problem", error.detail)
            return error_response(error, request, page=self.page), error.key if isinstance(error, Refused) else ""
        except (TimedOut, EndOfStream) as error:
            return self._unfinished(error, request)
        except Closed:
            exchange.end("", "the client was gone before the answer", "situation.client-gone")
            raise
        except Exception as error:
            return self.failed(error, request, exchange), ""

    def _unfinished(self, error: ConversationError, request: Request) -> tuple[Response, str]:
        """The client stopped in the middle of its body."""
        if isinstance(error, TimedOut):
            refused = Refused(408, "The rest of the body did not come in time (RFC 9110 §15.5.9).",
                              "situation.slow-body")
        else:
            refused = Refused(400, "The connection ended before the body did: it was shorter than announced "
                              "(RFC 9112 §8).", "situation.incomplete")
        return error_response(refused, request, page=self.page), refused.key

    def failed(self, error: Exception, request: Request, exchange: OpenExchange) -> Response:
        """A site raised what it should not have: the journal gets all of it, the client little."""
        import traceback

        text = "".join(traceback.format_exception(error))
        exchange.note("traceback", text)
        return error_response(HttpError(500, "The program behind this page failed; the sandbox's log has the details "
                                        "(RFC 9110 §15.6.1)."), request, text if self.config.http.debug else "",
                              self.page)


def in_words(scripted: ScriptedAnswer) -> Response:
    """A response as a script has it; without a body of its own it says its text."""
    headers = Headers(scripted.fields)
    body = scripted.body
    if scripted.text and not body:
        body = f"{scripted.text}\n".encode()
        if "content-type" not in headers:
            headers.add("Content-Type", "text/plain; charset=utf-8")
    return Response(int(scripted.code), headers, body, close=scripted.close)


def keep_facts(request: Request, exchange: OpenExchange) -> None:
    for name, value in request.facts.items():
        exchange.note(name, value)
