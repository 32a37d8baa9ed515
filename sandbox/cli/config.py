"""Print the configuration, or check a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from sandbox.cli import options
from sandbox.config.describe import reference, render
from sandbox.config.load import load
from sandbox.plan import plan

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `sandbox config`."""
    options.add_config(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", type=Path, metavar="FILE", help="say whether this file is right, and its world")
    what.add_argument("--reference", action="store_true", help="print the page of reference, in Markdown")


def run(args: argparse.Namespace) -> int:
    """Raises ConfigError, WorldError."""
    if args.reference:
        print(reference(), end="")
    elif args.check:
        check(args.check)
        print(f"{args.check} is right.")
    else:
        print(render(options.configure(args)), end="")
    return 0


def check(file: Path) -> None:
    """Read a configuration alone, without environment and options, and the world that it names."""
    config = load(file)
    plan(config, file)
    if config.world:
        from sandbox.cli.world import try_world
        try_world(Path(config.world))
