"""Start a browser whose whole internet is the sandbox, with the live page beside it."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from sandbox.cli import options
from sandbox.cli.background import sandbox_on
from sandbox.cli.inside import listening, run_inside, shown
from sandbox.datafolder import Running
from sandbox.errors import UserError
from sandbox.pki import ca_folder

__all__ = ["add", "run"]

FIRST = "http://www.example.com/"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    options.add_data(parser)
    parser.add_argument("url", metavar="URL", nargs="?", default=FIRST, help=f"what to open first (default: {FIRST})")
    parser.add_argument("--program", metavar="NAME", default="", help="which browser, by name or path")
    parser.add_argument("--proxy", action="store_true",
                        help="through a proxy configuration, even where the browser could have its own internet")
    parser.add_argument("--print", action="store_true", dest="show", help="only show the command and the settings")


def run(args: argparse.Namespace) -> int:
    """The browser's exit status. Raises UserError."""
    from sandbox.shell.browsers import BROWSERS, chosen, prepare

    program = chosen(args.program)
    if not program:
        raise UserError(f"there is no {args.program or 'browser'} here; looked for "
                        f"{args.program or ', '.join(BROWSERS)}. On Debian: apt-get install chromium")
    data = options.data_folder(options.configure(args))
    with sandbox_on(data) as running, tempfile.TemporaryDirectory(prefix="sandbox-browser-") as folder:
        pac = f"http://{address(running)}/proxy.pac" if args.proxy else ""
        urls = [args.url, *([running.dashboard.url] if running.dashboard is not None else [])]
        start = prepare(program, urls, Path(folder) / "profile", running.ca, pac=pac, spki=spki(data, running),
                        root=os.geteuid() == 0)
        if args.show:
            return shown(start, inside=not args.proxy)
        for note in start.notes:
            print(f"sandbox: {note}", file=sys.stderr)
        if args.proxy:
            print("sandbox: by way of a proxy: the browser asks no DNS itself, and ports stay as they are.",
                  file=sys.stderr)
            return os.spawnvpe(os.P_WAIT, start.command[0], start.command, os.environ | start.variables)
        return run_inside(data, listening(running), running.ca, start, fallback="sandbox browser --proxy")


def address(running: Running) -> str:
    """Raises UserError."""
    if "http" not in running.services:
        raise UserError("--proxy needs the http service, and this sandbox has it turned off")
    http = running.services["http"]
    return f"[{http.host}]:{http.port}" if ":" in http.host else f"{http.host}:{http.port}"


def spki(data: Path, running: Running) -> str:
    """The authority's hash, as Chromium's switch wants it; "" without one."""
    if not running.ca:
        return ""
    from sandbox.pki.authority import Authority
    return Authority.open(ca_folder(data)).spki_hash
