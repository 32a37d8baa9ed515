"""The order of messages, and the base subject (RFC 5256 §2.1, §3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from unicodedata import normalize

from sandbox.message.addresses import read_addresses
from sandbox.message.words import decode_header
from sandbox.protocols.imap.grammar.searching import Criterion
from sandbox.protocols.imap.library import Known, Library
from sandbox.protocols.imap.matching import Found, read_headers
from sandbox.protocols.imap.view import View

__all__ = ["base_subject", "casemap", "place_of", "sort_messages", "when_sent"]

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


class TitleCase(dict[int, str]):
    """The title case of letters by their numbers, kept as they are met where there is one. Only where it is a single
    letter: RFC 5051 §2 takes the simple mappings of Unicode."""

    def __missing__(self, number: int) -> str:
        letter = chr(number)
        title = letter.title()
        if title == letter or len(title) > 1:
            return letter
        self[number] = title
        return title


TITLE = TitleCase()


def casemap(text: str) -> str:
    """What texts are ordered by, and whether they are the same (RFC 5256 §5, i;unicode-casemap of RFC 5051 §2)."""
    if text.isascii():
        return text.upper()
    return normalize("NFKD", text.translate(TITLE))


def sort_messages(library: Library, found: Sequence[Found], criteria: Sequence[Criterion]) -> list[Found]:
    """In order of the criteria; the last word has the message's number. Blocks."""
    measures = [measure_of(criterion) for criterion in criteria]
    if all(criterion.key in CHEAP for criterion in criteria):
        rows = [[measure(each, None) for measure in measures] for each in found]
    else:
        rows = [[measure(each, known) for measure in measures] for each, known in read_headers(library, found)]
    order = list(range(len(found)))
    for criterion, column in reversed(list(zip(criteria, zip(*rows, strict=True), strict=False))):
        order.sort(key=column.__getitem__, reverse=criterion.reverse)
    return [found[place] for place in order]


def place_of(library: Library, view: View, uids: Sequence[int], found: Found, criteria: Sequence[Criterion]) -> int:
    """Where a message belongs among others that are sorted already. Blocks; looks at a few of the others."""
    measures = [measure_of(criterion) for criterion in criteria]

    def measured(each: Found) -> list[Any]:
        known = library.several([each.item.content]).get(each.item.content)
        return [measure(each, known) for measure in measures]

    def before(other: int) -> bool:
        items = library.store.items_of(view.folder, [other])
        if items:
            for criterion, its, ours in zip(criteria, measured(Found(0, items[0])), mine, strict=True):
                if its != ours:
                    return bool(its < ours) is not criterion.reverse
        return other < found.item.uid

    mine = measured(found)
    low, high = 0, len(uids)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if before(uids[middle]) else (low, middle)
    return low


def measure_of(criterion: Criterion) -> Measure:
    return MEASURES.get(criterion.key) or first_local_part(criterion.key.lower().encode())


def first_shown(field: bytes) -> Measure:
    """As mail programs show the first address of a field: its name, else the address (RFC 5957 §3)."""
    def measure(found: Found, known: Known | None) -> str:
        value = None if known is None else known.header.first(field)
        boxes = read_addresses(value) if value else []
        return casemap(boxes[0].shown_name or boxes[0].address) if boxes else ""

    return measure


def when_sent(found: Found, known: Known | None) -> float:
    """Seconds since the epoch by the Date field, else by INTERNALDATE (RFC 5256 §2.2)."""
    sent = None if known is None else known.sent
    return found.item.received if sent is None else sent.moment


def folded_subject(found: Found, known: Known | None) -> str:
    return casemap(base_subject(None if known is None else known.header.first(b"subject"))[0])


def first_local_part(field: bytes) -> Measure:
    """Of the first address in a field."""
    def measure(found: Found, known: Known | None) -> str:
        value = None if known is None else known.header.first(field)
        addresses = read_addresses(value) if value else []
        return casemap((addresses[0].local or b"").decode("utf-8", "replace")) if addresses else ""

    return measure


Measure = Callable[[Found, Known | None], Any]

MEASURES: dict[str, Measure] = {
    "ARRIVAL": lambda found, known: found.item.received,
    "SIZE": lambda found, known: found.item.size,
    "DATE": when_sent,
    "SUBJECT": folded_subject,
    "DISPLAYFROM": first_shown(b"from"),
    "DISPLAYTO": first_shown(b"to"),
}
CHEAP = ("ARRIVAL", "SIZE")
"""For these no message has to be read."""
