"""A site that is another program on this machine, listening on a port: a reverse proxy (RFC 9110 §7.6).

The request's content flows to the program while its response flows back, so that a program may answer before it has
heard all. Each exchange has a connection of its own. Where the client asks for another protocol and the program
takes it (WebSocket, as development servers' hot reload does), octets are carried both ways from then on.
"""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncGenerator, AsyncIterator

import h11
import trio

from sandbox.address import Address
from sandbox.protocols.contract.conversation import Cause, ConversationError, Dial, Wire
from sandbox.protocols.http.messages import Headers, HttpError, Request, Response
from sandbox.protocols.http.proxy import Relay

__all__ = ["PortSite"]

SECONDS = 60.0
"""How long the program may keep silent."""
HOP_BY_HOP = frozenset({"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
                        "te", "trailer", "transfer-encoding", "upgrade"})
"""RFC 9110 §7.6.1: these are about one connection and end there."""
OURS = frozenset({"forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "expect"})
"""Said anew, so that a client cannot make the program believe it is somebody else."""


class PortSite:
    """The site. port: where the program listens on 127.0.0.1 (or, failing that, ::1); dial: how it is reached."""

    def __init__(self, port: int, dial: Dial) -> None:
        self._port = port
        self._dial = dial

    async def __call__(self, request: Request) -> Response:
        wire = await self._connect(request.exchange)
        exchange = Forwarding(wire, self._port)
        try:
            return await exchange.run(request)
        except BaseException:
            with trio.CancelScope(shield=True):
                await exchange.aclose()
            raise

    async def _connect(self, cause: Cause | int) -> Wire:
        for host in ("127.0.0.1", "::1"):
            try:
                with trio.fail_after(SECONDS):
                    return await self._dial(Address(host, self._port), cause)
            except (OSError, ConversationError, trio.TooSlowError):
                continue
        raise HttpError(502, f"This site is a program on port {self._port} of this machine, and nothing listens "
                             "there. Start the program, then try again.")


class Forwarding:
    """One request and its response with the program; as an iterable, the content of the response."""

    def __init__(self, wire: Wire, port: int) -> None:
        self._wire = wire
        self._port = port
        self._connection = h11.Connection(h11.CLIENT)
        self._sending = trio.CancelScope()
        self._sent = trio.Event()
        self._sent.set()

    async def run(self, request: Request) -> Response:
        """Send the head, begin to send the content, and wait for the response's head."""
        chunked = "transfer-encoding" in request.headers
        content = chunked or request.headers.get("content-length", "0") != "0"
        fields = [*end_to_end(request.headers, OURS | {"host", "content-length"}), *forwarded(request)]
        wanted = "" if content else upgrade_of(request)
        if content:
            fields.append(("Transfer-Encoding", "chunked") if chunked
                          else ("Content-Length", request.headers.get("content-length")))
        elif request.method in ("POST", "PUT", "PATCH"):
            fields.append(("Content-Length", "0"))
        authority = request.headers.get("host") or f"localhost:{self._port}"
        target = request.path + (f"?{request.query}" if request.query else "")
        await self._send(h11.Request(method=request.method, target=target, headers=[
            ("Host", authority), *fields,
            *([("Connection", "Upgrade"), ("Upgrade", wanted)] if wanted else [("Connection", "close")])]))
        if content:
            self._sent = trio.Event()
            # It must outlive this call: the program may answer first and listen on.
            trio.lowlevel.spawn_system_task(self._send_content, request, name="content to a program")
        else:
            await self._send(h11.EndOfMessage())
        return await self._response(f"{request.host}{request.path}")

    async def _response(self, asked: str) -> Response:
        while True:
            event = await self._next()
            if isinstance(event, h11.Response):
                break
            if isinstance(event, h11.InformationalResponse) and event.status_code == 101:
                return self._switched(event, asked)
            if event is None or isinstance(event, (h11.ConnectionClosed, h11.EndOfMessage)):
                raise HttpError(502, f"The program on port {self._port} closed the connection without an answer.")
        headers = fields_of(event)
        length = headers.get("content-length")
        kept = Headers(end_to_end(headers, frozenset({"content-length", "date"})))
        return Response(event.status_code, kept, self, int(length) if length.isdigit() else -1,
                        bytes(event.reason).decode("latin-1"))

    def _switched(self, event: h11.InformationalResponse, asked: str) -> Response:
        """The program speaks another protocol from here on, mostly WebSocket: only octets are carried."""
        headers = fields_of(event)
        kept = Headers([*end_to_end(headers, frozenset({"date", "content-length"})), ("Connection", "Upgrade"),
                        ("Upgrade", headers.get("upgrade"))])
        relay = Relay(Ahead(self._wire, self._connection.trailing_data[0]), asked)
        return Response(101, kept, tunnel=relay)

    async def _send(self, event: h11.Event) -> None:
        try:
            data = self._connection.send(event)
            if data:
                await self._wire.send(data)
        except h11.LocalProtocolError as error:
            raise HttpError(502, f"This request cannot be passed on: {error}.") from None
        except (ConversationError, OSError):
            pass  # it closed its side; it may have answered before (RFC 9112 §9.6)

    async def _send_content(self, request: Request) -> None:
        """Runs beside the response. What goes wrong shows in the response, or in the client's next move."""
        pieces = request.body.__aiter__()
        try:
            with self._sending:
                async for piece in pieces:
                    if not await self._pass_on(h11.Data(data=piece)):
                        return
                await self._pass_on(h11.EndOfMessage())
        except Exception:
            # The client broke off, so the program never hears the end: it must not wait for it either.
            with trio.CancelScope(shield=True):
                await self._wire.aclose()
        finally:
            with trio.CancelScope(shield=True):
                await close(pieces)
            self._sent.set()

    async def _pass_on(self, event: h11.Event) -> bool:
        """Whether the program still listens. One that does not may have answered already: let it be heard."""
        try:
            await self._wire.send(self._connection.send(event) or b"")
        except (ConversationError, OSError):
            return False
        return True

    async def _next(self) -> h11.Event | None:
        """What the program says next; None when there is no more. Raises HttpError 502, 504."""
        try:
            while True:
                event = self._connection.next_event()
                if event is h11.PAUSED:
                    return None
                if isinstance(event, h11.Event):
                    return event
                with trio.fail_after(SECONDS):
                    self._connection.receive_data(await self._wire.receive())
        except trio.TooSlowError:
            raise HttpError(504, f"The program on port {self._port} did not answer within {SECONDS:.0f} "
                                 "seconds.") from None
        except h11.RemoteProtocolError as error:
            raise HttpError(502, f"The program on port {self._port} does not speak HTTP: {error}.") from None
        except (ConversationError, OSError):
            raise HttpError(502, f"The program on port {self._port} broke the connection.") from None

    def __aiter__(self) -> Forwarding:
        return self

    async def __anext__(self) -> bytes:
        while True:
            event = await self._next()
            if isinstance(event, h11.Data):
                return bytes(event.data)
            if event is None or isinstance(event, (h11.EndOfMessage, h11.ConnectionClosed)):
                await self.aclose()
                raise StopAsyncIteration

    async def aclose(self) -> None:
        """Also stops sending what the program no longer wants to hear."""
        self._sending.cancel()
        await self._sent.wait()
        await self._wire.aclose()


class Ahead:
    """A wire of which some octets have been read already."""

    def __init__(self, wire: Wire, data: bytes) -> None:
        self._wire = wire
        self._data = data
        self.send, self.start_tls = wire.send, wire.start_tls
        self.end_writing, self.aclose = wire.end_writing, wire.aclose

    async def receive(self, limit: int = 65536) -> bytes:
        if self._data:
            taken, self._data = self._data[:limit], self._data[limit:]
            return taken
        return await self._wire.receive(limit)


def upgrade_of(request: Request) -> str:
    """The protocols the client would like to change to (RFC 9110 §7.8). Only HTTP/1.1 can, and h2c is about the
    connection to the sandbox (RFC 7540 §3.2)."""
    if request.version != "1.1" or "upgrade" not in request.headers.tokens("connection"):
        return ""
    return ", ".join(name.strip() for value in request.headers.get_all("upgrade") for name in value.split(",")
                     if name.strip().lower() not in ("", "h2c"))


def fields_of(event: h11.Response | h11.InformationalResponse) -> Headers:
    return Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers.raw_items()])


async def close(pieces: AsyncIterator[bytes]) -> None:
    """Close a generator that was not read to its end."""
    if isinstance(pieces, AsyncGenerator):
        await pieces.aclose()


def end_to_end(headers: Headers, without: frozenset[str]) -> list[tuple[str, str]]:
    """The fields meant for the other end: neither hop-by-hop, nor named in Connection, nor in `without`."""
    dropped = HOP_BY_HOP | without | set(headers.tokens("connection"))
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def forwarded(request: Request) -> list[tuple[str, str]]:
    """Who asked, and how: Forwarded (RFC 7239), and the older fields that most programs read."""
    client = request.client.host
    try:
        node = f'"[{client}]"' if ipaddress.ip_address(client).version == 6 else client
    except ValueError:
        node = "unknown"
    host = request.headers.get("host").replace("\\", "").replace('"', "")
    return [("Forwarded", f'for={node};host="{host}";proto={request.scheme}'), ("X-Forwarded-For", client),
            ("X-Forwarded-Host", host), ("X-Forwarded-Proto", request.scheme)]
