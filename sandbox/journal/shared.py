"""What chunks do not hold themselves but mention by a number: bytes that repeat, and long bodies.

Theory of operation. The loop gives out the numbers, the writer keeps what they stand for as long as a session
mentions it. The loop may mention a number again that it remembers, so the writer must not drop it meanwhile: what is
remembered is *pinned*. Pins and their ends travel in the batches with everything else, in order, so that the two
threads never disagree. A batch that cannot be written is lost, and the bodies under way have holes from then on: so
everything that is known of files is forgotten.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import NamedTuple

__all__ = ["FileIdentity", "Shared", "SharedContent", "Sharing", "identity_of"]

REPEATS = 32
"""Bytes objects that are remembered."""

CONTENTS = 64
"""Files that are remembered."""

CONTENTS_SHARE = 4
"""What is kept of them is at most one part in so many of what the journal keeps."""

FileIdentity = tuple[int, int, int, int, int]
"""Device, inode, size, and the times of the last change of content and of status, in nanoseconds. Whoever changes a
file changes one of them."""


def identity_of(status: os.stat_result) -> FileIdentity:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


class SharedContent(NamedTuple):
    """What a file holds, as the journal has it: `head`, then the body of that number, both together `kept` octets of
    `length`; and the SHA-256 of all of it, in hex."""

    head: bytes
    body: int
    kept: int
    length: int
    sha256: str


class Shared(NamedTuple):
    """What a batch brings of it. blobs: bytes that repeat, with their numbers; pieces: of bodies, with number and
    position; mentions: of a session, the number of a blob or body; pinned, released: numbers that the loop remembers
    from now on, and no longer does."""

    blobs: Sequence[tuple[int, bytes]] = ()
    pieces: Sequence[tuple[int, int, bytes]] = ()
    mentions: Collection[tuple[int, int]] = ()
    pinned: Sequence[int] = ()
    released: Sequence[int] = ()


class Sharing:
    """The loop's side: gives out numbers and remembers. room: octets of contents that it may pin."""

    def __init__(self, next_number: int, room: int) -> None:
        self._next = next_number
        self._room = room
        self._objects: dict[int, tuple[bytes, int]] = {}
        """By identity, with a number once they have passed twice."""
        self._contents: OrderedDict[FileIdentity, SharedContent] = OrderedDict()
        self._pinned_octets = 0
        self._whole_from = 0
        """Bodies of lower numbers may have holes."""
        self._begin()

    def _begin(self) -> None:
        self._blobs: list[tuple[int, bytes]] = []
        self._pieces: list[tuple[int, int, bytes]] = []
        self._mentions: set[tuple[int, int]] = set()
        self._pinned: list[int] = []
        self._released: list[int] = []

    def take(self) -> Shared:
        """What has come since the last time."""
        shared = Shared(self._blobs, self._pieces, self._mentions, self._pinned, self._released)
        self._begin()
        return shared

    def lost(self) -> None:
        """A batch could not be written: any body may have a hole."""
        self._whole_from = self._next
        for identity in list(self._contents):
            self._forget(identity)

    def number(self) -> int:
        """One for a new body."""
        number = self._next
        self._next += 1
        return number

    # -- bodies -----------------------------------------------------------------------------------------------

    def lay(self, session: int, body: int, position: int, data: bytes) -> None:
        """A piece of a session's own body."""
        self._pieces.append((body, position, data))
        self._mentions.add((session, body))

    def mention(self, session: int, body: int) -> None:
        """A session has what a body holds."""
        self._mentions.add((session, body))

    def remember(self, identity: FileIdentity, content: SharedContent) -> None:
        """A file holds this now. Its session must be open still: a body must be pinned before it can be dropped."""
        self._forget(identity)
        if content.kept > self._room or content.body < self._whole_from:
            return
        self._contents[identity] = content
        self._pinned.append(content.body)
        self._pinned_octets += content.kept
        while self._pinned_octets > self._room or len(self._contents) > CONTENTS:
            self._forget(next(iter(self._contents)))

    def known(self, identity: FileIdentity, session: int) -> SharedContent | None:
        """What a file holds, where that has passed before. The session counts as one that has it too from now on: it
        may be forgotten before the first octets are sent."""
        content = self._contents.get(identity)
        if content is not None:
            self._contents.move_to_end(identity)
            self.mention(session, content.body)
        return content

    def _forget(self, identity: FileIdentity) -> None:
        content = self._contents.pop(identity, None)
        if content is not None:
            self._pinned_octets -= content.kept
            self._released.append(content.body)

    # -- bytes that repeat ------------------------------------------------------------------------------------

    def find(self, session: int, data: bytes) -> bytes | int:
        """The bytes themselves, or their number: a page kept in memory is the same object in each response, and one
        that passes a second time gets a number."""
        known = self._objects.get(id(data))
        if known is None:
            if len(self._objects) >= REPEATS:
                _, number = self._objects.pop(next(iter(self._objects)))
                if number:
                    self._released.append(number)
            # Holding the object keeps its identity from being given to another.
            self._objects[id(data)] = (data, 0)
            return data
        number = known[1]
        if not number:
            number = self.number()
            self._objects[id(data)] = (data, number)
            self._blobs.append((number, data))
            self._pinned.append(number)
        self._mentions.add((session, number))
        return number
