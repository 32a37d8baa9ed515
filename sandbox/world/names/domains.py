"""The domains of the world, as its file gives them. What DNS says about them is worked out in `zones`."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["DEFAULT_HOSTS", "Domain", "bad_name", "normal"]

DEFAULT_HOSTS = ("www", "mail", "ftp", "api", "ns1")
"""The hosts of a domain whose entry names none."""

LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)


class Domain(NamedTuple):
    """One domain. name: in small letters without the final dot; hosts: names within it ("www", "a.b", "*").

    records: more records in master-file form (RFC 1035 §5), relative to the domain; source, line: where they
    stand (the file, and the line before their first one), so that a fault in them can be placed.
    """

    name: str
    hosts: tuple[str, ...] = DEFAULT_HOSTS
    records: str = ""
    source: str = ""
    line: int = 0


def normal(name: str) -> str:
    """A host's name as the world keeps it: small letters, no final dot, international names in their ASCII form."""
    name = name.strip().rstrip(".").lower()
    if not name.isascii():
        try:
            return name.encode("idna").decode("ascii")
        except UnicodeError:
            return name  # `bad_name` will say so
    return name


def bad_name(name: str, wildcard: bool = False) -> str:
    """What a normal name has to be, if this one is not that; else "". wildcard: whether the first label may be *."""
    labels = name.split(".")
    if wildcard and labels[0] == "*":
        labels = labels[1:] or ["x"]
    if len(name) <= 253 and all(LABEL.fullmatch(label) for label in labels):
        return ""
    return "a host name: labels of letters, digits and hyphens, joined by dots (RFC 1123 §2.1)"
