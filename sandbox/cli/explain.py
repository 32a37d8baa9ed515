"""Explain a word of a protocol: a method, a code, a record type, a flag."""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from itertools import groupby

from sandbox.console.escape import escape
from sandbox.console.terminal import tolerate
from sandbox.explain import Entry, entries, find, protocols, suggest

__all__ = ["add", "run"]

WIDEST = 88
"""Columns of running text; longer lines are hard to read."""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("words", nargs="*", metavar="WORD",
                        help="a protocol, a word, or both: dns, NXDOMAIN, dns NXDOMAIN, http \"not found\"")


def run(args: argparse.Namespace) -> int:
    """Print what is known. 0; 1 when nothing is."""
    tolerate(sys.stdout)
    words: list[str] = args.words
    if not words:
        print("\n".join(["Protocols that can be explained:", *map(overview, protocols()), "",
                         "Try: sandbox explain NXDOMAIN, or sandbox explain http for all of one."]))
        return 0
    protocol = words[0].lower() if words[0].lower() in protocols() else ""
    rest = words[1:] if protocol else words
    if not rest:
        print(listing(protocol))
        return 0
    found = find(protocol, " ".join(rest)) or find(protocol, ".".join(rest))
    if found:
        print("\n\n".join(map(page, found)))
        return 0
    print(unknown(protocol, " ".join(rest)), file=sys.stderr)
    return 1


def width() -> int:
    return min(WIDEST, max(30, shutil.get_terminal_size().columns - 1))


def overview(protocol: str) -> str:
    kinds = [f"{len(list(group))} {kind}" for kind, group in groupby(entries(protocol), key=lambda entry: entry.kind)]
    return f"  {protocol}: {', '.join(kinds)}"


def listing(protocol: str) -> str:
    """Every word of a protocol, by kind, one line each."""
    parts = []
    for kind, group in groupby(entries(protocol), key=lambda entry: entry.kind):
        found = list(group)
        longest = max(len(entry.term) for entry in found)
        parts.append("\n".join([f"{protocol} {kind}", *(
            textwrap.fill(entry.text, width(), initial_indent=f"  {entry.term:<{longest}}  ",
                          subsequent_indent=" " * (longest + 4)) for entry in found)]))
    return "\n\n".join(parts)


def page(entry: Entry) -> str:
    """All that is known about one word."""
    name = f" · {entry.name}" if entry.name else ""
    texts = [f"{entry.term}{name}  ({entry.protocol} {entry.kind})"]
    texts += [textwrap.fill(text, width(), initial_indent="  ", subsequent_indent="  ")
              for text in (entry.text, entry.more) if text]
    return "\n".join([*texts, f"  Defined in {entry.rfc}."])


def unknown(protocol: str, word: str) -> str:
    """What to say about a word nobody knows."""
    text = f"sandbox explain: nothing is known about {escape(word)}{f' in {protocol}' if protocol else ''}."
    if near := suggest(protocol, word):
        text += f" Did you mean {', '.join(near[:-1]) + ' or ' if near[1:] else ''}{near[-1]}?"
    elif protocol and find("", word):
        return f"{text} But: sandbox explain {escape(word)}"
    return f"{text} `sandbox explain {protocol or 'PROTOCOL'}` lists what is."
