"""Explain a word: an idea such as port, or a protocol's own method, code, record type."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Mapping
from itertools import groupby

from sandbox.address import Address
from sandbox.cli import options
from sandbox.console.escape import escape
from sandbox.console.folding import fill, width
from sandbox.console.terminal import tolerate
from sandbox.datafolder import read_running
from sandbox.explain import Entry, entries, find, protocols, suggest
from sandbox.explain.concepts import Concept, about, concepts, filled, places
from sandbox.explain.concepts import find as find_concepts
from sandbox.explain.concepts import suggest as suggest_concepts

__all__ = ["add", "run"]

IDEAS = 3
"""Concepts that are named for a word of the wire."""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("words", nargs="*", metavar="WORD",
                        help="an idea, a protocol, a word of one, or both: port, dns, NXDOMAIN, dns NXDOMAIN")
    parser.add_argument("--all", action="store_true", help="with a protocol: all words of it")
    options.add_data(parser)


def run(args: argparse.Namespace) -> int:
    """Print what is known. 0; 1 when nothing is."""
    tolerate(sys.stdout)
    words: list[str] = args.words
    if not words:
        print(contents())
        return 0
    protocol = words[0].lower() if words[0].lower() in protocols() else ""
    rest = words[1:] if protocol else words
    found = find(protocol, " ".join(rest)) or find(protocol, ".".join(rest))
    ideas = find_concepts(" ".join(words)) or ([] if found else find_concepts(" ".join(rest)))
    where = places(services(args)) if ideas else {}
    pages = [*(concept_page(concept, where) for concept in ideas), *map(page, found)]
    if rest:
        pass
    elif args.all or not pages:
        pages = [listing(protocol)]
    else:
        pages.append(f"The words of its own:\n{overview(protocol)}\n  `sandbox explain {protocol} --all` lists them.")
    if pages:
        print("\n\n".join(pages))
        return 0
    print(unknown(protocol, " ".join(rest)), file=sys.stderr)
    return 1


def services(args: argparse.Namespace) -> Mapping[str, Address]:
    """Where the services of the sandbox are that runs on the data folder; none where there is none."""
    running = read_running(options.data_folder(options.configure(args)))
    return {name: Address(each.host, each.port) for name, each in running.services.items()} if running else {}


def contents() -> str:
    """All that can be asked for."""
    topics = [fill(", ".join(concept.title for concept in group), first=f"  {topic}: ")
              for topic, group in groupby(concepts(), key=lambda concept: concept.topic)]
    return "\n".join(["Ideas:", *topics, "", "Protocols, each with words of its own:", *map(overview, protocols()),
                      "", "Try: sandbox explain port, sandbox explain NXDOMAIN, or sandbox explain http --all."])


def overview(protocol: str) -> str:
    kinds = [f"{len(list(group))} {kind}" for kind, group in groupby(entries(protocol), key=lambda entry: entry.kind)]
    return fill(f"{protocol}: {', '.join(kinds)}", "    ", "  ")


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


def concept_page(concept: Concept, where: Mapping[str, str]) -> str:
    """All that is said of one idea. where: what stands for the places in its commands."""
    # A command stays on one line, however long, so that it can be copied.
    parts = [f"{concept.title}  ({concept.topic})\n{fill(concept.text)}", *(
        f"    {filled(trial.command, where)}\n{fill(trial.see, '      ')}" for trial in concept.trials)]
    if concept.filter:
        parts.append(f"  What you have of it already:\n    sandbox log '{concept.filter}'")
    last = [fill(f"Also called {', '.join(concept.also)}.")] if concept.also else []
    return "\n\n".join([*parts, "\n".join([*last, fill(f"Read on: {', '.join(concept.related)}."),
                                           fill(f"Defined in {', '.join(concept.rfc)}.")])])


def page(entry: Entry) -> str:
    """All that is known about one word."""
    name = f" · {entry.name}" if entry.name else ""
    texts = [f"{entry.term}{name}  ({entry.protocol} {entry.kind})"]
    texts += [textwrap.fill(text, width(), initial_indent="  ", subsequent_indent="  ")
              for text in (entry.text, entry.more) if text]
    if ideas := about(entry.protocol, entry.kind, entry.term)[:IDEAS]:
        texts.append(fill(f"Belongs to {', '.join(concept.name for concept in ideas)}."))
    return "\n".join([*texts, f"  Defined in {entry.rfc}."])


def unknown(protocol: str, word: str) -> str:
    """What to say about a word nobody knows."""
    text = f"sandbox explain: nothing is known about {escape(word)}{f' in {protocol}' if protocol else ''}."
    near = [*([] if protocol else suggest_concepts(word, 3)), *suggest(protocol, word)][:5]
    if near:
        text += f" Did you mean {', '.join(near[:-1]) + ' or ' if near[1:] else ''}{near[-1]}?"
    elif protocol and find("", word):
        return f"{text} But: sandbox explain {escape(word)}"
    return f"{text} `sandbox explain{f' {protocol} --all' if protocol else ''}` lists what is."
