"""The error of this room."""

from __future__ import annotations

from sandbox.toml import TomlError

__all__ = ["WorldError"]


class WorldError(TomlError):
    """A world that cannot be used: a fault in its file, or in what it names. Fields as in `TomlError`."""
