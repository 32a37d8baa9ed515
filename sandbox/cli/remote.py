"""How commands find a running sandbox to ask: by its data folder, or by the address of its live page."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sandbox.cli.options import add_data, configure, data_folder
from sandbox.testing.api import Api

__all__ = ["add_remote", "remote"]


def add_remote(parser: argparse.ArgumentParser) -> None:
    """--data, --config, --url and --token."""
    add_data(parser)
    parser.add_argument("--url", default="", metavar="URL", help="the live page's address, instead of a data folder")
    parser.add_argument("--token", default="", metavar="TOKEN",
                        help="with --url: the teacher's token, needed from elsewhere")


@contextmanager
def remote(args: argparse.Namespace) -> Iterator[Api]:
    """Raises UserError where none runs."""
    with closing(Api(args.url, args.token) if args.url else Api.of(data_folder(configure(args)))) as api:
        yield api
