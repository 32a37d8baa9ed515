"""What the knowledge of logging in has to cover."""

from __future__ import annotations

from sandbox.protocols.lines.command import CLEAR_TEXT
from sandbox.protocols.sasl import MECHANISMS

__all__ = ["vocabulary"]


def vocabulary() -> dict[str, frozenset[str]]:
    """Every mechanism, and what a login is marked with."""
    return {"mechanism": frozenset(MECHANISMS), "warning": frozenset({CLEAR_TEXT})}
