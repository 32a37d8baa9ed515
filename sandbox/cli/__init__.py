"""The command line: finds the command, imports it and no other, runs it, and turns errors into plain messages.

Each command is a file here, `sandbox/cli/NAME.py`, with a docstring whose first line is its help, and two functions:
`add(parser)` adds its options, `run(args)` does the work and gives the exit status. A command that finds something
its user can put right raises a `UserError`.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import NoReturn

from sandbox import __version__
from sandbox.errors import UserError

__all__ = ["COMMANDS", "main"]

COMMANDS = {
    "up": "Start the sandbox and show what happens in it.",
    "ready": "Say whether the sandbox is up and answering.",
    "shell": "Run a shell, or any program, whose whole internet is the sandbox.",
    "browser": "Start a browser whose whole internet is the sandbox, with the live page beside it.",
    "mail-program": "Start a mail program with an account set up for one of the world's people.",
    "log": "Show what a running or a past sandbox recorded.",
    "export": "Write what was recorded to a file that other programs open.",
    "mail": "List, show, send or export the mail of a running or a past sandbox.",
    "fault": "Make things fail on purpose in a running sandbox, and list what does.",
    "wait": "Wait until something has happened in a running sandbox.",
    "space": "Open, list or close spaces of a running sandbox: worlds of their own.",
    "run": "Start a sandbox, run a command whose internet it is, and stop it.",
    "lab": "Do labs on a running sandbox, or check the files of one.",
    "explain": "Explain a word: an idea such as port, or a protocol's own method, code, record type.",
    "config": "Print the configuration, or check a file.",
    "world": "Show the pretend world, or check a file.",
    "ca": "Show the certificate authority, and how to make each client trust it.",
}
"""Every command with its help, here too so that `sandbox --help` need not import them all."""

MISUSED = 2
"""Exit status when the user has to change something; argparse's own."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line (without the program's name). Gives the exit status."""
    argv = sys.argv[1:] if argv is None else list(argv)
    try:
        args = read(argv)
        status: int = args.run(args)
        sys.stdout.flush()
    except UserError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return MISUSED
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader of a pipe (head, less) has seen enough. Python would complain again while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        said = refusal(error)
        if not said:
            raise
        print(f"sandbox: {said}", file=sys.stderr)
        return MISUSED
    return status


def refusal(error: OSError) -> str:
    """What the system refused, and what helps; "" for what a person cannot put right."""
    where = error.filename or "what is written"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (f"{where} is not yours to use ({error.strerror}). Make it yours, or name another data folder with "
                "--data DIR.")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        other = ", or name another data folder with --data DIR" if error.filename else ""
        return f"there is no room left for {where}. Free some space{other}."
    return ""


def read(argv: Sequence[str]) -> argparse.Namespace:
    """The options of a command line. Raises UserError for those that there are not."""
    parser = build_parser(argv[0] if argv else "")
    if argv and argv[0].startswith("--") and argv[0] not in parser._option_string_actions:
        left = list(argv)
    else:
        args, left = parser.parse_known_args(argv)
    if left:
        from sandbox.toml import nearest
        option = left[0].partition("=")[0]
        said = (f"there is no option {option!r}" if option.startswith("-") else f"{option!r} is one word too many")
        hint = nearest(option, options_of(parser)) if option.startswith("--") else ""
        command = argv[0] if argv and not argv[0].startswith("-") else ""
        raise UserError(f"{said}. {hint}{' ' if hint else ''}`sandbox {command}{' ' if command else ''}--help` shows "
                        "what there is.")
    return args


def options_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Every option of a parser and of those below it."""
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from options_of(below)


class Parser(argparse.ArgumentParser):
    """argparse, with a suggestion for a word that is none of its choices."""

    def error(self, message: str) -> NoReturn:
        if found := re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message):
            from sandbox.toml import nearest
            hint = nearest(found[1], re.findall(r"[\w-]+", found[2]))
            message += f". {hint}" if hint else ""
        super().error(message)


def build_parser(command: str) -> argparse.ArgumentParser:
    """The parser, with the options of one command only."""
    parser = Parser(
        prog="sandbox", allow_abbrev=False,
        description="A safe local internet in one process. Start with `sandbox up`.",
        epilog="`sandbox COMMAND --help` shows the options of a command.")
    parser.add_argument("--version", action="version", version=f"sandbox {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        own = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        if name == command:
            module = importlib.import_module(f"sandbox.cli.{name.replace('-', '_')}")
            module.add(own)
            own.set_defaults(run=module.run)
    if command and not command.startswith("-") and command not in COMMANDS:
        raise UserError(unknown(command))
    return parser


def unknown(command: str) -> str:
    from sandbox.toml import nearest
    hint = nearest(command, COMMANDS) or f"The commands are {', '.join(COMMANDS)}."
    return f"there is no command {command!r}. {hint}"
