"""Cookies (RFC 6265): reading the Cookie field, writing Set-Cookie."""

from __future__ import annotations

import re

from sandbox.protocols.http.messages import HttpError, Request

__all__ = ["clear_cookie", "cookies", "set_cookie"]

NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE = re.compile(r"[!#-+\--:<-\[\]-~]*")
"""cookie-octet (§4.1.1): no blanks, quotes, commas, semicolons or backslashes."""
MAX_COOKIES = 200


def cookies(request: Request) -> dict[str, str]:
    """Name to value. Of two with one name the first counts: clients send the more specific path first (§5.4)."""
    found: dict[str, str] = {}
    for pair in "; ".join(request.headers.get_all("cookie")).split(";", MAX_COOKIES)[:MAX_COOKIES]:
        name, equals, value = pair.strip().partition("=")
        if equals and name:
            found.setdefault(name, value.strip('"'))
    return found


def set_cookie(name: str, value: str, *, path: str = "/", max_age: int | None = None, http_only: bool = True,
               same_site: str = "Lax", secure: bool = False) -> tuple[str, str]:
    """A Set-Cookie field. Raises HttpError(400) for a name or value that cannot be written in one."""
    if NAME.fullmatch(name) is None:
        raise HttpError(400, "A cookie's name is made of letters, digits and !#$%&'*+-.^_`|~ (RFC 6265 §4.1.1).")
    if VALUE.fullmatch(value) is None:
        raise HttpError(400, "A cookie's value has no blanks, quotes, commas, semicolons, backslashes or characters "
                             "outside ASCII (RFC 6265 §4.1.1).")
    parts = [f"{name}={value}", f"Path={path}"]
    if max_age is not None:
        parts.append(f"Max-Age={max_age}")
    if http_only:
        parts.append("HttpOnly")
    if same_site:
        parts.append(f"SameSite={same_site}")
    if secure:
        parts.append("Secure")
    return "Set-Cookie", "; ".join(parts)


def clear_cookie(name: str) -> tuple[str, str]:
    """Make the client forget one: it expired before it began."""
    key, value = set_cookie(name, "", max_age=0, http_only=False, same_site="")
    return key, value + "; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
