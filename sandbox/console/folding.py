"""Text over several lines of a terminal: in words, and inside a word that is longer than a line, such as a URL."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable

from sandbox.console.escape import cells
from sandbox.console.terminal import paint

__all__ = ["fill", "fold", "width"]

WIDEST = 88
"""Columns of running text; longer lines are hard to read."""
NARROWEST = 30
SEAMS = "/?&=,;"
"""What a long word is broken after, where one of them is near."""
NEAR = 16
"""Columns."""


def width() -> int:
    """Columns for running text on this terminal."""
    return min(WIDEST, max(NARROWEST, shutil.get_terminal_size().columns - 1))


def fill(text: str, indent: str = "  ", first: str | None = None, columns: int = 0) -> str:
    """A paragraph. first: what its first line begins with, else `indent`; columns: 0 for those of the terminal."""
    return textwrap.fill(text, columns or width(), initial_indent=indent if first is None else first,
                         subsequent_indent=indent, break_on_hyphens=False)


def fold(pieces: Iterable[tuple[str, str]], room: int, *, color: bool) -> list[str]:
    """Pieces of text, each with its colour, as lines of at most `room` columns."""
    lines: list[list[tuple[str, str]]] = [[]]
    used = 0

    def put(text: str, code: str) -> None:
        nonlocal used
        line = lines[-1]
        if line and line[-1][1] == code:
            line[-1] = (line[-1][0] + text, code)
        else:
            line.append((text, code))
        used += cells(text)

    for piece, code in pieces:
        for number, word in enumerate(piece.split(" ")):
            if used and (number or used):
                fits = used + 1 + cells(word) <= room or (cells(word) > room and used + 1 <= room // 2)
                if fits:
                    put(" ", code if number else "")
                else:
                    lines.append([])
                    used = 0
            while cells(word) > room - used:
                taken = _part(word, room - used)
                put(taken, code)
                word = word[len(taken):]
                lines.append([])
                used = 0
            put(word, code)
    return ["".join(paint(text, code, color=color) for text, code in line) for line in lines]


def _part(word: str, room: int) -> str:
    """The beginning of a word that fits, up to a seam where one is near; one character at least."""
    end, taken = 1, cells(word[0])
    while end < len(word) and (taken := taken + cells(word[end])) <= room:
        end += 1
    seam = max(word.rfind(seam, max(1, end - NEAR), end) for seam in SEAMS) + 1
    return word[:seam or end]
