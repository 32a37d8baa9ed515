"""What the commands share that start a program inside the sandbox's internet."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.datafolder import Endpoint, Running
from sandbox.errors import UserError
from sandbox.shell.browsers import Start

__all__ = ["listening", "run_inside", "shown"]


def listening(running: Running) -> dict[str, Endpoint]:
    """Everything that listens, the live page too."""
    found = dict(running.services)
    if running.dashboard is not None:
        place = urlsplit(running.dashboard.url)
        found["dashboard"] = Endpoint(place.hostname or "127.0.0.1", place.port or 80)
    return found


def run_inside(data: Path, services: Mapping[str, Endpoint], ca: str, start: Start, *, fallback: str = "") -> int:
    """Run a program with an internet of its own. fallback: the command that needs none. Raises UserError."""
    from sandbox.shell import inside
    os.environ.update(start.variables)
    try:
        return inside.run(data, services, ca, start.command)
    except UserError as error:
        raise UserError(str(error).replace("sandbox shell --proxy", fallback)) if fallback else error from None


def shown(start: Start, *, inside: bool) -> int:
    """Print what would be done."""
    for name, text in start.files.items():
        print(f"# {name}\n{text}")
    words = [f"{name}={shlex.quote(value)}" for name, value in start.variables.items()]
    command = shlex.join([*(("sandbox", "shell", "--") if inside else ()), *start.command])
    print(" ".join([*words, command]))
    for note in start.notes:
        print(f"# {note}")
    sys.stdout.flush()
    return 0
