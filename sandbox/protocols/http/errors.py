"""What a client is told when its request cannot be answered: the status, what was wrong, and the RFC that says so."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from typing import NamedTuple

from sandbox.protocols.http.messages import Headers, HttpError, Request, Response
from sandbox.protocols.http.status import reason

__all__ = ["ErrorPage", "Page", "Refused", "error_response"]


class Refused(HttpError):
    """The connection cannot be trusted to mean what it says any more: this answer is its last.

    key: the situation's entry in the knowledge.
    """

    def __init__(self, status: int, detail: str, key: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(status, detail, headers)
        self.key = key


class Page(NamedTuple):
    """An HTML document, and the fields that go with it."""

    html: str
    fields: tuple[tuple[str, str], ...] = ()


ErrorPage = Callable[[str, str, str], Page]
"""From status, sentence and preformatted text ("" for none), none of them HTML yet."""


def error_response(error: HttpError, request: Request | None = None, more: str = "",
                   page: ErrorPage | None = None) -> Response:
    """A page for whoever reads HTML, a line or two of text for everybody else.

    request: None when it could not be read; more: preformatted text such as a traceback; page: makes the document.
    """
    title = f"{error.status} {reason(error.status)}"
    headers = error.headers.copy()
    if request is not None and wants_html(request):
        body, fields = (page or plain_page)(title, error.detail, more)
        headers = Headers([*headers, *fields])
        headers.set("Content-Type", "text/html; charset=utf-8")
    else:
        headers.set("Content-Type", "text/plain; charset=utf-8")
        body = "\n".join(part for part in (title, error.detail, more) if part) + "\n"
    headers.set("Cache-Control", "no-store")
    return Response(error.status, headers, body.encode("utf-8", "replace"), close=isinstance(error, Refused))


def wants_html(request: Request) -> bool:
    return any(token.partition(";")[0].strip() in ("text/html", "application/xhtml+xml")
               for token in request.headers.tokens("accept"))


def plain_page(title: str, detail: str, more: str) -> Page:
    """As bare as can be; whoever has a style of its own brings a page of its own along."""
    extra = f"<pre>{html.escape(more)}</pre>" if more else ""
    return Page(
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"></head>\n'
        f"<body><h1>{html.escape(title)}</h1><p>{html.escape(detail)}</p>{extra}</body></html>\n")
