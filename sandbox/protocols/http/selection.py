"""What is done to every site's answer before it is written: preconditions, ranges, content coding.

The order is the RFC's: preconditions before ranges (RFC 9110 §13.2.2), and both on the representation as it is,
since what is coded for one client has other octets.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import urlsplit

from sandbox.protocols.http.coding import SMALLEST, Squeezer, choose, squeeze_stream, varies
from sandbox.protocols.http.conditional import evaluate, range_applies
from sandbox.protocols.http.delivery import close_body
from sandbox.protocols.http.messages import Headers, HttpError, Request, Response
from sandbox.protocols.http.ranges import Parted, parse_range, partial
from sandbox.protocols.http.writer import field_lines

__all__ = ["Selection"]

NOT_MODIFIED = {"cache-control", "content-location", "date", "etag", "expires", "last-modified", "set-cookie", "vary"}
"""What a 304 repeats (RFC 9110 §15.4.5), and cookies, which are not about the representation."""


class Selection:
    """compress: whether to compress at all."""

    def __init__(self, compress: bool) -> None:
        self._compress = compress
        self._squeeze = Squeezer()

    def plain(self, response: Response) -> Response:
        """For a request that leaves no choice; says what others may get (Vary)."""
        length = size(response)
        if not self._compress or response.status != 200 or 0 <= length < SMALLEST:
            return response
        written = field_lines(response.headers)
        if written.negotiated or "content-encoding" in written.names or not varies(written.media, length):
            return response
        headers = response.headers.copy()
        headers.add("Vary", "Accept-Encoding")
        response.headers = headers                           # the site's own list of fields stays as it was
        return response

    async def __call__(self, request: Request, response: Response) -> Response:
        """For a request that chooses. Raises HttpError(412), HttpError(416)."""
        if response.status != 200 or request.method not in ("GET", "HEAD") or response.tunnel is not None:
            return response
        headers = response.headers
        coding = self._coding(request, response)
        etag, modified = headers.get("etag"), headers.get("last-modified")
        if etag or modified:
            match evaluate(request.method, request.headers, etag, modified):
                case 304:
                    await close_body(response.body)
                    return not_modified(weakened(headers) if coding else self.plain(response).headers)
                case 412:
                    await close_body(response.body)
                    raise HttpError(412, "The page has changed since you last saw it, or is not the one you name: "
                                    "the precondition you sent is false (RFC 9110 §13).", shared(headers))
        response = self.plain(response)
        whole = size(response)
        if (request.method == "GET" and "range" in request.headers and headers.get("accept-ranges") != "none"
                and (isinstance(response.body, bytes | Parted)) and "content-encoding" not in headers
                and range_applies(request.headers, etag, modified)):
            wanted = parse_range(",".join(request.headers.get_all("range")), whole)
            if wanted is not None:
                if not wanted:
                    raise HttpError(416, f"There are {whole} octets here, and none of the ranges asked for begins "
                                    "among them (RFC 9110 §15.5.17).",
                                    [("Content-Range", f"bytes */{whole}"), *shared(headers)])
                return partial(response, wanted, whole)
        return await self._coded(request, response, coding) if coding else response

    def _coding(self, request: Request, response: Response) -> str:
        written = field_lines(response.headers)
        if (not self._compress or "content-encoding" in written.names or "range" in request.headers
                or "no-transform" in response.headers.tokens("cache-control")
                or not varies(written.media, size(response)) or (request.secure and from_elsewhere(request))):
            return ""
        return choose(request.headers.tokens("accept-encoding"))

    async def _coded(self, request: Request, response: Response, coding: str) -> Response:
        headers = weakened(response.headers)
        headers.set("Content-Encoding", coding)
        if request.method == "HEAD":
            await close_body(response.body)
            return replace(response, headers=headers, body=unmeasured(), length=-1)
        if isinstance(response.body, bytes):
            body = await self._squeeze(response.body, coding, again="etag" in headers)
            return replace(response, headers=headers, body=body)
        return replace(response, headers=headers, body=squeeze_stream(response.body, coding), length=-1)


def from_elsewhere(request: Request) -> bool:
    """Whether another site's page makes a browser ask. The length of what is compressed and encrypted tells whoever
    watches the wire something about the text; with many such requests it tells secrets (BREACH, CVE-2013-3587)."""
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return True
    referrer = request.headers.get("referer")
    if not referrer:
        return False
    try:
        return urlsplit(referrer).hostname != request.host
    except ValueError:                                       # not even a URL
        return True


def size(response: Response) -> int:
    """Octets of the representation; -1 where nobody knows yet."""
    if isinstance(response.body, bytes) and (response.body or response.length < 0):
        return len(response.body)
    return response.length


async def unmeasured() -> AsyncIterator[bytes]:
    """What HEAD's answer has for a body: GET's, compressed, would have a length nobody knows yet."""
    yield b""


def with_vary(headers: Headers) -> Headers:
    headers = headers.copy()
    if "accept-encoding" not in headers.tokens("vary"):
        headers.add("Vary", "Accept-Encoding")
    return headers


def weakened(headers: Headers) -> Headers:
    """A copy whose ETag is weak: with another coding the octets differ, the meaning does not (RFC 9110 §8.8.1)."""
    headers = with_vary(headers)
    etag = headers.get("etag")
    if etag and not etag.startswith("W/"):
        headers.set("ETag", "W/" + etag)
    return headers


def not_modified(headers: Headers) -> Response:
    kept = [(name, value) for name, value in headers if name.lower() in NOT_MODIFIED]
    return Response(304, Headers([*kept, *shared(headers)]))


def shared(headers: Headers) -> list[tuple[str, str]]:
    """What lets a browser show the answer to a page of another site, whatever the answer becomes (Fetch §3.2)."""
    return [(name, value) for name, value in headers if name.lower().startswith("access-control-")]
