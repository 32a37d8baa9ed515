"""Every protocol the sandbox speaks: its name, its roles with their well-known ports, and where its code is.

Adding a protocol is adding a folder and one line to `PROTOCOLS`. The folder's module has one function,
`serve(context) -> Service`; it is imported only when one of the protocol's roles is on, so heavy libraries cost
nothing until they are needed.
"""

from __future__ import annotations

import enum
import importlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.address import Address
from sandbox.config import Config
from sandbox.protocols.contract.conversation import Answer, DatagramHandler, Dial, SessionHandler, SlowDatagramHandler
from sandbox.protocols.contract.script import ScriptedAnswer

if TYPE_CHECKING:
    from sandbox.world import World

__all__ = ["PROTOCOLS", "Context", "Protocol", "Role", "Service", "Tls", "find_role"]


class Tls(enum.Enum):
    """How a role comes to be encrypted."""

    NEVER = "never"
    UPGRADE = "upgrade"
    IMPLICIT = "implicit"


@dataclass(frozen=True, slots=True)
class Role:
    """A service a client can connect to.

    port: the well-known one; high: the one used without privileges (port + 8000, http 8080 for ease).
    """

    name: str
    port: int
    high: int = 0
    transports: tuple[str, ...] = ("tcp",)
    tls: Tls = Tls.NEVER
    alpn: tuple[str, ...] = ()
    """Application protocols offered in a TLS handshake (RFC 7301), the best first."""
    legacy: bool = False
    """Whether it accepts TLS 1.0 and 1.1 too, with weak suites: for old clients, and to learn why they died."""
    default: bool = True
    """Whether it is on unless the configuration says otherwise."""
    beside: str = ""
    """The role whose port it has too, on an address of its own (`dns.hierarchy`)."""

    def __post_init__(self) -> None:
        if not self.high:
            object.__setattr__(self, "high", self.port + 8000)


@dataclass(frozen=True, slots=True)
class Context:
    """What a protocol is built with.

    endpoints: every running service by role name, as clients reach it, complete before the first session starts;
    dial: connect to a port on this machine, and nowhere else; ask: how another running service answers single
    messages, by its role, None where it does not run or has no messages; ca: the folder of the certificate authority,
    None where there is none; space: the name of the space it answers in; live_page: where the live page is, None
    while there is none.
    """

    world: World
    role: Role
    config: Config
    endpoints: Mapping[str, Address]
    dial: Dial
    ask: Callable[[str], DatagramHandler | None] = lambda role: None
    ca: Path | None = None
    space: str = "main"
    live_page: Callable[[], Address | None] = lambda: None


@dataclass(frozen=True, slots=True)
class Service:
    """What a protocol gives back: how it answers a connection, a datagram, or both."""

    session: SessionHandler | None = None
    datagram: DatagramHandler | None = None
    later: SlowDatagramHandler | None = None
    """Answers datagrams instead of `datagram` where that takes time."""
    restate: Callable[[bytes, Answer, ScriptedAnswer], Answer] | None = None
    """A datagram's answer in a script's words, with the datagram and what its handler would have answered."""
    message: DatagramHandler | None = None
    """One message in, one out, of any length, for a protocol that carries them inside (DNS over HTTPS)."""
    busy: bytes = b""
    """What a client is told when the sandbox has too many connections already."""
    task: Callable[[], Awaitable[None]] | None = None
    """What runs beside the listeners, from before the first connection until the sandbox stops."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """One protocol. module: where its `serve` function is."""

    name: str
    module: str
    roles: tuple[Role, ...]

    def serve(self, context: Context) -> Service:
        """Import the protocol and build one of its services."""
        service = importlib.import_module(self.module).serve(context)
        assert isinstance(service, Service)
        return service


BOTH = ("udp", "tcp")

PROTOCOLS: tuple[Protocol, ...] = (
    Protocol("http", "sandbox.websites.service", (
        Role("http", 80, 8080),
        Role("https", 443, tls=Tls.IMPLICIT, alpn=("h2", "http/1.1", "http/1.0")),
        Role("https-legacy", 4433, 8433, tls=Tls.IMPLICIT, alpn=("http/1.1", "http/1.0"), legacy=True, default=False),
    )),
    Protocol("dns", "sandbox.protocols.dns.service", (
        Role("dns", 53, transports=BOTH),
        Role("dns-root", 53, transports=BOTH, beside="dns"),        # one server for each level of the tree
        Role("dns-tld", 53, transports=BOTH, beside="dns"),
        Role("dns-domains", 53, transports=BOTH, beside="dns"),
        Role("resolver", 54, transports=BOTH, default=False),       # asks the three; a port for it is nobody's
        Role("domain-s", 853, tls=Tls.IMPLICIT, alpn=("dot",)),     # RFC 7858
    )),
    Protocol("smtp", "sandbox.protocols.smtp.service", (
        Role("smtp", 25, tls=Tls.UPGRADE),
        Role("submission", 587, tls=Tls.UPGRADE),
        Role("submissions", 465, tls=Tls.IMPLICIT),                 # RFC 8314
    )),
    Protocol("pop3", "sandbox.protocols.pop3.service", (
        Role("pop3", 110, tls=Tls.UPGRADE),
        Role("pop3s", 995, tls=Tls.IMPLICIT, alpn=("pop3",)),
    )),
    Protocol("imap", "sandbox.protocols.imap.service", (
        Role("imap", 143, tls=Tls.UPGRADE, alpn=("imap",)),
        Role("imaps", 993, tls=Tls.IMPLICIT, alpn=("imap",)),       # RFC 8314
    )),
    Protocol("ftp", "sandbox.protocols.ftp.service", (
        Role("ftp", 21, tls=Tls.UPGRADE),
        Role("ftps", 990, tls=Tls.IMPLICIT),
    )),
    Protocol("sftp", "sandbox.protocols.sftp.session", (
        Role("sftp", 22),
    )),
    Protocol("tcp", "sandbox.protocols.tcp.session", (
        Role("echo", 7, transports=BOTH),          # RFC 862
        Role("discard", 9, transports=BOTH),       # RFC 863
        Role("daytime", 13, transports=BOTH),      # RFC 867
        Role("qotd", 17, transports=BOTH),         # RFC 865
        Role("chargen", 19, transports=BOTH),      # RFC 864
        Role("time", 37, transports=BOTH),         # RFC 868
    )),
)


def find_role(name: str) -> tuple[Protocol, Role]:
    """The protocol and role a service name stands for. Raises KeyError."""
    for protocol in PROTOCOLS:
        for role in protocol.roles:
            if role.name == name:
                return protocol, role
    raise KeyError(name)
