"""Say whether the sandbox is up and answering."""

from __future__ import annotations

import argparse
import socket
import time
from pathlib import Path

from sandbox.cli.options import add_data, configure, data_folder
from sandbox.datafolder import read_running

__all__ = ["add", "run"]

CONNECT_SECONDS = 2.0
"""How long a service may take to accept."""

PAUSE = 0.05
"""Seconds between two looks while waiting."""

NOT_READY = 1
"""Exit status."""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_data(parser)
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="wait so long for it to be ready")


def run(args: argparse.Namespace) -> int:
    """Exit status 0 when a sandbox on this data folder is ready and accepts, else 1."""
    data = data_folder(configure(args))
    until = time.monotonic() + args.wait
    while True:
        state = look(data)
        if not state or time.monotonic() >= until:
            break
        time.sleep(PAUSE)
    print(state or "ready")
    return NOT_READY if state else 0


def look(data: Path) -> str:
    """What is not ready, in a sentence; "" when everything is."""
    running = read_running(data)
    if running is None:
        return f"not ready: no sandbox runs on {data}; start one with `sandbox up`, or name its folder with --data"
    # It was said to be ready when everything accepted; that one service still does shows that it lives.
    name, endpoint = next(iter(running.services.items()))
    try:
        socket.create_connection((endpoint.host, endpoint.port), CONNECT_SECONDS).close()
    except OSError as error:
        return f"not ready: {name} at {endpoint.host} port {endpoint.port} refuses ({error.strerror or error})"
    return ""
