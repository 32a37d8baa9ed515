"""FTP in its parts (RFC 959): commands, replies, and what a data connection carries."""

from __future__ import annotations

import re

from sandbox.protocols.contract.spans import About, Cutter, Span
from sandbox.protocols.ftp.data import facts_line, listing
from sandbox.protocols.lines.dissect import codes, commands

__all__ = ["PARTS", "dissect"]

PARTS = frozenset({
    "address", "argument", "data", "file-date", "file-fact", "file-group", "file-links", "file-name", "file-owner",
    "file-permissions", "file-size", "line-end", "more-to-come", "octets", "password", "port", "space", "text",
})
"""Every part that has an entry of its own in the knowledge."""

LISTINGS = frozenset({"LIST", "NLST", "MLSD"})
ADDRESSED = re.compile(rb"(\d{1,3},\d{1,3},\d{1,3},\d{1,3}),(\d{1,3}),(\d{1,3})(?=\s|\Z)")
EXTENDED_ADDRESS = re.compile(rb"([!-~])([12])\1([0-9A-Fa-f.:]+)\1(\d{1,5})\1")
QUOTED = re.compile(rb'"(?:[^"\r\n]|"")*"')
PASSIVE = re.compile(rb"\((\d+,\d+,\d+,\d+),(\d+),(\d+)\)")
EXTENDED = re.compile(rb"\(\|\|\|(\d+)\|\)")


def dissect(octets: bytes, about: About) -> tuple[Span, ...]:
    cutter = Cutter(octets)
    if about.service.endswith("-data"):
        if about.verb in LISTINGS and not about.client:
            listing(cutter, about.verb)
        cutter.to(cutter.end, "data", "part.data")
    elif about.client:
        commands(cutter, argument)
    else:
        codes(cutter, "reply", port)
    return cutter.done()


def argument(line: Cutter, end: int, verb: str) -> None:
    """The address and port of PORT and EPRT (RFC 959 §4.1.2, RFC 2428 §2); the password of PASS."""
    if verb == "PORT" and (found := ADDRESSED.match(line.octets, line.position, end)):
        split(line, found)
    elif verb == "EPRT" and (found := EXTENDED_ADDRESS.match(line.octets, line.position, end)):
        line.take(1, "separator", "lines:part.separator")
        line.take(len(found[2]), "address family", "part.text", "IPv4" if found[2] == b"1" else "IPv6")
        line.take(1, "separator", "lines:part.separator")
        line.take(len(found[3]), "address", "part.address")
        line.take(1, "separator", "lines:part.separator")
        line.take(len(found[4]), "port", "part.port")
        line.take(1, "separator", "lines:part.separator")
    elif verb == "PASS":
        line.to(end, "password", "part.password")


def split(line: Cutter, found: re.Match[bytes]) -> None:
    """Six numbers: four of the address, two of the port."""
    line.take(len(found[1]), "address", "part.address", found[1].decode().replace(",", "."))
    line.take(1, "comma", "lines:part.separator")
    number = (int(found[2]) % 256) * 256 + int(found[3]) % 256
    line.to(found.end(3), "port", "part.port", f"{int(found[2])} x 256 + {int(found[3])} = {number}")


def port(line: Cutter, end: int) -> None:
    """The address and port of the data connection in a 227 or 229."""
    if found := PASSIVE.search(line.octets, line.position, end):
        line.to(found.start(1), "text", "part.text")
        split(line, found)
    elif found := EXTENDED.search(line.octets, line.position, end):
        line.to(found.start(1), "text", "part.text")
        line.take(len(found[1]), "port", "part.port", found[1].decode())
    elif not facts_line(line, end) and (found := QUOTED.match(line.octets, line.position, end)):
        line.to(found.end(), "path", "part.file-name")
