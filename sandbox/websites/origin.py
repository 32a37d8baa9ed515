"""Who may change something from a page: requests that another website made a browser send are refused.

Browsers say where a request comes from (Fetch Metadata's Sec-Fetch-Site; Origin, RFC 6454 §7) and no page can make
them lie; a program that is no browser says nothing and has no cookies that a page could abuse. So no token is needed
in the forms, and `curl -d` works on them.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from sandbox.protocols.http.messages import HttpError, Request

__all__ = ["refuse_other_sites"]


def refuse_other_sites(request: Request) -> None:
    """Raises HttpError(403) for a request that a page of another origin caused."""
    site = request.headers.get("sec-fetch-site")
    if site:
        foreign = site not in ("same-origin", "none")
    else:
        origin = request.headers.get("origin")
        foreign = bool(origin) and not own(origin, request)
    if foreign:
        raise HttpError(403, "A page of another website made your browser send this, so it was not done. "
                             "Open the form on this site and send it from there.")


def own(origin: str, request: Request) -> bool:
    try:
        parts = urlsplit(origin)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return False
    return (parts.scheme, (parts.hostname or "").strip("[]"), port) == (
        request.scheme, request.host.strip("[]"), request.port)
