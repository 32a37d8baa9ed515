"""Wait until something has happened in a running sandbox."""

from __future__ import annotations

import argparse
import json
import sys

from sandbox.cli.remote import add_remote, remote
from sandbox.errors import UserError
from sandbox.testing.api import ApiError
from sandbox.testing.report import lines, near_misses

__all__ = ["add", "run"]

NOT_SEEN = 1
"""Exit status."""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_remote(parser)
    parser.add_argument("filter", nargs="*", metavar="FILTER", help="which exchanges, such as protocol:smtp")
    parser.add_argument("--count", type=int, default=1, metavar="N", help="how many of them (default: 1)")
    parser.add_argument("--timeout", type=float, default=10.0, metavar="SECONDS",
                        help="how long to wait (default: 10)")
    parser.add_argument("--since", type=int, default=0, metavar="ID", help="only exchanges with a higher number")
    parser.add_argument("--letter", action="append", default=[], metavar="KEY=TEXT",
                        help="wait for letters: to, from, subject or text has TEXT in it; may be repeated")
    parser.add_argument("--space", default="main", metavar="SPACE", help="with --letter: whose mail (default: main)")
    parser.add_argument("--json", action="store_true", help="print them as JSON")


def run(args: argparse.Namespace) -> int:
    """Exit status 0 when it has happened, 1 when it has not in time."""
    asked = {"filter": " ".join(args.filter), "count": args.count, "since": args.since, "timeout": args.timeout}
    path, kind = "wait", "exchanges"
    if args.letter:
        path, kind = "wait/letters", "letters"
        asked |= {"space": args.space, "letter": dict(map(term, args.letter))}
    try:
        with remote(args) as api:
            found = api.post(path, asked, wait=args.timeout)[kind]
    except ApiError as error:
        if error.status != 408:
            raise
        print(f"sandbox: {error.problem['detail']}", file=sys.stderr)
        for text in near_misses(error.problem):
            print(text, file=sys.stderr)
        return NOT_SEEN
    if args.json:
        for one in found:
            print(json.dumps(one))
    else:
        for text in lines([one["exchange"] if args.letter else one for one in found], explain=False):
            print(text)
    return 0


def term(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or key not in ("to", "from", "subject", "text"):
        raise UserError(f"--letter {text[:100]!r} is not to=, from=, subject= or text= with a text")
    return key, value
