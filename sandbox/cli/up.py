"""Start the sandbox and show what happens in it."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import trio

from sandbox.app import Sandbox, running
from sandbox.cli.options import add_config, configure, data_folder
from sandbox.config import Config
from sandbox.dashboard.service import dashboard
from sandbox.datafolder import Folder, FolderError, LivePage, ReadyFile
from sandbox.errors import UserError
from sandbox.net.joining import joining

if TYPE_CHECKING:
    from sandbox.console.live import Console

__all__ = ["add", "run"]

log = logging.getLogger(__name__)


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_config(parser)
    parser.add_argument("--ready-file", type=Path, metavar="PATH",
                        help="a file to write, as JSON, when every service accepts")
    parser.add_argument("--open", action="store_true", help="show the live page in the browser")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--quiet", "-q", action="store_true", help="print nothing; the journal still has everything")
    form.add_argument("--json", action="store_true", help="print each exchange as one line of JSON")


def run(args: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM. Raises UserError."""
    logging.basicConfig(format="sandbox: %(message)s", level=logging.WARNING)
    with ReadyFile(args.ready_file) as ready_file:
        config = configure(args)
        with open_folder(config) as folder:
            trio.run(up, config, folder, ready_file, args)
    return 0


def open_folder(config: Config) -> Folder:
    """The data folder. Where another sandbox has it, what else is wrong is said first: else it would come out only
    when that one has been stopped for nothing. Raises UserError."""
    try:
        return Folder(None if config.ephemeral else data_folder(config))
    except FolderError:
        from sandbox.cli.world import try_world
        from sandbox.net.binding import BindError, bind
        if config.world:
            try_world(Path(config.world))
        try:
            bind(list(config.bind), 0, ("tcp",)).close()
        except BindError as error:
            raise UserError(str(error)) from None
        raise


async def up(config: Config, folder: Folder, ready_file: ReadyFile, args: argparse.Namespace) -> None:
    """Start, say so, show what happens, stop when told."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with (running(config, folder.path) as sandbox, dashboard(sandbox) as page,
                    joining(folder.path, sandbox.common.listening, sandbox.journal)):
            console = None if args.quiet else start_console(sandbox, page, as_json=args.json)
            if args.quiet or args.json:  # else the summary has said it
                for name, reason in sandbox.failures.items():
                    log.warning("%s did not start: %s", name, reason)
            try:
                # Whoever has waited with `sandbox ready` may read the ready file, so that comes first.
                facts = msgspec.structs.replace(sandbox.facts(), dashboard=page)
                ready_file.write(facts)
                folder.announce(facts)
                if args.open and page is not None:
                    await trio.to_thread.run_sync(open_page, page, abandon_on_cancel=True)
                async for _ in signals:
                    break
            finally:
                ready_file.remove()
                folder.withdraw()
                if console is not None:
                    sandbox.journal.flush()
                    console.close()


def open_page(page: LivePage) -> None:
    """Show the live page in the browser. The token goes in the fragment, which no server and no log sees."""
    import webbrowser
    if not webbrowser.open(page.url):
        log.warning("no browser could be started; open %s yourself", page.url)


def start_console(sandbox: Sandbox, page: LivePage | None, *, as_json: bool) -> Console:
    """Print the summary and begin the live lines."""
    from sandbox.console.live import Console  # not imported where nothing is shown
    from sandbox.console.summary import summary
    from sandbox.console.terminal import look
    from sandbox.net.addresses import reachable
    config = sandbox.config
    if not as_json:
        sys.stdout.write(summary(
            sandbox.endpoints,
            {account.login: account.password for account in sandbox.world.accounts if not account.teacher},
            domains=[domain.name for domain in sandbox.world.domains],
            reach=list(config.advertise) or reachable(config.bind),
            data=str(sandbox.data), hosts=[host for host in config.bind if host not in sandbox.skipped],
            failed=sandbox.failures, ephemeral=config.ephemeral,
            page=page.url if page is not None else "", elsewhere=page.elsewhere if page is not None else "",
            teacher=page.teacher if page is not None else "",
            host_key=sandbox.world.host_key.fingerprint if "sftp" in sandbox.endpoints else "",
            color=look(sys.stdout, config.console.color).color))
        sys.stdout.flush()
    console = Console(sys.stdout, color=config.console.color, explain=config.console.explain, json=as_json)
    sandbox.journal.bus.watch(console)
    console.start()
    return console
