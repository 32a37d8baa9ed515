"""What else is to be said of an exchange: a few words in its line, and all of it below, for whoever asks."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.console.escape import escape
from sandbox.journal.records import Exchange

__all__ = ["details", "remark"]

INDENT = "    "
LONGEST = 200
"""Characters of somebody else's words in a line."""
HINT = "--traceback shows all"


def remark(exchange: Exchange) -> str:
    """For the line: a warning, what struck it on purpose, that an application was loaded anew, and the last it said
    or failed with. Escaped."""
    facts = exchange.facts
    said = [f"({warning})" if (warning := facts.get("warning")) else ""]
    if fault := facts.get("fault"):
        said.append(f"(struck on purpose, {fault if len(fault) <= LONGEST else fault[:LONGEST - 1] + '…'})")
    if reloaded := facts.get("reloaded"):
        said.append(f"({reloaded} changed: loaded anew)")
    if failure := last_line(facts.get("traceback", "")):
        said.append(f"({failure}; {HINT})")
    elif errors := last_line(facts.get("errors", "")):
        said.append(f"(it says: {errors})")
    return escape(" ".join(filter(None, said)))


def details(exchange: Exchange) -> Iterator[str]:
    """The lines that the application wrote to wsgi.errors, and the traceback. Escaped, without line ends."""
    for name, title in (("errors", "wsgi.errors:"), ("traceback", "")):
        if text := exchange.facts.get(name):
            if title:
                yield INDENT + title
            yield from (INDENT + escape(line) for line in text.splitlines())


def last_line(text: str) -> str:
    found = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
    return found if len(found) <= LONGEST else found[:LONGEST - 1] + "…"
