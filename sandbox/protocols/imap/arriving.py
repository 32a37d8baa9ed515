"""The rest of APPEND while it comes: lines, and the literals that they end by announcing."""

from __future__ import annotations

import trio

from sandbox.protocols.contract.conversation import EndOfStream
from sandbox.protocols.imap.grammar.cursor import Cursor, GrammarError, Literal, announced
from sandbox.protocols.imap.reading import LINE
from sandbox.protocols.imap.session import Imap
from sandbox.world.mail import Spool

__all__ = ["Rest"]

PIECE = 65_536


class Rest:
    """cursor: on the line that came last; literal: what follows it, None at the end of the command."""

    def __init__(self, session: Imap, cursor: Cursor, literal: Literal | None) -> None:
        self._session = session
        self.cursor = cursor
        self.literal = literal

    def expect_literal(self) -> Literal:
        """The literal whose announcement stands here, at the end of the line."""
        cursor = self.cursor
        if self.literal is None or cursor.peek() not in b"~{" or (
                0 <= cursor.data.find(b"\n", cursor.at) < len(cursor.data) - 1):
            raise GrammarError(f"A message, announced by its size as {{1234}}, was expected at {cursor.near()}")
        return self.literal

    async def receive(self, spool: Spool) -> bool:
        """Move the literal to a spool, and read the next line; returns whether it was without NUL."""
        literal, conversation = self._begin(), self._session.conversation
        clean, size = True, literal.size
        while size:
            piece = await conversation.read_some(min(size, PIECE))
            if not piece:
                raise EndOfStream
            size -= len(piece)
            clean = clean and b"\0" not in piece
            if spool.add(piece):
                await trio.to_thread.run_sync(spool.drain)
        await self._next_line()
        return clean

    async def receive_short(self, most: int) -> bytes:
        """The literal's octets, and read the next line. Raises GrammarError for too many of them."""
        if self.expect_literal().size > most:
            raise GrammarError(f"No more than {most} octets are taken here")
        octets = await self._session.conversation.read_exactly(self._begin().size)
        await self._next_line()
        return octets

    def _begin(self) -> Literal:
        literal = self.expect_literal()
        if literal.waits:
            self._session.go_ahead()
        return literal

    async def _next_line(self) -> None:
        line = await self._session.conversation.read_line(LINE)
        self.literal = announced(line)
        self.cursor = Cursor(line if self.literal else line.rstrip(b"\r\n"), utf8=self._session.utf8)
