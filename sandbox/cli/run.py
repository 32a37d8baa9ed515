"""Start a sandbox, run a command whose internet it is, and stop it."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import subprocess
import sys

import trio

from sandbox.app import Sandbox, running
from sandbox.cli.options import add_config, configure, data_folder
from sandbox.config import Config
from sandbox.dashboard.service import dashboard
from sandbox.datafolder import Folder, LivePage
from sandbox.errors import UserError
from sandbox.pki import ca_path
from sandbox.testing.settings import environment

__all__ = ["add", "run"]

SHOWN = 100
"""Exchanges that are printed of a command that failed, the last ones."""
LAST_WORDS = 10.0
"""Seconds a command gets to end after it was told to."""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_config(parser)
    parser.add_argument("--quiet", "-q", action="store_true", help="print no exchanges, also when the command fails")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="what to run")


def run(args: argparse.Namespace) -> int:
    """The command's own exit status; 128 + N where signal N ended it."""
    logging.basicConfig(format="sandbox: %(message)s", level=logging.WARNING)
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not command:
        raise UserError("there is no command to run; write `sandbox run -- npm test`")
    if args.config is None and "SANDBOX_CONFIG" not in os.environ:
        args.config = "ci"
    config = configure(args)
    with Folder(None if config.ephemeral else data_folder(config)) as folder:
        return trio.run(around, config, folder, command, args.quiet)


async def around(config: Config, folder: Folder, command: list[str], quiet: bool) -> int:
    """Run it while the sandbox runs."""
    async with running(config, folder.path) as sandbox, dashboard(sandbox) as page:
        services = {name: (where.host, where.port) for name, where in sandbox.endpoints.items()}
        environ = os.environ | environment(services, ca_path(sandbox.data)) | addresses(sandbox, page)
        status = await passed_on(command, environ)
        if status and not quiet:
            await show(sandbox, page)
    return status


def addresses(sandbox: Sandbox, page: LivePage | None) -> dict[str, str]:
    """Where to ask what happened."""
    found = {"SANDBOX_DATA": str(sandbox.data)}
    return found | ({"SANDBOX_URL": page.url, "SANDBOX_TOKEN": page.token} if page is not None else {})


async def passed_on(command: list[str], environ: dict[str, str]) -> int:
    """Run a command in our place: what we are told by signals it is told too. Raises UserError."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        try:
            process = await trio.lowlevel.open_process(command, env=environ)
        except OSError as error:
            raise UserError(f"{command[0]} cannot be run: {error.strerror}") from None
        async with trio.open_nursery() as nursery:
            async def pass_signals() -> None:
                async for number in signals:
                    process.send_signal(number)
                    nursery.start_soon(end, process)

            nursery.start_soon(pass_signals)
            status = await process.wait()
            nursery.cancel_scope.cancel()
    return status if status >= 0 else 128 - status


async def end(process: subprocess.Popen[bytes] | trio.Process) -> None:
    await trio.sleep(LAST_WORDS)
    process.kill()


async def show(sandbox: Sandbox, page: LivePage | None) -> None:
    """Print what happened, for the log of a failure."""
    from sandbox.console.lines import line
    from sandbox.journal.asking import Asking
    found = await Asking(sandbox.journal).newest(count=SHOWN)
    print("\nsandbox: the command failed; what it did in the sandbox" if found else
          "\nsandbox: the command failed, and asked the sandbox nothing", file=sys.stderr)
    for session, exchange in reversed(found):
        print(line(session, exchange, color=False, explain=True, width=0), file=sys.stderr)
