"""Start the sandbox and show what happens in it."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path

import trio

from sandbox.app import Sandbox, running
from sandbox.cli.options import add_config, configure, data_folder
from sandbox.config import Config
from sandbox.console.live import Console
from sandbox.console.summary import summary
from sandbox.console.terminal import look
from sandbox.datafolder import Folder, write_whole
from sandbox.errors import UserError

__all__ = ["add", "run"]

log = logging.getLogger(__name__)


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_config(parser)
    parser.add_argument("--ready-file", type=Path, metavar="PATH",
                        help="a file to write, as JSON, when every service accepts")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--quiet", "-q", action="store_true", help="print nothing; the journal still has everything")
    form.add_argument("--json", action="store_true", help="print each exchange as one line of JSON")


def run(args: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM. Raises UserError."""
    logging.basicConfig(format="sandbox: %(message)s", level=logging.WARNING)
    config = configure(args)
    with Folder(None if config.ephemeral else data_folder(config)) as folder:
        trio.run(up, config, folder, args)
    return 0


async def up(config: Config, folder: Folder, args: argparse.Namespace) -> None:
    """Start, say so, show what happens, stop when told."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with running(config, folder.path) as sandbox:
            console = None if args.quiet else start_console(sandbox, as_json=args.json)
            if args.quiet or args.json:  # else the summary has said it
                for name, reason in sandbox.failures.items():
                    log.warning("%s did not start: %s", name, reason)
            try:
                announce(sandbox, folder, args.ready_file)
                async for _ in signals:
                    break
            finally:
                if console is not None:
                    sandbox.journal.flush()
                    console.close()


def start_console(sandbox: Sandbox, *, as_json: bool) -> Console:
    """Print the summary and begin the live lines."""
    config = sandbox.config
    if not as_json:
        sys.stdout.write(summary(
            sandbox.endpoints, {account.login: account.password for account in sandbox.world.accounts},
            data=str(sandbox.data), hosts=[host for host in config.bind if host not in sandbox.skipped],
            failed=sandbox.failures, ephemeral=config.ephemeral,
            host_key=sandbox.world.host_key.fingerprint if "sftp" in sandbox.endpoints else "",
            color=look(sys.stdout, config.console.color).color))
        sys.stdout.flush()
    console = Console(sys.stdout, color=config.console.color, explain=config.console.explain, json=as_json)
    sandbox.journal.bus.watch(console)
    console.start()
    return console


def announce(sandbox: Sandbox, folder: Folder, ready_file: Path | None) -> None:
    """Tell whoever waits for the ready file, then other commands: who has waited with `sandbox ready` may read it.

    Raises UserError.
    """
    facts = sandbox.facts()
    if ready_file is not None:
        try:
            write_whole(ready_file.absolute(), facts.encode())
        except OSError as error:
            raise UserError(f"The ready file {ready_file} cannot be written ({error.strerror}). "
                            "Its folder must exist and be yours to write to.") from error
    folder.announce(facts)
