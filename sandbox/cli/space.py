"""Open, list or close spaces of a running sandbox: worlds of their own."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.cli.remote import add_remote, remote

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    opening = actions.add_parser("open", help="open a space, and say where its services are")
    opening.add_argument("name", nargs="?", default="", help="its name; without one it gets one that is free")
    opening.add_argument("--world", type=Path, metavar="FILE", help="a world file (default: the sandbox's own)")
    opening.add_argument("--own-address", action="store_true",
                         help="listen on a loopback address of its own, on the sandbox's usual ports")
    opening.add_argument("--client", action="append", default=[], metavar="ADDRESS",
                         help="answer this client on the sandbox's own ports; may be repeated")
    listing = actions.add_parser("list", help="list those that are open")
    closing = actions.add_parser("close", help="close a space; nothing of it is left but what was recorded")
    closing.add_argument("name")
    for one in (opening, listing, closing):
        add_remote(one)
        one.add_argument("--json", action="store_true", help="print JSON")
    opening.set_defaults(do=open_space)
    listing.set_defaults(do=list_spaces)
    closing.set_defaults(do=close_space)


def run(args: argparse.Namespace) -> int:
    """Do one of them. Raises UserError."""
    args.do(args)
    return 0


def open_space(args: argparse.Namespace) -> None:
    asked = {"name": args.name, "own_address": args.own_address, "clients": args.client,
             "world": str(args.world.absolute()) if args.world else ""}
    with remote(args) as api:
        show(args, api.post("spaces", asked))


def list_spaces(args: argparse.Namespace) -> None:
    with remote(args) as api:
        for space in api.get("spaces")["spaces"]:
            show(args, space)


def close_space(args: argparse.Namespace) -> None:
    with remote(args) as api:
        api.delete(f"spaces/{args.name}")


def show(args: argparse.Namespace, space: Mapping[str, Any]) -> None:
    if args.json:
        print(json.dumps(space))
        return
    print(space["name"])
    for name, where in space["services"].items():
        print(f"  {name:<12} {where['host']} port {where['port']}")
