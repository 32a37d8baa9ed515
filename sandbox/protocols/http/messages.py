"""HTTP semantics as values (RFC 9110): what a site is asked and what it answers, whatever the version on the wire.

A site is a coroutine from `Request` to `Response`. The same sites serve HTTP/1.1 and, over other framings,
whatever comes later: nothing here knows how a message is written on the wire.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from sandbox.address import Address
from sandbox.protocols.contract.conversation import Cause, Conversation

__all__ = ["Body", "Headers", "HttpError", "Request", "Response", "Site", "Tunnel"]


class Headers:
    """Header fields in the order they came, names matched without regard to case (RFC 9110 §5.1).

    Values are text, one character an octet (latin-1), as HTTP's grammar has them.
    """

    __slots__ = ("_items", "written")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items = list(items)
        self.written: object = None
        """What the writer made of these fields the last time: its own, and gone with the first change."""

    def copy(self) -> Headers:
        """One's own, to change without changing this one."""
        copied = Headers.__new__(Headers)
        copied._items = self._items.copy()
        copied.written = self.written
        return copied

    def get(self, name: str, default: str = "") -> str:
        """The value of the first field of that name."""
        name = name.lower()
        for key, value in self._items:
            if key.lower() == name:
                return value
        return default

    def get_all(self, name: str) -> list[str]:
        """Every field line of that name."""
        name = name.lower()
        return [value for key, value in self._items if key.lower() == name]

    def tokens(self, name: str) -> list[str]:
        """The members of a comma-separated field, in lower case (RFC 9110 §5.6.1)."""
        return [token for value in self.get_all(name)
                for part in value.split(",") if (token := part.strip().lower())]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(key.lower() == name.lower() for key, _ in self._items)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"Headers({self._items!r})"

    def add(self, name: str, value: str) -> None:
        self._items.append((name, value))
        self.written = None

    def set(self, name: str, value: str) -> None:
        """Replace every field of that name by one."""
        self.remove(name)
        self.add(name, value)

    def remove(self, name: str) -> None:
        name = name.lower()
        self._items = [item for item in self._items if item[0].lower() != name]
        self.written = None


class Body(Protocol):
    """The content of a request as it arrives."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def read(self, limit: int = 0) -> bytes:
        """All of it. limit: octets, 0 for the service's own. Raises HttpError(413)."""

    @property
    def trailers(self) -> Headers:
        """Trailer fields, once the body has been read (RFC 9110 §6.5)."""


@dataclass(slots=True)
class Request:
    """One request.

    path: the path of the target, still percent-encoded; host: lower case, without port or brackets, "" if none was
    sent; port: the one in the authority, or the scheme's own; the service's where no authority was sent; scheme:
    "http" or "https"; version: "1.0", "1.1", "2".
    """

    method: str
    target: str
    scheme: str
    host: str
    port: int
    path: str
    query: str
    headers: Headers
    body: Body
    client: Address
    server: Address
    version: str = "1.1"
    proxied: bool = False
    """Whether it came in absolute form, as to a proxy (RFC 9112 §3.2.2)."""
    facts: dict[str, str] = field(default_factory=dict)
    """Facts for the journal: a site may add to them."""
    exchange: Cause | int = 0
    """The exchange of the journal it is, for a site that dials; 0 where there is none."""
    live_page: Address | None = None
    """Where the live page is, which shows this request as it happened; None without one."""

    @property
    def secure(self) -> bool:
        return self.scheme == "https"

    @property
    def url(self) -> str:
        default = 443 if self.secure else 80
        port = "" if self.port == default else f":{self.port}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{port}{self.path}" + (f"?{self.query}" if self.query else "")


Tunnel = Callable[[Conversation], Awaitable[None]]
"""Takes over the connection after a 101, or a 2xx to CONNECT."""


@dataclass(slots=True)
class Response:
    """One response.

    body: all of it as bytes, or pieces as they become known (then `length` may say how many octets they will
    be; -1 for unknown, which HTTP/1.1 sends chunked); pieces are never asked for when nobody will see them (HEAD,
    304), and an async generator is closed in any case. The wire adds Date, Content-Length or Transfer-Encoding,
    Connection; it answers Range, the preconditions of GET and HEAD, and compresses, so that a site need not.
    trailers: called after the last piece.
    """

    status: int = 200
    headers: Headers = field(default_factory=Headers)
    body: bytes | AsyncIterable[bytes] = b""
    length: int = -1
    reason: str = ""
    trailers: Callable[[], Headers] | None = None
    tunnel: Tunnel | None = None
    close: bool = False
    """Whether the connection must end after this response."""


class HttpError(Exception):
    """A response a site or the framing wants sent instead: status and one sentence for a person."""

    def __init__(self, status: int, detail: str = "", headers: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.headers = Headers(headers)


Site = Callable[[Request], Awaitable[Response]]
