"""WSGI applications (PEP 3333), such as a learner's Flask app.

Theory of operation. An application is synchronous and may block anywhere, so each request runs in a thread of its own
from the first call to `close()`: what the application keeps per thread, or in a generator, stays where it is. The
thread asks and tells through two bounded channels; the coroutine that serves the request answers from the event loop:

    thread                                      event loop
    wsgi.input.read()    -> Wanted ->           reads the request's content, and sends it back
    start_response(), first piece -> Started -> site() returns the response
    next piece           -> bytes ->            the response's body yields it
    return or exception  -> Finished ->         the body ends, or the connection breaks off

So the content is only ever read by the task of its own connection, an application that yields faster than the client
takes is made to wait, and when the client leaves, the channels close and the application's next step raises.
"""

from __future__ import annotations

import io
import traceback
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import outcome
import trio

from sandbox.protocols.http.messages import Headers, HttpError, Request, Response
from sandbox.websites import answers
from sandbox.websites.application import Loader

__all__ = ["Wsgi"]

THREADS = 40
"""Requests that one application works on at a time; the others wait for their turn."""
QUEUE = 8
"""Pieces of a response on their way from the thread to the client."""
READ = 65_536
"""Octets of the content handed to the thread at once, and the longest line that is read without a limit."""
TRACEBACK = 20_000
"""Characters of a traceback that are kept."""
ERRORS = 20_000
"""Characters that are kept of what an application writes to wsgi.errors for one request."""
HOP_BY_HOP = frozenset({"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
                        "transfer-encoding", "upgrade"})
"""RFC 9110 §7.6.1: about the connection, which is the server's (PEP 3333, "Other HTTP Features")."""

NOBODY_LISTENS = (trio.BrokenResourceError, trio.ClosedResourceError, trio.RunFinishedError, trio.Cancelled)
"""What a thread meets when the client is gone, or the sandbox."""

ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class Wanted(NamedTuple):
    """The application wants more of the content."""


class Started(NamedTuple):
    """Status and header are settled. length: octets of the content, -1 for unknown."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    length: int


class Finished(NamedTuple):
    """The application is done. failure: the traceback, "" when all went well."""

    failure: str = ""


Event = Wanted | Started | Finished | bytes


class ApplicationError(Exception):
    """The application broke a rule of PEP 3333, or broke off."""


class Wsgi:
    """The site of one application. target: "module:attribute" or "path/to/file.py:attribute", found and run at the
    first request, and again when its files have changed; debug: show tracebacks in the page."""

    def __init__(self, target: str, debug: bool = False) -> None:
        self._loader = Loader(target)
        self._debug = debug
        self._limiter = trio.CapacityLimiter(THREADS)

    async def __call__(self, request: Request) -> Response:
        run = Run(self._loader, request, self._limiter)
        await run.start()
        try:
            event = await run.next_event()
        except BaseException:
            with trio.CancelScope(shield=True):
                await run.aclose()
            raise
        if isinstance(event, Finished):
            await run.aclose()
            return self._failed(request, event.failure or "The application answered nothing.")
        assert isinstance(event, Started), event
        return Response(event.status, Headers(event.headers), run, event.length, event.reason)

    def _failed(self, request: Request, failure: str) -> Response:
        request.facts["traceback"] = failure[-TRACEBACK:]
        if self._debug:
            return answers.text(failure, 500)
        raise HttpError(500, "The application behind this site raised an error. Its traceback is in the journal: "
                             "sandbox log --traceback shows it.")


class Run:
    """One request on its way through the application; as an iterable, the content of its response."""

    def __init__(self, loader: Loader, request: Request, limiter: trio.CapacityLimiter) -> None:
        self._request = request
        self._limiter = limiter
        self._content = request.body.__aiter__()
        to_loop, self._events = trio.open_memory_channel[Event](QUEUE)
        self._inputs, to_thread = trio.open_memory_channel[outcome.Maybe[bytes]](1)
        self._call = Call(loader, environ_of(request), to_loop, to_thread)

    async def start(self) -> None:
        """Wait for a turn, then let a thread run the application."""
        await self._limiter.acquire_on_behalf_of(self)
        token = trio.lowlevel.current_trio_token()

        def done(_: outcome.Outcome[None]) -> None:
            with suppress(trio.RunFinishedError):  # the sandbox stopped before the application did
                token.run_sync_soon(self._limiter.release_on_behalf_of, self)

        trio.lowlevel.start_thread_soon(self._call.run, done, "wsgi")

    async def next_event(self) -> Started | Finished | bytes:
        """What the thread says next; what it asks for meanwhile is given."""
        while True:
            event = await self._events.receive()
            if not isinstance(event, Wanted):
                return event
            try:
                await self._inputs.send(outcome.Value(await anext(self._content, b"")))
            except trio.BrokenResourceError:
                continue  # the thread gave up waiting
            except Exception as error:
                # A content that is too long or breaks off: this exchange is over, whatever the application thinks.
                await self._inputs.send(outcome.Error(OSError(f"the request's content broke off: {error!r}")))
                raise

    def __aiter__(self) -> Run:
        return self

    async def __anext__(self) -> bytes:
        event = await self.next_event()
        if isinstance(event, bytes):
            return event
        await self.aclose()
        if isinstance(event, Finished) and event.failure:
            self._request.facts["traceback"] = event.failure[-TRACEBACK:]
            raise ApplicationError("the application broke off its response")
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Nobody waits for more: the application learns it at its next step. What it said so far is noted."""
        facts = {"reloaded": self._call.reloaded, "errors": self._call.errors.text()}
        self._request.facts |= {name: value for name, value in facts.items() if value}
        self._events.close()
        self._inputs.close()
        if isinstance(self._content, AsyncGenerator):
            await self._content.aclose()


class Call:
    """The application's side of a request. Everything here runs in its thread."""

    def __init__(self, loader: Loader, environ: dict[str, Any], events: trio.MemorySendChannel[Event],
                 inputs: trio.MemoryReceiveChannel[outcome.Maybe[bytes]]) -> None:
        self.errors = Errors()
        self.reloaded = ""
        """The file whose change made the application be loaded anew for this request."""
        self._loader = loader
        self._environ = environ
        self._token = trio.lowlevel.current_trio_token()
        self._events = events
        self._inputs = inputs
        self._head: Started | None = None
        self._sent = False
        self._left = -1
        environ["wsgi.input"] = io.BufferedReader(WsgiInput(self), READ)
        environ["wsgi.errors"] = self.errors

    def run(self) -> None:
        failure = ""
        try:
            self._answer()
        except NOBODY_LISTENS:
            return
        except BaseException:
            failure = traceback.format_exc()
        with suppress(*NOBODY_LISTENS):
            self._tell(Finished(failure))

    def _answer(self) -> None:
        application, self.reloaded = self._loader.load()
        result = application(self._environ, self.start_response)
        try:
            alone = isinstance(result, (list, tuple)) and len(result) == 1
            for piece in result:
                if alone and self._head is not None and self._head.length < 0 and not self._sent:
                    # PEP 3333, "Handling the Content-Length Header": one piece is as long as the whole.
                    self._head = self._head._replace(length=len(piece))
                if piece:
                    self.write(piece)
            if not self._sent:
                self._send_head(empty=True)
            if self._left > 0:
                raise ApplicationError(f"Content-Length promised {self._left} octets more than the application gave")
        finally:
            if hasattr(result, "close"):
                result.close()

    def start_response(self, status: str, headers: list[tuple[str, str]],
                       exc_info: ExcInfo | None = None) -> Callable[[bytes], object]:
        """PEP 3333, "The start_response() Callable"."""
        if exc_info:
            try:
                if self._sent and exc_info[1] is not None:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # a traceback that refers to its own frame would never be freed
        elif self._head is not None:
            raise ApplicationError("start_response was called a second time without exc_info")
        code, _, reason = status.partition(" ")
        if not (len(code) == 3 and code.isascii() and code.isdigit() and 200 <= int(code) <= 599):
            raise ApplicationError(f"{status!r} is no status: it is written like '200 OK'")
        length = -1
        kept = []
        for name, value in headers:
            check_field(name, value)
            if name.lower() == "content-length":
                if not (value.isascii() and value.isdigit()):
                    raise ApplicationError(f"Content-Length is a number, not {value!r}")
                length = int(value)
            else:
                kept.append((name, value))
        self._head = Started(int(code), reason, kept, length)
        return self.write

    def write(self, data: bytes) -> None:
        if not isinstance(data, bytes):
            raise ApplicationError(f"content is bytes, not {type(data).__name__}")
        self._send_head()
        if self._left >= 0:
            data = data[:self._left]  # no more than Content-Length promised: the rest would be the next response
            self._left -= len(data)
        if data:
            self._tell(data)

    def _send_head(self, empty: bool = False) -> None:
        if self._sent:
            return
        if self._head is None:
            raise ApplicationError("content came before start_response was called")
        if empty and self._head.length < 0:
            self._head = self._head._replace(length=0)
        # The answer to HEAD, 204 and 304 has a length and no content (RFC 9110 §8.6).
        bodiless = empty and (self._environ["REQUEST_METHOD"] == "HEAD" or self._head.status in (204, 304))
        self._left = 0 if bodiless else self._head.length
        self._sent = True
        self._tell(self._head)

    def _tell(self, event: Event) -> None:
        trio.from_thread.run(self._events.send, event, trio_token=self._token)

    def more(self) -> bytes:
        """The next piece of the request's content, b"" at its end."""
        async def ask() -> bytes:
            await self._events.send(Wanted())
            return (await self._inputs.receive()).unwrap()

        return trio.from_thread.run(ask, trio_token=self._token)


class Errors(io.TextIOBase):
    """wsgi.errors: what the application has to say to whoever runs it; the end of it, where it is long."""

    def __init__(self) -> None:
        self._pieces: deque[str] = deque()
        self._length = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._pieces.append(text[-ERRORS:])
        self._length += len(self._pieces[-1])
        while self._length - len(self._pieces[0]) > ERRORS:
            self._length -= len(self._pieces.popleft())
        return len(text)

    def text(self) -> str:
        return "".join(list(self._pieces))[-ERRORS:]


class WsgiInput(io.RawIOBase):
    """wsgi.input: the request's content, as far as it is asked for."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._kept = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._kept and not self._ended:
            self._kept = self._call.more()
            self._ended = not self._kept
        count = min(len(buffer), len(self._kept))
        buffer[:count] = self._kept[:count]
        self._kept = self._kept[count:]
        return count


def check_field(name: str, value: str) -> None:
    if {type(name), type(value)} != {str}:
        raise ApplicationError("header names and values are str, and no kind of it")
    if name.lower() in HOP_BY_HOP:
        raise ApplicationError(f"{name} is about the connection, which is the server's")
    if not name.isascii() or any(character in " \t\r\n:" for character in name) or any(
            character in "\r\n\0" or character > "\xff" for character in value):
        raise ApplicationError(f"the field {name!r} holds characters that a header cannot")


def environ_of(request: Request) -> dict[str, Any]:
    """The request as CGI has it (RFC 3875 §4.1), and what WSGI adds."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        # Native strings hold one octet a character (PEP 3333, "Unicode Issues").
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "QUERY_STRING": request.query,
        "REQUEST_URI": request.target,
        "SERVER_NAME": request.host or request.server.host,
        "SERVER_PORT": str(request.port),
        "SERVER_PROTOCOL": f"HTTP/{request.version}",
        "REMOTE_ADDR": request.client.host,
        "REMOTE_PORT": str(request.client.port),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    if request.secure:
        environ["HTTPS"] = "on"
    for name, value in request.headers:
        if "_" in name:
            continue  # it would pass for the field that has a hyphen there, which others may have checked
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        if key == "HTTP_PROXY":
            continue  # "httpoxy": libraries take HTTP_PROXY for a setting of their own
        separator = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{separator}{value}" if key in environ else value
    return environ
