"""Make things fail on purpose in a running sandbox, and list what does."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.cli.remote import add_remote, remote
from sandbox.console.escape import escape
from sandbox.testing.api import Api

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    actions = parser.add_subparsers(dest="what", required=True, metavar="add|list|remove|go-on|actions")
    adding = actions.add_parser("add", help="add a rule")
    adding.add_argument("filter", help="what it strikes, as in `sandbox log`, such as 'protocol:smtp verb:RCPT'")
    adding.add_argument("words", nargs="+", metavar="ACTION[=VALUE] | OPTION=VALUE",
                        help="what it does, such as reply=451 times=2")
    listing = actions.add_parser("list", help="list the rules, how often each struck, and what is held")
    removing = actions.add_parser("remove", help="remove rules; what they hold back leaves")
    removing.add_argument("number", help="the number of the rule, or all")
    going = actions.add_parser("go-on", help="let go what a rule holds")
    going.add_argument("number", help="the number of the rule")
    going.add_argument("--held", type=int, default=0, metavar="N", help="only this one of those that wait")
    going.add_argument("--reply", metavar="CODE", help="what is said instead, such as 451")
    going.add_argument("--text", default="", metavar="TEXT", help="the sentence with it")
    explaining = actions.add_parser("actions", help="list the actions there are")
    for each in (adding, listing, removing, going, explaining):
        add_remote(each)
        each.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Exit status 0 when it was done."""
    with remote(args) as api:
        found = WHAT[args.what](api, args)
    if args.json:
        print(json.dumps(found))
    else:
        for line in SAID[args.what](found):
            print("\n".join(map(escape, line.split("\n"))))
    return 0


def adding(api: Api, args: argparse.Namespace) -> Any:
    import shlex
    return api.post("faults", {"text": shlex.join([args.filter, *args.words])})


def going_on(api: Api, args: argparse.Namespace) -> Any:
    reply = None if args.reply is None else {"code": args.reply, "text": args.text}
    return api.post(f"faults/{args.number}/go-on", {"held": args.held, "reply": reply})


def removing(api: Api, args: argparse.Namespace) -> Any:
    return api.delete("faults" if args.number == "all" else f"faults/{args.number}")


WHAT: Mapping[str, Callable[[Api, argparse.Namespace], Any]] = {
    "add": adding,
    "list": lambda api, args: api.get("faults"),
    "remove": removing,
    "go-on": going_on,
    "actions": lambda api, args: api.get("faults/actions"),
}


def say_rule(rule: dict[str, Any]) -> str:
    times = "spent" if rule["spent"] else "never struck" if not rule["struck"] else \
        f"struck {rule['struck']} of {rule['meant']}"
    return f"{rule['id']:>3}  {rule['text']}  ({times})"


def say_all(found: dict[str, Any]) -> list[str]:
    lines = [say_rule(rule) for rule in found["faults"]] or ["There are no rules."]
    lines += [f"     held {held['id']} by rule {held['fault']}: {held['service']} {held['verb']} {held['asked']} "
              f"from {held['client']['host']}, at the {held['step']}" for held in found["held"]]
    return lines + [f"     {name} struck {count}" for name, count in found["named"].items()]


SAID: Mapping[str, Callable[[Any], list[str]]] = {
    "add": lambda rule: [say_rule(rule)],
    "list": say_all,
    "remove": lambda found: [f"removed {found['count']}" if "count" in found else f"removed {say_rule(found)}"],
    "go-on": lambda found: [f"let go {found['count']}"],
    "actions": lambda found: [f"{row['name']:<16} {row['meaning']}\n{'':<16} {row['example']}"
                              for row in found["actions"]],
}
