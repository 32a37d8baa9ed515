"""Who reads a page, and by which address they reach the sandbox."""

from __future__ import annotations

import ipaddress

from sandbox.protocols.http.messages import Request

__all__ = ["is_local", "reached"]


def reached(request: Request) -> str:
    """The address of the sandbox that this reader can use: the one that was typed, else the one that was reached.

    What a client asks a proxy for says nothing about where the proxy is.
    """
    typed = request.host.strip("[]")
    return typed if is_address(typed) and not request.proxied else request.server.host


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_local(host: str) -> bool:
    """Whether a host names this machine rather than a site: an address, localhost, or nothing."""
    return host in ("", "localhost") or is_address(host.strip("[]"))
