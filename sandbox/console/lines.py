"""One exchange as a person reads it, and as a program does. Pure functions."""

from __future__ import annotations

import json
import textwrap
from datetime import datetime

import msgspec

from sandbox.console.escape import cells, escape, shorten
from sandbox.console.folding import fold
from sandbox.console.remarks import remark
from sandbox.console.terminal import BOLD, DIM, MOODS, PROTOCOLS, paint
from sandbox.explain import sentence, session_sentence
from sandbox.explain.rows import row
from sandbox.journal.records import Exchange, Session
from sandbox.journal.traits import Mood, mood

__all__ = ["clock", "closing_line", "duration", "json_line", "line"]

INDENT = "  "
CLIENT = 15
"""Columns kept for the client: "127.0.0.1:54321", and where there is little room "127.0.0.1 #12"."""
NUMBER = 4
"""Columns kept for the session's number."""
SERVICE = 7
"""Columns kept for the service: "daytime"."""
NARROW = 100
"""Below this width the line leaves out milliseconds, duration and the client's port."""
SHORTEST = 24
"""Columns that what was said gets even where the terminal is narrower."""
MOST_LINES = 4
"""Lines of a terminal for what was asked, and for what was answered."""


def line(session: Session, exchange: Exchange, *, color: bool, explain: bool, width: int) -> str:
    """The live line of an exchange, without a line end at its end.

    width: the terminal's columns, 0 for no end. In a terminal what is longer goes on below, and the explanation
    stands dim on lines of its own; without an end everything is one line.
    """
    wide = not width or width >= NARROW
    fronts = _front(session, exchange.ended, wide=wide)
    back = f" {duration(exchange.ended - exchange.started)}" if wide else ""
    # A small service is asked for by connecting: its name once is enough.
    verb = "" if exchange.verb == session.service else escape(exchange.verb) or "(unfinished)"
    asked, outcome, answered = escape(exchange.asked), escape(exchange.outcome), escape(exchange.answered)
    warning = remark(exchange)
    room = max(SHORTEST, width - sum(cells(text) + 1 for text, _ in fronts))
    if width:
        verb, outcome = shorten(verb, room), shorten(outcome, room)
        asked, answered, warning = (shorten(text, MOST_LINES * room) for text in (asked, answered, warning))
    pieces = [(text, code) for text, code in (
        (verb, BOLD), (asked, ""), ("→", ""), (outcome or "no answer", MOODS[mood(exchange.outcome)]), (answered, ""),
        (warning, MOODS[Mood.WARNING]), (back, DIM)) if text]
    front = " ".join(paint(text, code, color=color) for text, code in fronts)
    if width:
        indent = " " * max(len(INDENT), width - room)
        said = f"\n{indent}".join(fold(pieces, room, color=color))
    else:
        said = " ".join(paint(text, code, color=color) for text, code in pieces)
    said = f"{front} {said}"
    return said + _below(sentence(session, exchange), color=color, width=width) if explain else said


def closing_line(session: Session, *, color: bool, explain: bool, width: int) -> str:
    """The line of a connection that ended otherwise than by a close in good order."""
    fronts = _front(session, session.closed, wide=not width or width >= NARROW)
    text = " ".join([*(part for part, _ in fronts), f"({escape(session.end)})"])
    if width:
        text = shorten(text, width)
    return paint(text, DIM, color=color) + (
        _below(session_sentence(session), color=color, width=width) if explain else "")


def _front(session: Session, moment: float, *, wide: bool) -> list[tuple[str, str]]:
    """What every line begins with, each part with its colour: when, who, the session's number, the service."""
    number = f"#{session.id}"
    if wide:
        who = [(f"{escape(str(session.client)):<{CLIENT}}", DIM), (f"{number:<{NUMBER}}", DIM)]
    else:  # which session it is says more than the client's port, which is any that was free
        who = [(f"{escape(session.client.host)} {number}".ljust(CLIENT), DIM)]
    return [(clock(moment, milliseconds=wide), DIM), *who,
            (f"{session.service:<{SERVICE}}", PROTOCOLS.get(session.protocol, ""))]


def json_line(session: Session, exchange: Exchange) -> bytes:
    """The exchange as one line of JSON (RFC 8259), ASCII only, with its line end: a `Row`, as the API gives it."""
    fields = msgspec.to_builtins(row(session, exchange))
    # ASCII, with DEL escaped too: JSON allows raw control and direction characters that a terminal would obey.
    return json.dumps(fields, separators=(",", ":")).replace("\x7f", "\\u007f").encode("ascii") + b"\n"


def clock(moment: float, *, milliseconds: bool) -> str:
    """A time of day on this machine's clock."""
    return datetime.fromtimestamp(moment).astimezone().time().isoformat("milliseconds" if milliseconds else "seconds")


def duration(seconds: float) -> str:
    """A span of time: "0.4 ms", "12 ms", "3.1 s"."""
    seconds = max(0.0, seconds)
    if seconds < 0.00995:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:,.1f} s"


def _below(explanation: str, *, color: bool, width: int) -> str:
    """The explanation as it follows its line."""
    if not explanation:
        return ""
    if not width:
        return f"  {paint(explanation, DIM, color=color)}"
    wrapped = textwrap.wrap(explanation, max(SHORTEST, width - 1), initial_indent=INDENT, subsequent_indent=INDENT)
    return "".join(f"\n{paint(part, DIM, color=color)}" for part in wrapped)
