"""FTP in its parts (RFC 959): commands, replies, and what a data connection carries."""

from __future__ import annotations

import re

from sandbox.protocols.contract.spans import About, Cutter, Span
from sandbox.protocols.lines.dissect import codes, commands

__all__ = ["PARTS", "dissect"]

PARTS = frozenset({
    "address", "argument", "data", "line-end", "more-to-come", "octets", "port", "space", "text",
})
"""Every part that has an entry of its own in the knowledge."""

PASSIVE = re.compile(rb"\((\d+,\d+,\d+,\d+),(\d+),(\d+)\)")
EXTENDED = re.compile(rb"\(\|\|\|(\d+)\|\)")


def dissect(octets: bytes, about: About) -> tuple[Span, ...]:
    cutter = Cutter(octets)
    if about.service.endswith("-data"):
        cutter.to(cutter.end, "data", "part.data")
    elif about.client:
        commands(cutter)
    else:
        codes(cutter, "reply", port)
    return cutter.done()


def port(line: Cutter, end: int) -> None:
    """The address and port of the data connection in a 227 or 229."""
    if found := PASSIVE.search(line.octets, line.position, end):
        line.to(found.start(1), "text", "part.text")
        line.take(len(found[1]), "address", "part.address", found[1].decode().replace(",", "."))
        line.take(1, "comma", "part.text")
        number = (int(found[2]) % 256) * 256 + int(found[3]) % 256
        line.to(found.end(3), "port", "part.port", f"{int(found[2])} x 256 + {int(found[3])} = {number}")
    elif found := EXTENDED.search(line.octets, line.position, end):
        line.to(found.start(1), "text", "part.text")
        line.take(len(found[1]), "port", "part.port", found[1].decode())
