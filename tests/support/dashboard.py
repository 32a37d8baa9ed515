"""A running sandbox with its live page, asked over real sockets from addresses of loopback: 127.0.0.1 is the owner's
machine, every other one is somebody else's."""

from __future__ import annotations

import http.client
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
import trio

from sandbox.app import Sandbox, running
from sandbox.config import Config, Limits, Mail
from sandbox.dashboard.service import dashboard
from sandbox.protocols.contract.registry import PROTOCOLS

__all__ = ["OWNER", "VISITOR", "Page", "Reply", "Stream", "live_page"]

OWNER, VISITOR = "127.0.0.1", "127.0.0.2"


@dataclass
class Reply:
    """What the page answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Page:
    """One running sandbox and its live page."""

    sandbox: Sandbox
    host: str
    port: int
    token: str

    async def ask(self, method: str, path: str, body: object = None, /, *, source: str = OWNER,
                  headers: Mapping[str, str] | None = None, **query: object) -> Reply:
        """path: below /api/v1/, or from the root with a slash."""
        return await trio.to_thread.run_sync(lambda: self._ask(method, path, body, source, headers or {}, query))

    async def get(self, path: str, /, *, source: str = OWNER, headers: Mapping[str, str] | None = None,
                  **query: object) -> Any:
        """The JSON of what has to be a success."""
        reply = await self.ask("GET", path, source=source, headers=headers, **query)
        assert reply.status == 200, (path, reply.status, reply.body)
        return reply.json

    def _ask(self, method: str, path: str, body: object, source: str, headers: Mapping[str, str],
             query: Mapping[str, object]) -> Reply:
        target = path if path.startswith("/") else f"/api/v1/{path}"
        if query:
            target += "?" + urlencode({name.rstrip("_"): value for name, value in query.items()})
        fields = dict(headers)
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if body is not None:
            fields.setdefault("Content-Type", "application/json")
        client = http.client.HTTPConnection(self.host, self.port, timeout=30, source_address=(source, 0))
        with closing(client):
            client.request(method, target, data, fields)
            response = client.getresponse()
            return Reply(response.status, {name.lower(): value for name, value in response.getheaders()},
                         response.read())

    @asynccontextmanager
    async def stream(self, *, source: str = OWNER, headers: Sequence[tuple[str, str]] = (),
                     **query: object) -> AsyncIterator[Stream]:
        """The live stream, asked for."""
        stream = await self.open_stream(source, headers, **query)
        async with stream.wire:
            yield stream

    async def open_stream(self, source: str = OWNER, headers: Sequence[tuple[str, str]] = (),
                          **query: object) -> Stream:
        """The same, for the caller to close."""
        sock = trio.socket.socket()
        await sock.bind((source, 0))
        await sock.connect((self.host, self.port))
        wire = trio.SocketStream(sock)
        lines = [f"GET /api/v1/events?{urlencode(query)} HTTP/1.1", f"Host: {self.host}:{self.port}",
                 *(f"{name}: {value}" for name, value in headers), "", ""]
        await wire.send_all("\r\n".join(lines).encode())
        return Stream(wire)


@dataclass
class Event:
    name: str
    data: Any
    id: int


@dataclass
class Stream:
    """One page's live stream. comments: how many heartbeats came."""

    wire: trio.SocketStream
    comments: int = 0
    head: bytes = b""
    _buffer: bytearray = field(default_factory=bytearray)
    _raw: bytearray = field(default_factory=bytearray)

    async def next(self, *names: str) -> Event:
        """The next event, of one of these names if any are given. Raises EOFError at the end of the stream."""
        with trio.fail_after(20):
            while True:
                event = await self._event()
                if not names or event.name in names:
                    return event

    async def _event(self) -> Event:
        while b"\n\n" not in self._buffer:
            await self._more()
        block, _, rest = bytes(self._buffer).partition(b"\n\n")
        self._buffer = bytearray(rest)
        fields = dict(line.split(": ", 1) for line in block.decode().split("\n") if ": " in line)
        if "event" not in fields:
            self.comments += 1
            return Event("", None, 0)
        return Event(fields["event"], json.loads(fields["data"]), int(fields.get("id", 0)))

    async def _more(self) -> None:
        """One more chunk of the body (RFC 9112 §7.1)."""
        while not self.head:
            await self._receive()
            if b"\r\n\r\n" in self._raw:
                head, _, rest = bytes(self._raw).partition(b"\r\n\r\n")
                self.head, self._raw = head, bytearray(rest)
        while True:
            line, found, rest = bytes(self._raw).partition(b"\r\n")
            if found and len(rest) >= int(line, 16) + 2:
                size = int(line, 16)
                self._buffer += rest[:size]
                self._raw = bytearray(rest[size + 2:])
                if not size:
                    raise EOFError("the stream has ended")
                return
            await self._receive()

    async def _receive(self) -> None:
        data = await self.wire.receive_some()
        if not data:
            raise EOFError("the connection was closed")
        self._raw += data


@asynccontextmanager
async def live_page(folder: Path, *services: str, config: Config | None = None) -> AsyncIterator[Page]:
    """A sandbox with these services and the dashboard, on free ports."""
    await trio.Path(folder).mkdir(exist_ok=True)
    off = {role.name: False for protocol in PROTOCOLS for role in protocol.roles if role.name not in services}
    settings = msgspec.structs.replace(config or Config(), ports="ephemeral", bind=("127.0.0.1",), services=dict(off),
                                       mail=Mail(durability="memory"), limits=Limits(grace=0.1))
    async with running(settings, folder) as sandbox, dashboard(sandbox, lambda address: address == OWNER) as page:
        assert page is not None
        parts = urlsplit(page.url)
        assert parts.hostname is not None
        assert parts.port is not None
        yield Page(sandbox, parts.hostname, parts.port, page.token)
