"""Conditional requests: preconditions, in the order RFC 9110 §13.2.2 gives them. Pure."""

from __future__ import annotations

from sandbox.protocols.http.dates import parse_date
from sandbox.protocols.http.messages import Headers

__all__ = ["evaluate", "list_tags", "range_applies"]


def evaluate(method: str, request: Headers, etag: str = "", modified: str = "", exists: bool = True) -> int:
    """0 to go on, 304 (nothing new), or 412 (the precondition is false).

    request: its header fields; etag, modified: the current ETag and Last-Modified, "" for none; exists: whether
    there is a current representation. Any site may call it before it changes something.
    """
    reads = method in ("GET", "HEAD")
    stamp = parse_date(modified) if modified else None
    if "if-match" in request:
        if not matches(request.get_all("if-match"), etag, exists, weak=False):
            return 412
    elif stamp is not None:
        since = parse_date(request.get("if-unmodified-since"))
        if since is not None and stamp > since:
            return 412
    if "if-none-match" in request:
        if matches(request.get_all("if-none-match"), etag, exists, weak=True):
            return 304 if reads else 412
    elif reads and stamp is not None:
        since = parse_date(request.get("if-modified-since"))
        if since is not None and stamp <= since:
            return 304
    return 0


def range_applies(request: Headers, etag: str, modified: str) -> bool:
    """Whether If-Range lets a Range count (RFC 9110 §13.1.5): only for exactly the representation it names."""
    condition = request.get("if-range").strip()
    if not condition:
        return "if-range" not in request
    if condition.startswith(('"', "W/")):
        return not condition.startswith("W/") and condition == etag
    return bool(modified) and parse_date(condition) is not None and parse_date(condition) == parse_date(modified)


def matches(conditions: list[str], etag: str, exists: bool, weak: bool) -> bool:
    """Whether one of the entity tags is this one (RFC 9110 §8.8.3.2). weak: by weak comparison."""
    if any(condition.strip() == "*" for condition in conditions):
        return exists
    if not etag or not exists:
        return False
    if weak:
        opaque = etag.removeprefix("W/")
        return any(tag.removeprefix("W/") == opaque for condition in conditions for tag in list_tags(condition))
    return not etag.startswith("W/") and any(tag == etag for condition in conditions for tag in list_tags(condition))


def list_tags(text: str) -> list[str]:
    """The entity tags of a list. A comma inside the quotes belongs to the tag; what is no tag ends the list."""
    tags = []
    at = 0
    while at < len(text):
        if text[at] in ", \t":
            at += 1
            continue
        start = at
        if text.startswith("W/", at):
            at += 2
        if not text.startswith('"', at):
            break
        end = text.find('"', at + 1)
        if end < 0:
            break
        tags.append(text[start:end + 1])
        at = end + 1
    return tags
