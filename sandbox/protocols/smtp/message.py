"""The message under way in a session: to memory or disk as it arrives, and judged when it is whole."""

from __future__ import annotations

import trio

from sandbox.protocols.lines.command import Reply
from sandbox.protocols.smtp import replies
from sandbox.protocols.smtp.data import HeaderScan, LineEnds
from sandbox.protocols.smtp.envelope import Office
from sandbox.protocols.smtp.replies import say
from sandbox.world.mail import Spool

__all__ = ["Message"]

HOPS = 100  # RFC 5321 §6.3: Received fields that mean a circle


class Message:
    """The message under way. One that is too large is read on, to keep in step, but not kept."""

    def __init__(self, office: Office) -> None:
        self.limit = office.size
        self.spool: Spool = office.store.spool()
        self.scan = HeaderScan()
        self.ends = LineEnds()
        self.broken = False
        self.nul = False

    async def add(self, piece: bytes) -> None:
        if not piece or self.broken or self.spool.size > self.limit:
            return
        self.scan.feed(piece)
        self.ends.feed(piece)
        self.nul = self.nul or b"\0" in piece
        if self.spool.add(piece):
            try:
                await trio.to_thread.run_sync(self.spool.drain)
            except OSError:  # the disk is full: the client hears it when the message is over
                self.broken = True

    async def seal(self) -> None:
        """Raises OSError."""
        if self.spool.must_seal:
            await trio.to_thread.run_sync(self.spool.seal)

    def refusal(self, *, binary: bool) -> Reply | None:
        """Why a whole message is not taken, if so."""
        if self.spool.size > self.limit:
            return say(replies.TOO_BIG, f"This server takes {self.limit} octets at most")
        if self.broken:
            return replies.NO_SPACE
        if not self.ends.end() and not binary:
            return replies.BARE_LINE_END
        if self.nul:
            return replies.NUL
        if self.scan.fields.count("received") > HOPS:
            return replies.MAIL_LOOP
        return None
