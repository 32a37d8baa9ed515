"""Sites whose TLS is wrong on purpose: what a browser should have said before it showed them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sandbox.address import Address
from sandbox.protocols.http.messages import HttpError, Request, Response
from sandbox.websites import page
from sandbox.websites.page import fill, join

__all__ = ["LESSONS", "BadTls"]

INDEX = page.template("badtls.html")
LESSON = page.template("badtls-lesson.html")
ROW = '<div class="card"><h3><a href="$url">$host</a></h3><p>$what</p></div>\n'


class Lesson(NamedTuple):
    """One thing wrong. what: a sentence; why: the reason to stop; chromium, firefox, curl: their words for it."""

    what: str
    why: str
    rfc: str
    chromium: str
    firefox: str
    curl: str


LESSONS = {
    "expired": Lesson(
        "Its certificate ended yesterday.",
        "A certificate is a promise for a time. After it nobody says that the key is still in the right hands.",
        "RFC 5280 §4.1.2.5", "NET::ERR_CERT_DATE_INVALID", "SEC_ERROR_EXPIRED_CERTIFICATE",
        "SSL certificate problem: certificate has expired"),
    "wrong-host": Lesson(
        "Its certificate is good, but for another name.",
        "Anybody can have a certificate for a name of their own. Only the one for the name you typed proves that you "
        "are where you meant to be.",
        "RFC 9525 §6", "NET::ERR_CERT_COMMON_NAME_INVALID", "SSL_ERROR_BAD_CERT_DOMAIN",
        "SSL: no alternative certificate subject name matches target host name"),
    "self-signed": Lesson(
        "It signed its certificate itself.",
        "A passport one has written oneself: it may be true, but nobody you trust says so.",
        "RFC 5280 §6.1", "NET::ERR_CERT_AUTHORITY_INVALID", "MOZILLA_PKIX_ERROR_SELF_SIGNED_CERT",
        "SSL certificate problem: self-signed certificate"),
    "untrusted-root": Lesson(
        "An authority signed its certificate that nobody was ever asked to trust.",
        "The chain of signatures is complete, but it ends at a stranger.",
        "RFC 5280 §6.1", "NET::ERR_CERT_AUTHORITY_INVALID", "SEC_ERROR_UNKNOWN_ISSUER",
        "SSL certificate problem: self-signed certificate in certificate chain"),
    "old-tls": Lesson(
        "It speaks nothing newer than TLS 1.0.",
        "TLS 1.0 is from 1999 and leans on MD5 and SHA-1. Browsers gave it up in 2020.",
        "RFC 8996 §4", "ERR_SSL_VERSION_OR_CIPHER_MISMATCH", "SSL_ERROR_UNSUPPORTED_VERSION",
        "unsupported protocol, or: legacy sigalg disallowed or unsupported"),
}
"""By the first label of the host."""


class BadTls:
    """endpoints: the running services; complete when the first page is asked for."""

    def __init__(self, endpoints: Mapping[str, Address]) -> None:
        self._endpoints = endpoints

    async def __call__(self, request: Request) -> Response:
        """Raises HttpError(404), HttpError(405)."""
        if request.path != "/":
            raise HttpError(404, f"{request.host} has one page only, at /.")
        if request.method not in ("GET", "HEAD"):
            raise HttpError(405, "This page can only be read.", [("Allow", "GET, HEAD")])
        name = request.host.removesuffix(".localhost")
        label, _, rest = name.partition(".")
        lesson = LESSONS.get(label)
        if lesson is None:
            return self._index(request, name)
        body = fill(LESSON, host=page.breakable(name), seen=SEEN[request.secure], index=self._url(rest),
                    **lesson._asdict())
        return page.page(request.host, body, headers=[("Cache-Control", "no-store")], request=request)

    def _index(self, request: Request, name: str) -> Response:
        domain = name if name.partition(".")[0] == "badtls" else name.partition(".")[2]
        rows = join(fill(ROW, url=self._url(f"{label}.{domain}"), host=f"{label}.{domain}", what=lesson.what)
                    for label, lesson in LESSONS.items())
        return page.page("TLS gone wrong", fill(INDEX, rows=rows), headers=[("Cache-Control", "no-store")],
                         request=request)

    def _url(self, host: str) -> str:
        port = self._endpoints["https"].port if "https" in self._endpoints else 443
        return f"https://{host}/" if port == 443 else f"https://{host}:{port}/"


SEEN = {
    True: "You see this page, so your program did not look, or you told it to go on all the same.",
    False: "You came over plain HTTP, where there is no certificate to be wrong. Come back with https://.",
}
