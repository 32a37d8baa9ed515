"""What an FTP data connection carries, in its parts: listings (RFC 959, RFC 3659), or a file."""

from __future__ import annotations

import re

from sandbox.protocols.contract.spans import Cutter

__all__ = ["facts_line", "listing"]

UNIX = re.compile(rb"([-bcdlps][-rwxsStT]{9})( +)(\d+)( +)(\S+)( +)(\S+)( +)(\d+)"
                  rb"( +)(\w{3} +\d+ +[\d:]+)( )([^\r\n]*)")
COLUMNS = ("permissions", "", "links", "", "owner", "", "group", "", "size", "", "date", "", "name")
FACTS = re.compile(rb"((?:[A-Za-z0-9.-]+=[^;\r\n]*;)+) ([^\r\n]*)")


def listing(cutter: Cutter, verb: str) -> None:
    """Line after line, as LIST, MLSD or NLST write them; else octets of a file."""
    while cutter.left:
        end = cutter.line()
        if verb == "NLST":
            cutter.to(end, "name", "part.file-name")
        elif found := UNIX.match(cutter.octets, cutter.position, end):
            for number, column in enumerate(COLUMNS, 1):
                key = f"part.file-{column}" if column else "lines:part.space"
                cutter.to(found.end(number), column or "space", key)
        elif not facts_line(cutter, end):
            cutter.to(end, "line", "part.text")
        cutter.to(end, "text", "part.text")
        cutter.line_end()


def facts_line(cutter: Cutter, end: int) -> bool:
    """The facts of one file, and its name (RFC 3659 §7.2)."""
    found = FACTS.match(cutter.octets, cutter.position, end)
    if found is None:
        return False
    while cutter.position < found.end(1):
        stop = cutter.octets.index(b";", cutter.position)
        with cutter.within(stop, "fact", "part.file-fact") as fact:
            fact.until(b"=", "fact name", "part.file-fact")
            fact.take(1, "equals sign", "lines:part.separator")
            fact.to(stop, "fact value", "part.file-fact")
        cutter.take(1, "semicolon", "lines:part.separator")
    cutter.skip(b" ")
    cutter.to(end, "name", "part.file-name")
    return True
