"""A message on a terminal: the main fields, the text, and what else there is. Strangers wrote it: all is escaped."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.console.escape import escape
from sandbox.message.message import Attachment, Message

__all__ = ["field_line", "lines", "text_lines"]

SHOWN_FIELDS = ("From", "To", "Cc", "Date", "Subject")


def field_line(message: Message, name: str) -> str:
    """A field's text on one line, "" without one."""
    return escape(" ".join(message.text_of(name).split()))


def lines(message: Message) -> Iterator[str]:
    """The whole message."""
    for name in SHOWN_FIELDS:
        if message.has(name):
            yield f"{name}: {field_line(message, name)}"
    yield ""
    shown = text_lines(message.readable)
    # Octets that are no text are escaped already: their backslashes are ours, not the letter's.
    yield from shown if message.exact else (line.replace("\\\\x", "\\x") for line in shown)
    for each in message.attachments:
        yield attachment_line(message, each)


def text_lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield escape(line.replace("\t", "    "))


def attachment_line(message: Message, about: Attachment) -> str:
    size = f"{len(message.decoded(about.part)):,} octets"
    if not about.known:
        size += f" in {escape(about.part.encoding.decode('ascii', 'backslashreplace'))}, an encoding nobody knows"
    return f"[{escape(about.name or 'no name')}: {escape(about.type)}, {size}]"
