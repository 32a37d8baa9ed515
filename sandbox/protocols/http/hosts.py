"""What the server answers for itself before any site is asked: CONNECT, TRACE, and OPTIONS for the whole server."""

from __future__ import annotations

from sandbox.protocols.contract.conversation import SessionHandler
from sandbox.protocols.contract.registry import Context
from sandbox.protocols.http.errors import Refused
from sandbox.protocols.http.messages import Headers, HttpError, Request, Response, Site
from sandbox.protocols.http.proxy import connect

__all__ = ["METHODS", "Hosts", "admit", "unknown_method"]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"})
ALLOW = [("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH")]
WITH_CONTENT = frozenset({"POST", "PUT", "PATCH"})


class Hosts:
    """Dispatches a request to the site of its host. sites: finds the site for request.host and asks it."""

    def __init__(self, context: Context, sites: Site, session: SessionHandler) -> None:
        self._context = context
        self._sites = sites
        self._session = session

    async def __call__(self, request: Request) -> Response:
        """Raises HttpError, and whatever a site raises."""
        if request.method == "CONNECT":
            return await connect(request, self._context, self._session)
        if request.method == "TRACE":
            raise HttpError(405, "TRACE would send a request's cookies and passwords back to whoever can make a "
                            "browser ask for it, so servers keep it off (RFC 9110 §9.3.8, §17.9).", ALLOW)
        if request.target == "*":
            return Response(204, Headers(ALLOW))
        return await self._sites(request)


def unknown_method(method: str) -> HttpError:
    """For a site that knows the usual methods alone, and was asked with another (RFC 9110 §15.6.2)."""
    if method.upper() in METHODS:
        return HttpError(501, f"Methods are written in capital letters: {method.upper()}, not {method} "
                         "(RFC 9110 §9.1).", ALLOW)
    return HttpError(501, f"The method {method[:40]} is not one this site knows (RFC 9110 §15.6.2).", ALLOW)


def admit(request: Request, length: int, expect: str, limit: int) -> None:
    """Whether a request may go on to its site. length: of the body, -1 for chunked; limit: of a body, in octets.

    Any token is a method, and which of them a site knows is the site's to say (RFC 9110 §9.1).
    Raises HttpError: 417, 413; Refused(411), since without a length nobody knows what follows.
    """
    method = request.method
    if expect and expect != "100-continue":
        raise HttpError(417, f"Expect: {expect[:40]} cannot be met; the only expectation there is, is 100-continue "
                        "(RFC 9110 §10.1.1).")
    if length > limit:
        raise HttpError(413, f"The body would be {length} octets long; {limit} are taken here (RFC 9110 §15.5.14).")
    if length == 0 and method in WITH_CONTENT and "content-length" not in request.headers and (
            expect or "content-type" in request.headers):
        raise Refused(411, f"This {method} announces content but not how long it is: send Content-Length, or "
                      "Transfer-Encoding: chunked (RFC 9110 §15.5.12).", "situation.no-length")
