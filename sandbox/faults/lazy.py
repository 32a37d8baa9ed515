"""Stands for the rules until there are any, or a name is asked for that needs none: only then are they imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sandbox.journal.records import Exchange, Session
from sandbox.protocols.contract.strike import Point, Strike

if TYPE_CHECKING:
    from sandbox.faults.faults import Faults

__all__ = ["LazyFaults"]

NAMED = frozenset({"http", "dns", "smtp"})
"""The protocols that `names.TABLE` has names of, held to it by a test."""


class LazyFaults:
    """It implements `net/script.py`'s `Faults`. loaded: told of the rules when they are there, to ask them itself."""

    quiet = True

    def __init__(self, loaded: Callable[[Faults], None]) -> None:
        self._loaded = loaded
        self._faults: Faults | None = None

    @property
    def all(self) -> Faults:
        if self._faults is None:
            from sandbox.faults.faults import Faults
            self._faults = Faults()
            self._loaded(self._faults)
        return self._faults

    def concerns(self, point: Point, protocol: str, asked: str, facts: Mapping[str, str]) -> bool:
        return point is Point.QUESTION and protocol in NAMED and ".test" in (facts.get("host") or asked).lower()

    def strike(self, point: Point, session: Session, exchange: Exchange) -> Strike | None:
        return self.all.strike(point, session, exchange)
