"""What a test looks for in a letter: links to follow, and one-time codes to type in."""

from __future__ import annotations

import re

from sandbox.message.html import html_links

__all__ = ["find_codes", "find_links"]

MOST = 500
"""Links or codes of one letter that are told of."""

URL = re.compile(r"\b(?:https?|ftps?|sftp)://[^\s<>\"'\\^`{|}]{1,4000}", re.IGNORECASE)
SAFE = ("http://", "https://", "ftp://", "ftps://", "sftp://", "mailto:")
CODE = re.compile(r"(?<![\w./:@#&=?%+$€£-])(?:\d{4,8}|\d{3}[- ]\d{3,4}|[A-Z0-9]{3,5}-[A-Z0-9]{3,5}|"
                  r"(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{5,10})(?![\w@%/-]|\.\w|:\d)")
SPOKEN = re.compile(r"\b(?:code|codes|otp|pin|passcode|password|token|verif\w{1,12}|confirm\w{0,12}|one-time|"
                    r"2fa|kode|codice|código|bestätigung\w{0,12})\b", re.IGNORECASE)
NEAR = 120
"""Characters around a number in which something must say that it is a code."""


def find_links(text: str, html: str) -> list[str]:
    """Every address that a reader could follow, each once, in order: of the HTML, then of the text."""
    found = [link for link in html_links(html) if link.lower().startswith(SAFE)]
    found += [trimmed(match[0]) for match in URL.finditer(text)]
    return list(dict.fromkeys(found))[:MOST]


def trimmed(link: str) -> str:
    """Without the sentence's own marks behind it. A bracket is its own only where it was opened in it."""
    link = link.rstrip(".,;:!?*_~'\"")
    while link.endswith((")", "]")) and link.count(")") + link.count("]") > link.count("(") + link.count("["):
        link = link[:-1].rstrip(".,;:!?*_~'\"")
    return link


def find_codes(text: str) -> list[str]:
    """Numbers and short words that the text around them calls a code, each once, in order.

    text: as it is read, with the subject in front.
    """
    text = URL.sub(lambda match: " " * len(match[0]), text)
    spoken = [match.start() for match in SPOKEN.finditer(text)]
    found: dict[str, None] = {}
    place = 0
    for match in CODE.finditer(text):
        while place < len(spoken) and spoken[place] < match.start() - NEAR:
            place += 1
        if place < len(spoken) and spoken[place] <= match.end() + NEAR:
            found[match[0]] = None
            if len(found) == MOST:
                break
    return list(found)
