"""Configurations that come with the sandbox, by name: `ci` for `ci.toml`."""

from __future__ import annotations

from pathlib import Path

from sandbox.config.load import ConfigError
from sandbox.toml import nearest

__all__ = ["config_file", "names"]

PACKAGED = Path(__file__).parent.parent / "configs"
FOLDER = PACKAGED if PACKAGED.is_dir() else PACKAGED.parent.parent / "configs"
"""In the wheel it is inside the package, in a clone beside it."""


def names() -> list[str]:
    """Those there are."""
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


def config_file(named: str, folder: Path | None = None) -> Path:
    """The file that somebody names: by its path, seen from `folder`, or by the name of one that comes with us. Raises
    ConfigError where a plain word is neither."""
    path = (folder or Path()) / named
    if path.is_file() or "/" in named or "." in named:
        return path
    if named in names():
        return FOLDER / f"{named}.toml"
    raise ConfigError(named, found="neither a file nor the name of a configuration that comes with Sandbox",
                      expected=f"a file, or one of {', '.join(names())}", hint=nearest(named, names()))
