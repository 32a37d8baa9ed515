"""Making text from strangers safe to show.

A terminal obeys what it is sent: an escape sequence in a URL could clear the screen, rename the window or paint a
line that never happened. Invisible and direction-changing characters do it more quietly (Unicode TR 36, TR 55). So
whatever is not plainly visible is written as a Python-like escape, and a backslash that could be taken for the start
of one is doubled, so no two texts look alike; a flag of IMAP's is shown as it is.
"""

from __future__ import annotations

import unicodedata

__all__ = ["cells", "escape", "shorten"]

INVISIBLE = frozenset(map(chr, (
    0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x2800, 0x3164, *range(0xFE00, 0xFE10), 0xFFA0,
    *range(0xE0100, 0xE01F0),
)))
"""Counted as letters, marks or signs by Unicode, and still not to be seen. `str.isprintable` knows the others."""

MARKS = 2
"""Combining marks in a row that any living script needs; more only serve to climb over other lines."""

NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

ESCAPING = frozenset("\\nrtxuU")
"""What makes an escape of a backslash before it."""


def escape(text: str) -> str:
    """`text` on one line, with everything that is not plainly visible escaped. Different texts stay different."""
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    shown = []
    marks = MARKS  # a mark with nothing before it would join what stands in front of the text
    for character in text:
        if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
            marks += 1
        else:
            marks = 0
        if character in NAMED:
            shown.append(NAMED[character])
        elif marks > MARKS or not character.isprintable() or character in INVISIBLE:
            shown.append(_numbered(ord(character)))
        else:
            shown.append(character)
    for place, piece in enumerate(shown):
        if piece == "\\" and (place + 1 == len(shown) or shown[place + 1][0] in ESCAPING):
            shown[place] = "\\\\"
    return "".join(shown)


def _numbered(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cells(text: str) -> int:
    """How many columns a terminal takes for `text` (which is escaped)."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me")
               else 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1 for character in text)


def shorten(text: str, width: int) -> str:
    """At most `width` columns of `text` (which is escaped), with "…" where something is missing."""
    if width <= 0:
        return ""
    if len(text) <= width and cells(text) <= width:
        return text
    kept, used = [], 1
    for character in text[:4 * width]:
        used += cells(character)
        if used > width:
            break
        kept.append(character)
    return "".join(kept) + "…"
