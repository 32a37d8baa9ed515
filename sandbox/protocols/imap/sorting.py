"""The order of messages, and the base subject (RFC 5256 §2.1, §3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from sandbox.protocols.imap.grammar.searching import Criterion
from sandbox.protocols.imap.library import Library
from sandbox.protocols.imap.matching import Found
from sandbox.protocols.imap.mime.addresses import read_addresses
from sandbox.protocols.imap.mime.text import decode_header, fold

__all__ = ["base_subject", "sort_messages", "when_sent"]

SPACE = re.compile(r"\s+")
TRAILER = re.compile(r"(\s|\(fwd\))+\Z", re.IGNORECASE)
BLOB = re.compile(r"\A\[[^\[\]]*\]\s*")
LEADER = re.compile(r"\A(\[[^\[\]]*\]\s*)*(re|fwd?)\s*(\[[^\[\]]*\])?:\s*", re.IGNORECASE)
FORWARD = re.compile(r"\A\[fwd:(.*)\]\Z", re.IGNORECASE)
LONGEST = 2000  # characters of a subject that are looked at


def base_subject(value: bytes | None) -> tuple[str, bool]:
    """(the subject without Re:, Fwd: and lists' names; whether it was a reply or was forwarded)."""
    text = SPACE.sub(" ", decode_header(value or b""))[:LONGEST].strip()
    changed = False
    while True:
        before = text
        trimmed = TRAILER.sub("", text)
        changed = changed or trimmed.rstrip() != text.rstrip()
        text = trimmed
        while True:
            led = LEADER.sub("", text)
            if led != text:
                changed, text = True, led
                continue
            bare = BLOB.sub("", text)
            if bare and bare != text:
                text = bare
                continue
            break
        if match := FORWARD.match(text):
            changed, text = True, match[1].strip()
        if text == before:
            return text, changed


def sort_messages(library: Library, found: Sequence[Found], criteria: Sequence[Criterion]) -> list[Found]:
    """In order of the criteria; the last word has the message's number. Blocks."""
    ordered = list(found)
    for criterion in reversed(criteria):
        ordered.sort(key=measure(library, criterion.key), reverse=criterion.reverse)
    return ordered


def measure(library: Library, key: str) -> Callable[[Found], Any]:
    if key == "ARRIVAL":
        return lambda found: found.item.received
    if key == "SIZE":
        return lambda found: found.item.size
    if key == "DATE":
        return lambda found: when_sent(library, found)
    if key == "SUBJECT":
        return lambda found: fold(base_subject(first(library, found, b"subject"))[0])
    return lambda found: first_local_part(first(library, found, key.lower().encode()))


def when_sent(library: Library, found: Found) -> float:
    """Seconds since the epoch by the Date field, else by INTERNALDATE (RFC 5256 §2.2)."""
    try:
        sent = library.known(found.item.content).sent
    except KeyError:
        sent = None
    return found.item.received if sent is None else sent.moment


def first(library: Library, found: Found, field: bytes) -> bytes | None:
    try:
        return library.known(found.item.content).root.first(field)
    except KeyError:
        return None


def first_local_part(value: bytes | None) -> str:
    addresses = read_addresses(value) if value else []
    return fold((addresses[0].local or b"").decode("utf-8", "replace")) if addresses else ""
