"""What a request's head says about itself, for the journal: facts that nobody has to take out of `asked` again."""

from __future__ import annotations

from sandbox.protocols.contract.facts import bounded
from sandbox.protocols.http.messages import Headers

__all__ = ["facts_of"]

FETCH = ("sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site")
"""W3C Fetch Metadata: what a browser fetches for. Over plain HTTP it says nothing of it; that it would like HTML
before all else still tells a page, or a frame in one."""
PAGE = "text/html,"

SECRETS = {"basic": "password", "bearer": "token"}
"""Schemes whose credentials anybody can read who sees the octets (RFC 7617 §4, RFC 6750 §5)."""


def facts_of(host: str, path: str, query: str, headers: Headers) -> dict[str, str]:
    """The facts of a request. What was not sent has none."""
    found = {"host": host, "path": path, "query": query}
    fetch: dict[str, str] = {}
    cookies = 0
    for name, value in headers:
        name = name.lower()
        if name == "user-agent":
            found["agent"] = value
        elif name == "referer":
            found["referer"] = value
        elif name == "cookie":  # over HTTP/2 there may be a field for each (RFC 9113 §8.2.3)
            cookies += sum("=" in pair for pair in value.split(";"))
        elif name in FETCH:
            fetch[name] = value
        elif name == "accept" and value.startswith(PAGE):
            found["fetch"] = "document"
        elif name in ("authorization", "proxy-authorization"):
            found["secret"] = SECRETS.get(value.partition(" ")[0].lower(), "")
    if fetch:
        found["fetch"] = " ".join(fetch[name] for name in FETCH if name in fetch)
    if cookies:
        found["cookies"] = str(cookies)
    return {name: bounded(value) for name, value in found.items() if value}
