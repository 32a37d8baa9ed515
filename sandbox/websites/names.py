"""DNS over HTTPS (RFC 8484): a DNS message is asked and answered like a page, on the same function as over UDP."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from sandbox.protocols.contract.conversation import DatagramHandler
from sandbox.protocols.http.messages import HttpError, Request, Response
from sandbox.websites import answers
from sandbox.websites.content import parse_query

__all__ = ["PATH", "DnsQuery"]

PATH = "/dns-query"
MEDIA = "application/dns-message"
LONGEST = 65_535
"""Octets of a DNS message (RFC 1035 §4.2.2)."""


class DnsQuery:
    """ask: finds another service's messages by its role."""

    def __init__(self, ask: Callable[[str], DatagramHandler | None]) -> None:
        self._ask = ask

    async def __call__(self, request: Request) -> Response:
        """Raises HttpError: 400, 404, 405, 413, 415."""
        respond = self._ask("dns") or self._ask("domain-s")
        if respond is None:
            raise HttpError(404, "The sandbox's DNS service is off, so nobody answers here.")
        answer = respond(await read_message(request), request.client)
        about = answer.about
        if about.asked:
            request.facts["name"] = about.asked
        request.facts["dns"] = f"{about.verb} {about.asked} → {about.outcome}"
        if answer.data is None:
            raise HttpError(400, "This is no DNS query that could be answered (RFC 1035 §4.1).")
        return answers.answer(answer.data, MEDIA, headers=[("Cache-Control", f"max-age={freshness(answer.data)}")])


async def read_message(request: Request) -> bytes:
    """The query, from ?dns= or from the body (RFC 8484 §4.1)."""
    if request.method == "POST":
        if request.headers.get("content-type").partition(";")[0].strip().lower() != MEDIA:
            raise HttpError(415, f"A query is sent as Content-Type: {MEDIA} (RFC 8484 §4.1).")
        return await request.body.read(LONGEST)
    if request.method not in ("GET", "HEAD"):
        raise HttpError(405, "DNS over HTTPS asks with GET or POST (RFC 8484 §4.1).", [("Allow", "GET, HEAD, POST")])
    text = dict(parse_query(request.query)).get("dns", "")
    if not text:
        raise HttpError(400, "Here is DNS over HTTPS: GET needs ?dns= and a DNS message in base64url, POST a body of "
                        f"{MEDIA} (RFC 8484 §4.1).")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise HttpError(400, "What follows ?dns= is not base64url (RFC 8484 §4.1, RFC 4648 §5).") from None


def freshness(wire: bytes) -> int:
    """For how many seconds HTTP may keep an answer: no longer than the first of its records (RFC 8484 §5.1)."""
    import dns.exception
    import dns.message

    try:
        message = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError):
        return 0
    return min((records.ttl for records in message.answer or message.authority), default=0)
