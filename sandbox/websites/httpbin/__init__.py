"""The endpoints of httpbin.org under their known paths and with its answers' shapes, so that a client's test suite
written for it works here unchanged. One file per theme; what each endpoint is for stands in `INDEX`, in the order of
the themes.

Mounted at the root of its own host and under /httpbin/ everywhere: `base` says which, for links that must stay
inside.
"""

from __future__ import annotations

from sandbox.protocols.http.messages import Headers, HttpError, Request, Response
from sandbox.websites import page
from sandbox.websites.httpbin import (
    auth,
    caching,
    cookie_jar,
    data,
    echo,
    formats,
    images,
    redirects,
    status,
)
from sandbox.websites.httpbin.description import PREFIX, base
from sandbox.websites.routes import Routes

__all__ = ["HttpBin"]

THEMES = (echo, status, auth, formats, data, cookie_jar, redirects, images, caching)


class HttpBin:
    """The site. It answers at `PREFIX` under every host."""

    def __init__(self) -> None:
        self.routes = Routes()
        for theme in THEMES:
            theme.register(self.routes)
        self._indexes = {at: index(at) for at in ("", PREFIX)}

    async def __call__(self, request: Request) -> Response:
        """Scripts on pages of any site may read the answers, refusals too, as they may at httpbin.org."""
        try:
            response = await self._answer(request)
        except HttpError as error:
            share(request, error.headers)
            raise
        response.headers = response.headers.copy()
        share(request, response.headers)
        return response

    async def _answer(self, request: Request) -> Response:
        at = base(request)
        path = request.path.removeprefix(at) or "/"
        if path == "/":
            if request.method not in ("GET", "HEAD"):
                raise HttpError(405, "This page can only be read.", [("Allow", "GET, HEAD")])
            return page.page("httpbin", self._indexes[at], request=request)
        response = await self.routes.answer(request, path)
        if response is None:
            raise HttpError(404, f"httpbin has nothing at {path}; {at}/ lists what there is.")
        return response


def share(request: Request, headers: Headers) -> None:
    """What lets a browser hand the answer to a page of another site (Fetch §3.2)."""
    if "access-control-allow-origin" not in headers:
        headers.add("Access-Control-Allow-Origin", request.headers.get("origin") or "*")
        headers.add("Access-Control-Allow-Credentials", "true")
    if request.method == "OPTIONS":
        headers.add("Access-Control-Allow-Methods", headers.get("allow"))
        headers.add("Access-Control-Allow-Headers", request.headers.get("access-control-request-headers") or "*")
        headers.add("Access-Control-Max-Age", "3600")


def index(at: str) -> page.Markup:
    """The page that lists every endpoint by theme, with links that stay below `at`."""
    sections = []
    for theme in THEMES:
        rows = page.join(page.fill(ROW, href=at + example, path=shown, text=text)
                         for example, shown, text in theme.INDEX)
        sections.append(page.fill(SECTION, title=theme.TITLE, rows=rows))
    return page.fill(page.template("httpbin.html"), sections=page.join(sections))


ROW = '<li><a href="$href"><code>$path</code></a> <span>$text</span></li>\n'
SECTION = "<section><h2>$title</h2><ul class=endpoints>$rows</ul></section>\n"
