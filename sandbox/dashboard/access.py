"""Who asks: on this machine somebody who may see and do everything; elsewhere a visitor, or a teacher with the token.

A browser can be made to send requests by any page that is open in it. So the Host must be an address or a name of
this machine (a name that somebody else may point here is refused: DNS rebinding), what a page of another origin
makes a browser send is refused, and there is no CORS. The token comes once, in a URL's fragment, which no server
sees; the page turns it into a cookie that only this site gets.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, Collection
from http.cookies import CookieError, SimpleCookie
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from sandbox.dashboard.answers import ProblemError
from sandbox.filter import Filter
from sandbox.journal.matching import EVERYTHING, Narrowing, reads_octets
from sandbox.journal.records import Exchange, Session
from sandbox.protocols.http.messages import Request

__all__ = ["COOKIE", "Access", "Asker", "Own", "Seen", "authority", "loopback", "plain"]

Own = Callable[[str], bool]

COOKIE = "sandbox_token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Asker(NamedTuple):
    """Somebody with a request. role: "owner" on this machine, "teacher" with the token, else "visitor"."""

    role: Literal["owner", "teacher", "visitor"]
    address: str

    @property
    def sees_all(self) -> bool:
        return self.role != "visitor"

    def may_see(self, session: Session) -> bool:
        return self.sees_all or plain(session.client.host) == self.address


class Seen:
    """What an asker may see of what matches."""

    def __init__(self, asker: Asker, matcher: Filter | None) -> None:
        self._asker = asker
        self._matcher = matcher
        self.reads_octets = reads_octets(matcher)

    def matches(self, session: Session, exchange: Exchange) -> bool:
        return self._asker.may_see(session) and (self._matcher is None or self._matcher.matches(session, exchange))

    def failing(self, session: Session, exchange: Exchange) -> list[str]:
        """Which terms an exchange failed; none for what is not the asker's to know."""
        if self._matcher is None or not self._asker.may_see(session):
            return []
        return self._matcher.failing(session, exchange)

    def sees(self, session: Session) -> bool:
        """Whether a session as such may be seen."""
        return self._asker.may_see(session)

    def counted(self, sessions: Collection[Session]) -> int:
        """How many of them may be seen."""
        return len(sessions) if self._asker.sees_all else sum(map(self._asker.may_see, sessions))

    def narrowing(self) -> Narrowing:
        narrowing = self._matcher.narrowing() if self._matcher is not None else EVERYTHING
        address = self._asker.address
        if self._asker.sees_all or "client" in narrowing.columns or ipaddress.ip_address(address).is_link_local:
            return narrowing     # what is link-local has a zone in the journal
        return narrowing._replace(columns={**narrowing.columns, "client": frozenset({address, f"::ffff:{address}"})})


def loopback(address: str) -> bool:
    """Whether somebody with this address is on this machine."""
    return ipaddress.ip_address(address).is_loopback


class Access:
    """The rules of one live page. own: whether an address, in the form `plain` gives, is one whose users own this
    sandbox; names: further host names it may be called by."""

    def __init__(self, token: str, own: Own = loopback, names: frozenset[str] = frozenset()) -> None:
        self.token = token
        self._own = own
        self._names = names | {"localhost"}

    def asker(self, request: Request) -> Asker:
        """Who it is. Raises ProblemError for a request that a foreign page made, or that came by a foreign name."""
        self._check_host(request)
        self._check_origin(request)
        address = plain(request.client.host)
        if self._own(address):
            return Asker("owner", address)
        return Asker("teacher" if self._has_token(request) else "visitor", address)

    def right(self, token: str) -> bool:
        """Whether this is the token, in a time that tells nothing about it."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def _check_host(self, request: Request) -> None:
        host = request.host
        if host.endswith(".localhost") or host in self._names or is_address(host):
            return
        raise ProblemError(421, "Not called by that name", f"The live page is not called {host[:100]!r}.",
                           "Open it by an address or as localhost, so that no foreign name can be made to lead here.")

    def _check_origin(self, request: Request) -> None:
        site = request.headers.get("Sec-Fetch-Site")
        origin = request.headers.get("Origin")
        foreign = (site in ("cross-site", "same-site")
                   or (origin and urlsplit(origin).netloc.lower() != authority(request)))
        leads_here = request.method in SAFE and request.headers.get("Sec-Fetch-Mode") == "navigate" and not origin
        if foreign and not leads_here:
            raise ProblemError(403, "Asked by another page", "A page of another origin made the browser send this.",
                               "Open the live page itself; programs send no Origin.")

    def _has_token(self, request: Request) -> bool:
        kind, _, value = request.headers.get("Authorization").partition(" ")
        if kind.lower() == "bearer" and self.right(value.strip()):
            return True
        try:
            cookies = SimpleCookie(request.headers.get("Cookie"))
        except CookieError:
            return False
        return COOKIE in cookies and self.right(cookies[COOKIE].value)


def plain(host: str) -> str:
    """An address in one form: IPv4 in IPv6 is IPv4, and the zone is left out."""
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True


def authority(request: Request) -> str:
    """Host and port as an Origin has them."""
    host = f"[{request.host}]" if ":" in request.host else request.host
    return host if request.port in (80, 443) and request.scheme in ("http", "https") and (
        (request.scheme == "http") == (request.port == 80)) else f"{host}:{request.port}"
