"""Finished answers, by the exact bytes of the question.

Most clients ask the same things again and again, and an answer made once is good until the zones change: only the
message's id differs. The key is everything after the id, letter case included, so a client that mixes case to foil
forgers (draft-vixie-dnsext-dns0x20) gets its own spelling back.
"""

from __future__ import annotations

from typing import NamedTuple

from sandbox.protocols.contract.conversation import Description

__all__ = ["AnswerCache", "Kept"]

COUNT = 8_192
OCTETS = 4_194_304
LONGEST_KEY = 512


class Kept(NamedTuple):
    """An answer after its id, and what to record about it."""

    tail: bytes
    about: Description


class AnswerCache:
    """Two generations: when the young one is full it becomes the old one, and the old one goes. What is asked
    again moves back to the young, so popular answers stay, at a constant price per question."""

    def __init__(self, count: int = COUNT, octets: int = OCTETS) -> None:
        self.young: dict[bytes, Kept] = {}
        self._old: dict[bytes, Kept] = {}
        self._count = count // 2
        self._octets = octets // 2
        self._size = 0

    def get(self, key: bytes) -> Kept | None:
        kept = self.young.get(key)
        if kept is None and (kept := self._old.get(key)) is not None:
            self.put(key, kept)
        return kept

    def put(self, key: bytes, kept: Kept) -> None:
        if len(key) > LONGEST_KEY:
            return
        size = len(key) + len(kept.tail)
        if len(self.young) >= self._count or self._size + size > self._octets:
            self._old, self.young, self._size = self.young, {}, 0
        self._size += size
        self.young[key] = kept

    def clear(self) -> None:
        self.young, self._old, self._size = {}, {}, 0

    def __len__(self) -> int:
        return len(self.young) + len(self._old)
