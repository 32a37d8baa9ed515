"""The sandbox's certificate authority to take away: as files, with a page on how to trust it, and its revocations."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from sandbox.address import Address
from sandbox.protocols.http.messages import HttpError, Request, Response
from sandbox.websites import answers, page
from sandbox.websites.page import fill, join
from sandbox.websites.reader import reached

if TYPE_CHECKING:
    from sandbox.pki.authority import Authority

__all__ = ["PATHS", "AuthoritySite"]

FILES = {"/ca.pem": "pem", "/ca.crt": "crt", "/ca.p12": "p12", "/ca.crl": "crl"}
PATHS = frozenset({*FILES, "/ca"})

RENEWED = 86_400
"""Seconds until the revocation list is signed anew."""

PAGE = page.template("ca.html")
GUIDE = '<h3>$title</h3>\n<pre tabindex="0">$steps</pre>\n<p class="soft">To undo: $undo</p>\n'


class AuthoritySite:
    """folder: where the authority's files are, None where there is none; endpoints: the running services, complete
    when the first page is asked for."""

    def __init__(self, folder: Path | None, endpoints: Mapping[str, Address]) -> None:
        self._folder = folder
        self._endpoints = endpoints
        self._lock = trio.Lock()
        self._authority: Authority | None = None
        self._list = b""
        self._list_made = 0.0

    async def __call__(self, request: Request) -> Response:
        """Raises HttpError(404), HttpError(405)."""
        if request.method not in ("GET", "HEAD"):
            raise HttpError(405, "This can only be read.", [("Allow", "GET, HEAD")])
        if self._folder is None:
            raise HttpError(404, "This sandbox has no certificate authority.")
        authority = await self._open(self._folder)
        kind = FILES.get(request.path)
        if kind is None:
            return self._page(request, self._folder, authority)
        from sandbox.pki.formats import MEDIA_TYPES

        if kind == "crl":
            body = await self._revocations(authority)
        else:
            body = await trio.to_thread.run_sync((self._folder / f"ca.{kind}").read_bytes)
        return answers.answer(body, MEDIA_TYPES[kind], headers=[("Cache-Control", "no-cache")])

    async def _open(self, folder: Path) -> Authority:
        """Made or loaded at the first visit, off the event loop: it takes up to 0.2 s."""
        if self._authority is None:
            async with self._lock:
                if self._authority is None:
                    self._authority = await trio.to_thread.run_sync(open_authority, folder)
        return self._authority

    async def _revocations(self, authority: Authority) -> bytes:
        if not self._list or self._list_made + RENEWED < time.time():
            from sandbox.pki.crl import empty_crl

            self._list = await trio.to_thread.run_sync(partial(empty_crl, authority))
            self._list_made = time.time()
        return self._list

    def _page(self, request: Request, folder: Path, authority: Authority) -> Response:
        from sandbox.pki.trust import guides

        here = request.client.host in ("::1", "127.0.0.1") or request.client.host.startswith("127.")
        https = self._endpoints.get("https", request.server)
        found = guides(str(folder) if here else "$HOME/Downloads", authority.name, authority.spki_hash,
                       str(Address(reached(request, https.host), https.port)))
        body = fill(PAGE, name=authority.name, fingerprint=authority.fingerprint, guides=join(
            fill(GUIDE, title=guide.title, steps="\n".join(guide.steps), undo=undoing(guide.undo))
            for guide in found))
        return page.page("Trust the sandbox", body, headers=[("Cache-Control", "no-cache")], request=request)


def undoing(text: str) -> page.Markup:
    """A sentence as it is, a command as one."""
    return fill("$text" if text[:1].isupper() else "<code>$text</code>", text=text)


def open_authority(folder: Path) -> Authority:
    from sandbox.pki.authority import Authority

    return Authority.open(folder)
