"""Write what was recorded to a file that other programs open."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from sandbox import __version__
from sandbox.cli import options
from sandbox.console.lines import json_line
from sandbox.errors import UserError
from sandbox.explain.sentences import sentence
from sandbox.filter import Filter, parse
from sandbox.journal.reader import Reader
from sandbox.journal.records import Exchange, Session
from sandbox.journal.store import FILE

__all__ = ["FORMATS", "add", "run"]

FORMATS = {
    "pcapng": "packets, with the secrets of TLS and a comment for each exchange: Wireshark",
    "har": "HTTP: the developer tools of browsers",
    "jsonl": "a line of JSON for each exchange, as sandbox log --json",
    "markdown": "dialogues with their explanations, to hand in or to paste",
}
KEYLOG = "tls-keys.log"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    options.add_data(parser)
    parser.add_argument("format", metavar="FORMAT", choices=list(FORMATS),
                        help="; ".join(f"{name}: {text}" for name, text in FORMATS.items()))
    parser.add_argument("file", metavar="FILE", help="the file to write, - for standard output")
    parser.add_argument("filter", metavar="FILTER", nargs="*", help="which exchanges, as for sandbox log; whole "
                        "sessions where the format has no less")


def run(args: argparse.Namespace) -> int:
    """Raises UserError, also when nothing matches."""
    matcher = parse(" ".join(args.filter))
    data = options.data_folder(options.configure(args))
    with Reader(data / FILE) as reader:
        if not any(found.exchanges for found in reader.search(matcher)):
            raise UserError("nothing in this journal matches, so there is nothing to write")
        try:
            count = write(args.format, args.file, reader, matcher, data)
        except OSError as error:
            raise UserError(f"{args.file} cannot be written: {error.strerror or error}") from error
    unit = "packets" if args.format == "pcapng" else "exchanges"
    print(f"{args.file}: {count:,} {unit}", file=sys.stderr)
    return 0


def write(form: str, name: str, reader: Reader, matcher: Filter, data: Path) -> int:
    """Write in one of the formats; how much it was."""
    if form == "pcapng":
        from sandbox.export import pcapng
        numbers = {session.id: session for session, _ in pairs(reader, matcher)}
        with open(name, "wb") if name != "-" else open(sys.stdout.fileno(), "wb", closefd=False) as binary:
            return pcapng.write(binary, reader, numbers.values(), data / KEYLOG, sentence)
    with open(name, "w", encoding="utf-8") if name != "-" else open(
            sys.stdout.fileno(), "w", encoding="utf-8", closefd=False) as file:
        if form == "har":
            from sandbox.export import har
            return har.write(file, reader, pairs(reader, matcher), __version__)
        if form == "markdown":
            from sandbox.export import markdown
            return markdown.write(file, reader, pairs(reader, matcher), sentence)
        count = 0
        for session, exchange in pairs(reader, matcher):
            file.write(json_line(session, exchange).decode("ascii"))
            count += 1
        return count


def pairs(reader: Reader, matcher: Filter) -> Iterator[tuple[Session, Exchange]]:
    for found in reader.search(matcher):
        yield from found.exchanges
