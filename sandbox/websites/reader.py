"""Who reads a page, and by which address they reach the sandbox."""

from __future__ import annotations

import ipaddress
from urllib.parse import quote

from sandbox.address import Address
from sandbox.protocols.http.messages import Request

__all__ = ["is_local", "reached", "seen_at"]


WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def reached(request: Request, listens: str) -> str:
    """The address of a service that this reader can use: the one that was typed, else the one that was reached.

    listens: where it listens first, which is shorter to type than ::1 for who sits at this machine. What a client
    asks a proxy for says nothing about where the proxy is.
    """
    typed = request.host.strip("[]")
    if is_address(typed) and not request.proxied:
        return typed
    if ipaddress.ip_address(request.server.host).is_loopback:
        return WILDCARDS.get(listens, listens)
    return request.server.host


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def seen_at(request: Request) -> str:
    """The live page's URL that shows how this page was fetched, as this reader reaches it; "" without one."""
    if request.live_page is None or not request.host:
        return ""
    page = Address(reached(request, request.live_page.host), request.live_page.port)
    return f"http://{page}/just/{quote(request.host)}{quote(request.path, safe='/%')}"


def is_local(host: str) -> bool:
    """Whether a host names this machine rather than a site: an address, localhost, or nothing."""
    return host in ("", "localhost") or is_address(host.strip("[]"))
