"""A filter: a tree that matches, narrows, and says itself."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.filter.tree import And, Node
from sandbox.filter.words import words
from sandbox.journal.matching import Narrowing
from sandbox.journal.records import Exchange, Session

__all__ = ["Filter"]


@dataclass(frozen=True)
class Filter:
    """Which exchanges are meant; a `Matcher` of the journal. `str` gives its normal form, which means the same."""

    tree: Node

    @property
    def reads_octets(self) -> bool:
        """Whether it looks at what was said: a reader asks it in its thread."""
        return self.tree.reads_octets

    def matches(self, session: Session, exchange: Exchange) -> bool:
        """Whether this one is. Never raises."""
        return self.tree.matches(session, exchange)

    def narrowing(self) -> Narrowing:
        """What holds for all that match."""
        return self.tree.narrowing()

    def failing(self, session: Session, exchange: Exchange) -> list[str]:
        """The terms that an exchange failed, in normal form; none where it matches. For near misses."""
        parts = self.tree.parts if isinstance(self.tree, And) else (self.tree,)
        return [str(part) for part in parts if not part.matches(session, exchange)]

    def words(self) -> str:
        """Its meaning as a sentence."""
        return words(self.tree)

    def __str__(self) -> str:
        return str(self.tree)
