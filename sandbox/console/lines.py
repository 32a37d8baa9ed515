"""One exchange as a person reads it, and as a program does. Pure functions."""

from __future__ import annotations

import json
import textwrap
from datetime import UTC, datetime

from sandbox.address import Address
from sandbox.console.escape import cells, escape, shorten
from sandbox.console.remarks import remark
from sandbox.console.terminal import BOLD, DIM, MOODS, PROTOCOLS, paint
from sandbox.explain import sentence, session_sentence
from sandbox.journal.records import Exchange, Session
from sandbox.journal.traits import Mood, mood

__all__ = ["clock", "closing_line", "duration", "json_line", "line"]

INDENT = "  "
CLIENT = 15
"""Columns kept for the client's address: "127.0.0.1:54321"."""
SERVICE = 7
"""Columns kept for the service: "daytime"."""
NARROW = 100
"""Below this width the line leaves out milliseconds and duration."""
SHORTEST = 24
"""Columns that asked and answered get even where the terminal is narrower."""


def line(session: Session, exchange: Exchange, *, color: bool, explain: bool, width: int) -> str:
    """The live line of an exchange, without a line end at its end.

    width: the terminal's columns, 0 for no end. In a terminal the explanation stands dim on lines of its own below;
    without an end everything is one line.
    """
    wide = not width or width >= NARROW
    moment = clock(exchange.ended, milliseconds=wide)
    client = escape(str(session.client))
    service = session.service
    front = f"{moment} {client:<{CLIENT}} {service:<{SERVICE}} "
    back = f"  {duration(exchange.ended - exchange.started)}" if wide else ""
    # A small service is asked for by connecting: its name once is enough.
    verb = "" if exchange.verb == service else escape(exchange.verb) or "(unfinished)"
    asked, outcome, answered = escape(exchange.asked), escape(exchange.outcome), escape(exchange.answered)
    warning = remark(exchange)
    if width:
        room = max(SHORTEST, width - cells(front) - len(back))
        warning = shorten(warning, room // 2)
        verb, asked, outcome, answered = _squeeze(verb, asked, outcome, answered,
                                                  room - (cells(warning) + 1 if warning else 0))
    said = " ".join(filter(None, (
        paint(moment, DIM, color=color), paint(f"{client:<{CLIENT}}", DIM, color=color),
        paint(f"{service:<{SERVICE}}", PROTOCOLS.get(session.protocol, ""), color=color),
        paint(verb, BOLD, color=color), asked, "→",
        paint(outcome or "no answer", MOODS[mood(exchange.outcome)], color=color), answered,
        paint(warning, MOODS[Mood.WARNING], color=color))))
    said += paint(back, DIM, color=color)
    return said + _below(sentence(session, exchange), color=color, width=width) if explain else said


def closing_line(session: Session, *, color: bool, explain: bool, width: int) -> str:
    """The line of a connection that ended otherwise than by a close in good order."""
    moment = clock(session.closed, milliseconds=not width or width >= NARROW)
    text = f"{moment} {escape(str(session.client)):<{CLIENT}} {session.service:<{SERVICE}} ({escape(session.end)})"
    if width:
        text = shorten(text, width)
    return paint(text, DIM, color=color) + (
        _below(session_sentence(session), color=color, width=width) if explain else "")


def json_line(session: Session, exchange: Exchange) -> bytes:
    """The exchange as one line of JSON (RFC 8259), ASCII only, with its line end. Field names are stable:

    id, session: numbers, unique and rising in one data folder; time: when it ended, RFC 3339 in UTC; seconds: how
    long it took; left: when the last octet of the answer had left, likewise, null where there was none or it is not
    known; space: whose services answered; parent: the session whose data this one's carries, cause: the exchange that
    made the sandbox open it, 0 for none; protocol, service, transport ("tcp", "udp"); client, server: {"host",
    "port"}; verb, asked, outcome, answered, key: as in `Exchange`; explanation: the sentence; received, sent: octets;
    facts: facts by name; cuts: [{"stream", "length", "sha256"}] for what was longer than is kept.
    """
    fields = {
        "id": exchange.id, "session": exchange.session,
        "time": _moment(exchange.ended), "seconds": round(max(0.0, exchange.ended - exchange.started), 6),
        "left": _moment(exchange.sent) if exchange.sent else None,
        "space": session.space, "parent": session.parent, "cause": session.cause,
        "protocol": session.protocol, "service": session.service, "transport": session.transport,
        "client": _address(session.client), "server": _address(session.server),
        "verb": exchange.verb, "asked": exchange.asked, "outcome": exchange.outcome, "answered": exchange.answered,
        "key": exchange.key, "explanation": sentence(session, exchange),
        "received": exchange.client[1] - exchange.client[0], "sent": exchange.server[1] - exchange.server[0],
        "facts": exchange.facts,
        "cuts": [{"stream": cut.stream, "length": cut.length, "sha256": cut.sha256} for cut in exchange.cuts],
    }
    # ASCII, with DEL escaped too: JSON allows raw control and direction characters that a terminal would obey.
    return json.dumps(fields, separators=(",", ":")).replace("\x7f", "\\u007f").encode("ascii") + b"\n"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock(moment: float, *, milliseconds: bool) -> str:
    """A time of day on this machine's clock."""
    return datetime.fromtimestamp(moment).astimezone().time().isoformat("milliseconds" if milliseconds else "seconds")


def duration(seconds: float) -> str:
    """A span of time: "0.4 ms", "12 ms", "3.1 s"."""
    seconds = max(0.0, seconds)
    if seconds < 0.00995:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:,.1f} s"


def _address(address: Address) -> dict[str, str | int]:
    return {"host": address.host, "port": address.port}


def _squeeze(verb: str, asked: str, outcome: str, answered: str, room: int) -> tuple[str, str, str, str]:
    """Cut what was asked and answered to `room` columns. The outcome is ours and short; it always stays whole."""
    verb = shorten(verb, room // 2)
    left = room - cells(verb) - cells(outcome or "no answer") - len("  → ") - 1
    want_asked, want_answered = cells(asked), cells(answered)
    if want_asked + want_answered > left:
        for_answered = min(want_answered, max(left // 3, left - want_asked))
        return verb, shorten(asked, left - for_answered), outcome, shorten(answered, for_answered)
    return verb, asked, outcome, answered


def _below(explanation: str, *, color: bool, width: int) -> str:
    """The explanation as it follows its line."""
    if not explanation:
        return ""
    if not width:
        return f"  {paint(explanation, DIM, color=color)}"
    wrapped = textwrap.wrap(explanation, max(SHORTEST, width - 1), initial_indent=INDENT, subsequent_indent=INDENT)
    return "".join(f"\n{paint(part, DIM, color=color)}" for part in wrapped)
