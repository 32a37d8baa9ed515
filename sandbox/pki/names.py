"""The names a certificate can carry: host names and IP addresses, each in one spelling."""

from __future__ import annotations

import ipaddress
import re

__all__ = ["BadName", "normalize"]

LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


class BadName(ValueError):
    """Not a host name or IP address that a certificate can carry."""


def normalize(name: str) -> str:
    """The one spelling of a name or address: lower case, no final dot, addresses in their short form.

    Raises BadName for anything else: what a client puts into its hello is any bytes at all.
    """
    name = name.lower().rstrip(".")
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    if not 0 < len(name) <= 253 or not all(LABEL.fullmatch(label) for label in name.split(".")):
        raise BadName(f"{name[:80]!r} is neither a host name nor an IP address")
    return name
