"""What the world tells whoever watches it."""

from __future__ import annotations

from typing import Literal, NamedTuple

from sandbox.observers import Observers

__all__ = ["Change", "Changes"]


class Change(NamedTuple):
    """Something about the world that is different now. kind: what it is ("account"); name: which one."""

    kind: str
    action: Literal["added", "changed", "removed"]
    name: str


Changes = Observers[Change]
"""Whoever watches the world: told once the change is on disk."""
