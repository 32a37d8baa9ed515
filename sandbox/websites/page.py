"""Pages: templates that are package data, filled with escaped values, inside one frame with one style sheet.

A page needs nothing but itself: the style is inside it, named in its Content-Security-Policy by hash, and scripts
are refused but for the one a page brings along the same way. Whatever is not `Markup` is escaped when it is put in.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable
from pathlib import Path
from string import Template

from sandbox.protocols.http.errors import Page
from sandbox.protocols.http.messages import Request, Response
from sandbox.websites import answers
from sandbox.websites.reader import seen_at

__all__ = ["Markup", "asset", "breakable", "error_page", "fill", "frame", "join", "page", "policy", "template"]

PAGES = Path(__file__).parent / "pages"


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def asset(name: str) -> bytes:
    """A file of the package. Read while the sites are built, not while they answer."""
    return (PAGES / name).read_bytes()


def template(name: str) -> Template:
    return Template(asset(name).decode())


def escape(value: str) -> Markup:
    return value if isinstance(value, Markup) else Markup(html.escape(value))


def fill(pattern: Template | str, **values: str) -> Markup:
    """The template with the values in it, escaped where they are not markup. Raises KeyError for one missing."""
    if isinstance(pattern, str):
        pattern = Template(pattern)
    return Markup(pattern.substitute({name: escape(value) for name, value in values.items()}))


def breakable(name: str) -> Markup:
    """A host name that may go on in the next line after a dot, and nowhere else while that is enough."""
    return Markup(escape(name).replace(".", ".<wbr>"))


def join(parts: Iterable[str]) -> Markup:
    return Markup("".join(escape(part) for part in parts))


def source(text: str) -> str:
    """A source expression that allows exactly this style or script (CSP Level 3 §2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


STYLE = re.sub(r"\n\s*", "\n", asset("style.css").decode()).strip()
ICON = "data:image/svg+xml;base64," + base64.b64encode(asset("favicon.svg")).decode()
FRAME = template("frame.html")
ERROR = template("error.html")
SEEN = ' <a class="seen" href="$url">What just happened</a>'
MORE = '<pre tabindex="0">$text</pre>\n'
STYLE_SOURCE = source(STYLE)


def policy(script: str = "") -> tuple[str, str]:
    """The Content-Security-Policy of a page that has only its style, and perhaps one script."""
    scripts = f"; script-src {source(script)}; connect-src 'self'" if script else ""
    return ("Content-Security-Policy",
            f"default-src 'none'; style-src {STYLE_SOURCE}; img-src 'self' data:; form-action 'self'; "
            f"base-uri 'none'; frame-ancestors 'self'{scripts}")


def frame(title: str, body: Markup, host: str = "", script: str = "", seen: str = "") -> Markup:
    """A whole document. host: the name in the corner; script: the only one that may run; seen: the URL that shows how
    this page was fetched, "" for none."""
    return fill(FRAME, title=title, host=host or "the Sandbox", style=Markup(STYLE), icon=ICON, body=body,
                seen=fill(SEEN, url=seen) if seen else Markup(""),
                script=Markup(f"<script>{script}</script>" if script else ""))


def error_page(title: str, detail: str, more: str) -> Page:
    """What went wrong, in the frame that all pages have."""
    body = fill(ERROR, title=title, detail=detail, more=fill(MORE, text=more) if more else "")
    return Page(frame(title, body), (policy(),))


def page(title: str, body: Markup, status: int = 200, headers: answers.Fields = (), *, host: str = "",
         request: Request | None = None, script: str = "") -> Response:
    """host: the name in the corner, by default the request's; request: what the page answers, so that it can lead to
    how it was fetched."""
    seen = seen_at(request) if request else ""
    document = frame(title, body, host or (request.host if request else ""), script, seen)
    return answers.html(document, status, [policy(script), *headers])
