"""What the knowledge of parts has to cover that several protocols share."""

from __future__ import annotations

__all__ = ["vocabulary"]

PARTS = frozenset({
    "encoded-word", "media-type", "more", "octets", "parameter", "parameter-name", "parameter-value", "separator",
    "space", "text",
})
"""Parts of lines and fields."""


def vocabulary() -> dict[str, frozenset[str]]:
    """Every term by kind."""
    return {"part": PARTS}
