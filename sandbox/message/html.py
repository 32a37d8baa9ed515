"""HTML as plain text: for searching, for a terminal, and for links. Linear in its length, whatever is in it."""

from __future__ import annotations

import re
from html import unescape

__all__ = ["html_links", "html_text"]

TAG = re.compile(r"<[^<>]*>")
UNSEEN = re.compile(r"<(script|style|head|title)\b", re.IGNORECASE)
BREAK = re.compile(r"<(?:br|/p|/div|/h[1-6]|/li|/tr|/table)\b[^<>]*>", re.IGNORECASE)
ENDS = {"comment": re.compile(r"-->")} | {
    name: re.compile(rf"</{name}[^<>]*>", re.IGNORECASE) for name in ("script", "style", "head", "title")}
COMMENT = re.compile(r"<!--")
SPACES = re.compile(r" {2,}")
HREF = re.compile(r"""<a\s[^<>]{0,4000}?href\s{0,9}=\s{0,9}(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>]+))""", re.IGNORECASE)


def html_text(source: str) -> str:
    """What is read of it: no tags, no styles, lines where blocks end."""
    text = without_unseen(source)
    for space in ("\r\n", "\n", "\t", "\r", "\f"):
        text = text.replace(space, " ")
    text = SPACES.sub(" ", text) if "  " in text else text
    text = unescape(TAG.sub("", BREAK.sub("\n", text)))
    return "\n".join(line.strip() for line in text.split("\n")).strip()


def without_unseen(source: str) -> str:
    """Without comments, and elements that are not shown as text. One that is never closed hides nothing."""
    kept: list[str] = []
    if "<" not in source:
        return source
    at, gone = 0, set[str]()
    for start, end_mark in openings(source):
        if start < at or end_mark in gone:
            continue
        end = ENDS[end_mark].search(source, start)
        if end is None:
            gone.add(end_mark)  # looked for once to the very end: never again
            continue
        kept.append(source[at:start])
        at = end.end()
    kept.append(source[at:])
    return "".join(kept)


def openings(source: str) -> list[tuple[int, str]]:
    """Where something begins that is not shown, and what ends it."""
    found = [(match.start(), match[1].lower()) for match in UNSEEN.finditer(source)]
    found += [(match.start(), "comment") for match in COMMENT.finditer(source)]
    return sorted(found)


def html_links(source: str) -> list[str]:
    """Where its links lead, in order."""
    return [unescape(next(group for group in match.groups() if group is not None)).strip()
            for match in HREF.finditer(source)]
