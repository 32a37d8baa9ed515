"""Run a shell, or any program, whose whole internet is the sandbox."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from sandbox.cli import options
from sandbox.cli.background import sandbox_on
from sandbox.cli.inside import listening
from sandbox.datafolder import Running

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    options.add_data(parser)
    parser.add_argument("--proxy", action="store_true",
                        help="only set variables that programs with a proxy setting look at; needs no namespaces")
    parser.add_argument("--capture", type=Path, metavar="FILE", help="write the real packets to a pcapng file")
    parser.add_argument("command", nargs="*", metavar="COMMAND",
                        help="what to run instead of a shell, after --, with its own options")


def run(args: argparse.Namespace) -> int:
    """The exit status of what was run. Raises UserError."""
    data = options.data_folder(options.configure(args))
    command = args.command or [os.environ.get("SHELL") or "/bin/sh"]
    with sandbox_on(data, quiet=bool(args.command)) as running:
        if args.proxy:
            from sandbox.shell import proxy
            return proxy.run(running.services, running.ca, command)
        from sandbox.shell import inside
        if not args.command:
            greet(running)
        return inside.run(data, listening(running), running.ca, command, capture=args.capture)


def greet(running: Running) -> None:
    """What one should know before the prompt."""
    page = f" See it at {running.dashboard.url}." if running.dashboard is not None else ""
    print("Inside the sandbox: every name and every address leads here, on the standard ports, and nothing leaves it."
          f"{page}\nTry: curl http://www.example.com/   dig example.com   exit ends it.", file=sys.stderr)
