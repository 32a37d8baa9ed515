"""What a client is told when its request cannot be answered: the status, what was wrong, and the RFC that says so."""

from __future__ import annotations

import html
from collections.abc import Iterable

from sandbox.protocols.http.messages import HttpError, Request, Response
from sandbox.protocols.http.status import reason

__all__ = ["Refused", "error_response"]


class Refused(HttpError):
    """The connection cannot be trusted to mean what it says any more: this answer is its last.

    key: the situation's entry in the knowledge.
    """

    def __init__(self, status: int, detail: str, key: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(status, detail, headers)
        self.key = key


def error_response(error: HttpError, request: Request | None = None, more: str = "") -> Response:
    """A page for whoever reads HTML, a line or two of text for everybody else.

    request: None when it could not be read; more: preformatted text such as a traceback.
    """
    title = f"{error.status} {reason(error.status)}"
    headers = error.headers.copy()
    if request is not None and wants_html(request):
        headers.set("Content-Type", "text/html; charset=utf-8")
        body = page(title, error.detail, more)
    else:
        headers.set("Content-Type", "text/plain; charset=utf-8")
        body = "\n".join(part for part in (title, error.detail, more) if part) + "\n"
    headers.set("Cache-Control", "no-store")
    return Response(error.status, headers, body.encode("utf-8", "replace"), close=isinstance(error, Refused))


def wants_html(request: Request) -> bool:
    return any(token.partition(";")[0].strip() in ("text/html", "application/xhtml+xml")
               for token in request.headers.tokens("accept"))


def page(title: str, detail: str, more: str) -> str:
    extra = f"<pre>{html.escape(more)}</pre>" if more else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        '<meta name="viewport" content="width=device-width">'
        "<style>body{font:17px/1.6 system-ui,sans-serif;margin:15vh auto;max-width:40em;padding:0 1em}"
        "pre{overflow:auto;font-size:14px}footer{color:#666;margin-top:3em}"
        "@media(prefers-color-scheme:dark){body{background:#161616;color:#eee}}</style></head>\n"
        f"<body><h1>{html.escape(title)}</h1><p>{html.escape(detail)}</p>{extra}"
        "<footer>The sandbox, a small pretend internet on this machine.</footer></body></html>\n"
    )
