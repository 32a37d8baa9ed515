"""A safe local internet in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.app import Sandbox, running
    from sandbox.config import Config

__all__ = ["Config", "Sandbox", "__version__", "running"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """The public names, imported when they are asked for: the command line starts without them."""
    if name == "Config":
        from sandbox.config import Config
        return Config
    if name in ("Sandbox", "running"):
        from sandbox import app
        return getattr(app, name)
    raise AttributeError(f"module 'sandbox' has no attribute {name!r}")
