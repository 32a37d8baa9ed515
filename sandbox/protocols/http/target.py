"""The request target in its four forms, and the authority (RFC 9112 §3.2, RFC 3986 §3.2). Pure."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from sandbox.protocols.http.errors import Refused

__all__ = ["Target", "parse_authority", "parse_target"]

NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
"""What a host name is made of. Percent-encoding and sub-delims, which RFC 3986 has too, name no host there is."""


class Target(NamedTuple):
    """scheme, host: "" where the form has none; port: 0 where it says none."""

    form: str
    scheme: str
    host: str
    port: int
    path: str
    query: str


def parse_authority(text: str) -> tuple[str, int]:
    """Host in lower case without brackets or final dot, and port (0 for none). Raises ValueError with a sentence."""
    if "@" in text:
        raise ValueError("a user name has no place before the host (RFC 9110 §4.2.4)")
    if text.startswith("["):
        literal, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError("an IPv6 address stands in brackets, with only :port after them (RFC 3986 §3.2.2)")
        if "%" in literal:
            raise ValueError("an IPv6 zone is not sent to a server")
        try:
            host = str(ipaddress.IPv6Address(literal))
        except ValueError:
            raise ValueError(f"{literal!r} is not an IPv6 address") from None
        port = rest[1:]
    else:
        host, _, port = text.partition(":")
        if ":" in port:
            raise ValueError("an IPv6 address is written in brackets: [::1] (RFC 3986 §3.2.2)")
        wrong = next((character for character in host if character not in NAME), "")
        if wrong:
            raise ValueError(f"{wrong!r} cannot be in a host name; letters outside ASCII are sent as Punycode, "
                             f"xn--... (RFC 3986 §3.2.2, RFC 5890)")
        if len(host) > 255:
            raise ValueError("a host name has at most 255 octets (RFC 1035 §2.3.4)")
        host = host.lower()
        host = host[:-1] if host.endswith(".") else host
    if port and not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535):
        raise ValueError(f"{port!r} is not a port, which is a number up to 65535")
    return host, int(port or 0)


def parse_target(method: str, target: str) -> Target:
    """Raises Refused(400)."""
    if "#" in target:
        raise bad_target("A fragment (#...) stays in the browser and is never sent (RFC 9112 §3.2)")
    if method == "CONNECT":
        try:
            host, port = parse_authority(target)
        except ValueError as error:
            raise bad_target(f"CONNECT names host:port and nothing else: {error} (RFC 9112 §3.2.3)") from None
        if not host or not port:
            raise bad_target("CONNECT needs both a host and a port, as in example.com:443 (RFC 9112 §3.2.3)")
        return Target("authority", "", host, port, "", "")
    if target.startswith("/"):
        path, _, query = target.partition("?")
        return Target("origin", "", "", 0, path, query)
    if target == "*":
        if method != "OPTIONS":
            raise bad_target("The target * means the server as a whole and goes with OPTIONS only (RFC 9112 §3.2.4)")
        return Target("asterisk", "", "", 0, "*", "")
    return absolute(target)


def absolute(target: str) -> Target:
    scheme, mark, rest = target.partition("://")
    scheme = scheme.lower()
    if not mark:
        raise bad_target("A request target begins with a slash, or is a whole http:// address (RFC 9112 §3.2)")
    if scheme not in ("http", "https"):
        raise bad_target(f"This proxy fetches http:// and https:// addresses, not {scheme[:20]}:// (RFC 9110 §4.2)")
    cut = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    try:
        host, port = parse_authority(rest[:cut])
    except ValueError as error:
        raise bad_target(f"The address has a host that cannot be (RFC 9110 §4.2.1): {error}") from None
    if not host:
        raise bad_target("The address has no host (RFC 9110 §4.2.1)")
    path, _, query = rest[cut:].partition("?")
    return Target("absolute", scheme, host, port, path or "/", query)


def bad_target(sentence: str) -> Refused:
    return Refused(400, sentence + ".", "situation.target")
