"""Reads whole commands from a conversation: lines, and the literals they announce.

A literal's size is checked before the client is told to send it. One that comes unasked (LITERAL+, RFC 7888) and is
too large is read past, so that it can never be taken for a command.
"""

from __future__ import annotations

from typing import NamedTuple

from sandbox.protocols.contract.conversation import Conversation, EndOfStream, TooLong
from sandbox.protocols.imap.grammar.cursor import Cursor, GrammarError, Literal, announced
from sandbox.protocols.imap.replies import Tagged, bad, no

__all__ = ["GO_AHEAD", "LINE", "Incoming", "Unreadable", "read_incoming", "skip_literal", "skip_rest"]

LINE = 65_536
"""Octets of a line: enough for thousands of UIDs, as clients write them (RFC 7162 §4 wants 8192)."""

WHOLE = 131_072
"""Octets of a command with its literals, the messages of APPEND not counted."""

SKIPPED = 16_777_216
"""Octets of one refused command that are read past before the client is sent away."""

GO_AHEAD = b"+ Go ahead\r\n"


class Incoming(NamedTuple):
    """A command as it stood on the wire, without its last line end. message: that of APPEND which follows it."""

    text: bytes
    message: Literal | None = None


class Unreadable(Exception):
    """A command that was refused while it came, and has been read past. text: its beginning."""

    def __init__(self, text: bytes, reply: Tagged) -> None:
        super().__init__(reply.text)
        self.text = text
        self.reply = reply


async def read_incoming(conversation: Conversation) -> Incoming:
    """The next command, up to its end, or to the first message of APPEND. Raises Unreadable, ConversationError."""
    text = b""
    while True:
        try:
            line = await conversation.read_line(LINE)
        except TooLong:
            start = text + bytes(conversation.buffer[:200])
            last = await skip_line(conversation)
            fatal = last is None or not await skip_rest(conversation, announced(last))
            raise Unreadable(start, refusal("A line may have 65536 octets", fatal=fatal)) from None
        text += line
        literal = announced(line)
        if literal is None:
            return Incoming(text.removesuffix(b"\n").removesuffix(b"\r"))
        if begins_message(text):
            return Incoming(text, literal)
        if len(text) + literal.size > WHOLE:
            fatal = literal.waits is False and not await skip_rest(conversation, literal)
            raise Unreadable(text, refusal("That is too long for one command", fatal=fatal, code="TOOBIG"))
        if literal.waits:
            conversation.write(GO_AHEAD)
        text += await conversation.read_exactly(literal.size)


def refusal(sentence: str, *, fatal: bool, code: str = "") -> Tagged:
    reply = no(sentence, code) if code else bad(sentence)
    return reply._replace(close=fatal)


def begins_message(text: bytes) -> bool:
    """Whether the literal that `text` ends by announcing is a message to append."""
    cursor = Cursor(text)
    try:
        cursor.expect_tag()
        cursor.expect_space()
        if cursor.try_word("APPEND") is None:
            return False
        cursor.expect_space()
        cursor.expect_astring()
    except GrammarError:
        return False
    return True


async def skip_line(conversation: Conversation) -> bytes | None:
    """Read past an overlong line: its last octets; None when it does not end."""
    buffer = conversation.buffer
    tail, skipped = b"", 0
    while (end := buffer.find(b"\n")) < 0:
        skipped += len(buffer)
        tail = (tail + conversation.take(len(buffer)))[-64:]
        if skipped > SKIPPED:
            return None
        if not await conversation.fill():
            raise EndOfStream
    return (tail + conversation.take(end + 1))[-64:]


async def skip_literal(conversation: Conversation, size: int) -> None:
    while size:
        piece = await conversation.read_some(min(size, LINE))
        if not piece:
            raise EndOfStream
        size -= len(piece)


async def skip_rest(conversation: Conversation, literal: Literal | None) -> bool:
    """Read past the rest of a refused command. literal: what its last line announced.

    A literal that waits is not sent any more: with it the command is over. False when there was no end to it.
    """
    skipped = 0
    while literal is not None and not literal.waits:
        skipped += literal.size
        if skipped > SKIPPED:
            return False
        await skip_literal(conversation, literal.size)
        try:
            line: bytes | None = await conversation.read_line(LINE)
        except TooLong:
            line = await skip_line(conversation)
        if line is None:
            return False
        literal = announced(line)
    return True
