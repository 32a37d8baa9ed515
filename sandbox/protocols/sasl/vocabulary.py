"""What the knowledge of logging in has to cover."""

from __future__ import annotations

from sandbox.protocols.sasl import MECHANISMS

__all__ = ["vocabulary"]


def vocabulary() -> dict[str, frozenset[str]]:
    """Every mechanism."""
    return {"mechanism": frozenset(MECHANISMS)}
