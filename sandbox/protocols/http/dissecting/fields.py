"""The values of HTTP's fields in their parts (RFC 9110): parameters, cookies, credentials, directives, ranges."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from sandbox.protocols.contract.spans import Cutter
from sandbox.protocols.lines.values import base64_text, listed, parameters, shown, until_semicolon

__all__ = ["field_value", "pairs", "query_text"]

WORD = re.compile(rb"[^\s,;=]+")


def field_value(cutter: Cutter, end: int, name: str, key: str) -> None:
    """A value, up to a place. name: of its field, in small letters."""
    inside = INSIDE.get(name)
    if inside is None:
        cutter.to(end, "field value", key)
        return
    with cutter.within(end, "field value", key) as inner:
        inside(inner)
    if cutter.spans and len(cutter.spans[-1].children) == 1 and not cutter.spans[-1].children[0].value:
        cutter.spans[-1] = cutter.spans[-1]._replace(children=())


def media(cutter: Cutter) -> None:
    parameters(cutter, "media type", "lines:part.media-type")


def disposition(cutter: Cutter) -> None:
    parameters(cutter, "word", "part.word")


def preferences(cutter: Cutter) -> None:
    """What a client takes, perhaps with how much it wants it (RFC 9110 §12.4.2)."""
    listed(cutter, "word", "part.word")


def directives(cutter: Cutter) -> None:
    """Cache-Control and its kin (RFC 9111 §5.2)."""
    listed(cutter, "directive", "part.directive")


def cookies(cutter: Cutter) -> None:
    """What a browser sends back (RFC 6265 §4.2)."""
    while cutter.left:
        cutter.skip(b" ")
        first = len(cutter.spans)
        pair(cutter, b";")
        cutter.nest(first, "cookie", "part.cookie")
        cutter.take(1, "semicolon", "lines:part.separator")


def cookie_set(cutter: Cutter) -> None:
    """A cookie and how long, where and to whom it is sent (RFC 6265 §4.1)."""
    with cutter.within(cutter.end if (stop := cutter.find(b";")) < 0 else stop, "cookie", "part.cookie") as inner:
        pair(inner, b";")
    parameters(cutter, "text", "lines:part.text")


def pair(cutter: Cutter, stop: bytes) -> None:
    """A name and its value up to an octet; the value with its percent signs undone."""
    found = cutter.find(stop)
    end = cutter.end if found < 0 else found
    equals = cutter.octets.find(b"=", cutter.position, end)
    if equals < 0:
        cutter.to(end, "name", "lines:part.parameter-name")
        return
    cutter.to(equals, "name", "lines:part.parameter-name", query_text(cutter.octets[cutter.position:equals]))
    cutter.take(1, "equals sign", "lines:part.separator")
    cutter.to(end, "value", "lines:part.parameter-value", query_text(cutter.octets[cutter.position:end]))


def pairs(cutter: Cutter) -> None:
    """The parameters of a query, or of a form's content (WHATWG URL, application/x-www-form-urlencoded)."""
    while cutter.left:
        first = len(cutter.spans)
        pair(cutter, b"&")
        cutter.nest(first, "parameter", "part.parameter")
        cutter.take(1, "ampersand", "lines:part.separator")


def query_text(written: bytes) -> str:
    """A name or a value with plus and percent signs undone, "" where nothing of it is written otherwise."""
    if b"%" not in written and b"+" not in written:
        return ""
    return shown(unquote_to_bytes(written.replace(b"+", b" ")))


def credentials(cutter: Cutter) -> None:
    """The scheme, and what it asks for: base64 is shown as what it says (RFC 9110 §11.4, RFC 7617 §2)."""
    until_space(cutter, "scheme", "part.scheme")
    cutter.skip(b" \t")
    rest = cutter.rest
    if cutter.spans and cutter.octets[cutter.spans[0].start:cutter.spans[0].end].lower() == b"basic":
        cutter.to(cutter.end, "credentials", "part.credentials", base64_text(rest))
    elif b"=" in rest.rstrip(b"="):
        while cutter.left:
            cutter.skip(b" \t")
            first = len(cutter.spans)
            pair(cutter, b",")
            cutter.nest(first, "parameter", "lines:part.parameter")
            cutter.take(1, "comma", "lines:part.separator")
    else:
        cutter.to(cutter.end, "credentials", "part.credentials")


def until_space(cutter: Cutter, name: str, key: str) -> None:
    cutter.until(b" ", name, key)


def ranges(cutter: Cutter) -> None:
    """The unit, and which of them (RFC 9110 §14.1)."""
    found = WORD.match(cutter.octets, cutter.position, cutter.end)
    if found is None:
        return
    cutter.to(found.end(), "unit", "part.word")
    cutter.skip(b" ")
    cutter.take(1 if cutter.peek(1) == b"=" else 0, "equals sign", "lines:part.separator")
    while cutter.left:
        cutter.skip(b" ")
        cutter.until(b",", "range", "part.range")
        cutter.take(1, "comma", "lines:part.separator")


def refresh(cutter: Cutter) -> None:
    until_semicolon(cutter, "word", "part.word")
    parameters(cutter, "text", "lines:part.text")


INSIDE: dict[str, Callable[[Cutter], None]] = {
    "content-type": media, "content-disposition": disposition, "cookie": cookies, "set-cookie": cookie_set,
    "authorization": credentials, "proxy-authorization": credentials, "www-authenticate": credentials,
    "proxy-authenticate": credentials, "range": ranges, "content-range": ranges, "refresh": refresh,
    **dict.fromkeys(("cache-control", "pragma", "strict-transport-security", "keep-alive", "prefer"), directives),
    **dict.fromkeys(("accept", "accept-encoding", "accept-language", "accept-charset", "te", "vary", "connection",
                     "allow", "accept-ranges", "upgrade", "transfer-encoding", "content-encoding",
                     "sec-websocket-extensions", "sec-websocket-protocol"), preferences),
}
"""What is inside, by field."""
