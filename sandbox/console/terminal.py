"""What the terminal can do: its width, whether it wants colours, and the colours used."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Mapping
from typing import NamedTuple, TextIO

from sandbox.journal.traits import Mood

__all__ = ["DIM", "MOODS", "PROTOCOLS", "Look", "look", "paint", "tolerate"]

DIM = "2"
BOLD = "1"
MOODS = {Mood.NEUTRAL: "2", Mood.GOOD: "32", Mood.MORE: "36", Mood.WARNING: "33", Mood.BAD: "31"}
PROTOCOLS = {"http": "34", "dns": "35", "tcp": "36", "smtp": "33", "pop3": "33", "imap": "33", "ftp": "32",
             "sftp": "32"}
"""Parameters of "select graphic rendition" (ECMA-48 §8.3.117): the sixteen colours, which every theme makes
readable, and dim."""


class Look(NamedTuple):
    """How to write. width: columns, 0 for no end (a file, a pipe), which keeps each exchange on one line."""

    color: bool
    width: int


def look(stream: TextIO, color: str = "auto", environment: Mapping[str, str] = os.environ) -> Look:
    """What suits `stream`. color: "auto" (a terminal, and NO_COLOR is not set: https://no-color.org), "always",
    "never"."""
    terminal = stream.isatty()
    colors = color == "always" or (
        color == "auto" and terminal and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb")
    return Look(colors, shutil.get_terminal_size().columns if terminal else 0)


def tolerate(stream: TextIO) -> None:
    """Let a terminal that has no "→" or "§" show an escape instead; it is no reason to stop."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


def paint(text: str, code: str, *, color: bool) -> str:
    """`text` in a colour, when colours are wanted."""
    return f"\x1b[{code}m{text}\x1b[0m" if color and text and code else text
