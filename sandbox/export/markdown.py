"""A dialogue with its explanations as Markdown: to hand in, or to paste into an issue."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import IO

from sandbox.journal.reader import Reader
from sandbox.journal.records import Exchange, Session, Stream

__all__ = ["write"]

SHOWN = 4_000
"""Octets of one side; of more the length is told."""


def write(file: IO[str], reader: Reader, pairs: Iterable[tuple[Session, Exchange]],
          tell: Callable[[Session, Exchange], str]) -> int:
    """Write exchanges, grouped by session in the order they come. Gives how many there were."""
    count = before = 0
    for session, exchange in pairs:
        if session.id != before:
            opened = datetime.fromtimestamp(session.opened).astimezone().isoformat(" ", "seconds")
            file.write(f"\n## {session.service}, {session.client} to {session.server}, {opened}\n")
            before = session.id
        arrow = "→" if exchange.outcome else ""
        title = " ".join(filter(None, (exchange.verb, exchange.asked, arrow, exchange.outcome)))
        file.write(f"\n### {plain(title)}\n\n{tell(session, exchange)}\n")
        for stream, who in ((Stream.CLIENT, "client"), (Stream.SERVER, "sandbox")):
            start, end = exchange.client if stream is Stream.CLIENT else exchange.server
            if end > start:
                octets = reader.octets(session.id, stream, start, min(end, start + SHOWN))
                file.write(quoted(who, octets, end - start))
        count += 1
    return count


def quoted(who: str, octets: bytes, length: int) -> str:
    """What one side said, as a block that nothing in it can end."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = octets.hex(" ")
    lines = ["".join(character if character.isprintable() or character == "\t" else "·" for character in line)
             for line in text.splitlines()]
    rest = f"\n({length - len(octets):,} octets more)\n" if length > len(octets) else ""
    return f"\n{who}:\n\n" + "\n".join(f"    {line}" for line in lines) + f"\n{rest}"


def plain(text: str) -> str:
    """One line without marks that Markdown would obey."""
    return "".join(f"\\{one}" if one in r"\`*_{}[]<>#|" else one if one.isprintable() else "·" for one in text)[:300]
