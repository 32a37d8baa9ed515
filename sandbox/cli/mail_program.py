"""Start a mail program with an account set up for one of the world's people."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from sandbox.cli import options
from sandbox.cli.background import sandbox_on
from sandbox.cli.inside import listening, run_inside, shown
from sandbox.datafolder import Endpoint, Running
from sandbox.errors import UserError
from sandbox.protocols.contract.registry import find_role
from sandbox.shell.mailers import MAILERS, Mailbox, chosen, prepare

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    options.add_data(parser)
    parser.add_argument("person", metavar="LOGIN", nargs="?", default="",
                        help="whose mail (default: the first person's)")
    parser.add_argument("--program", metavar="NAME", default="", help="thunderbird, mutt, neomutt or aerc")
    parser.add_argument("--print", action="store_true", dest="show", help="only show the command and the settings")


def run(args: argparse.Namespace) -> int:
    """The program's exit status. Raises UserError."""
    program = chosen(args.program)
    if not program:
        raise UserError(f"there is no {args.program or 'mail program'} here; looked for "
                        f"{args.program or ', '.join(MAILERS)}. On Debian: apt-get install mutt")
    config = options.configure(args)
    data = options.data_folder(config)
    with sandbox_on(data) as running, tempfile.TemporaryDirectory(prefix="sandbox-mail-") as folder:
        person = mailbox(data, config.world, args.person)
        start = prepare(program, person, inside(running, person), Path(folder) / "profile", running.ca)
        if args.show:
            return shown(start, inside=True)
        for note in start.notes:
            print(f"sandbox: {note}", file=sys.stderr)
        return run_inside(data, listening(running), running.ca, start)


def inside(running: Running, person: Mailbox) -> dict[str, Endpoint]:
    """The services as a program inside reaches them: on their own ports, at the name their certificates are for."""
    host = f"mail.{person.address.partition('@')[2]}"
    return {name: Endpoint(host, find_role(name)[1].port) for name in running.services}


def mailbox(data: Path, world_file: str, login: str) -> Mailbox:
    """Raises UserError when nobody is called so."""
    from sandbox.world import World

    with closing(World.load(Path(world_file) if world_file else None, data)) as world:
        people = list(world.accounts)
        found = next((one for one in people if one.login == login or not login), None)
        if found is None:
            raise UserError(f"nobody is called {login!r} here; the people are "
                            f"{', '.join(one.login for one in people)}")
        domain = world.domains[0].name if world.domains else "sandbox.test"
        return Mailbox(found.name, found.login, found.password, found.address(domain))
