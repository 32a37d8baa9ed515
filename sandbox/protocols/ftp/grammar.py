"""What FTP's lines are made of: arguments, addresses, times, Telnet's leftovers. Pure functions."""

from __future__ import annotations

import calendar
import ipaddress
import re
import time

from sandbox.address import Address
from sandbox.protocols.lines.command import BadArgument, Reply

__all__ = [
    "extended_address", "host_port", "host_port_text", "integer", "modification_time", "quoted", "render",
    "time_value", "without_telnet",
]

TELNET_IAC = 0xFF
TELNET_OPTIONS = frozenset({0xFB, 0xFC, 0xFD, 0xFE})
"""WILL, WONT, DO, DONT: one octet follows."""
TELNET_COMMANDS = frozenset(range(0xF0, 0xFB))
"""Interrupt Process, Data Mark and the like."""

TIME = re.compile(r"(\d{14})(?:\.\d{1,9})?", re.ASCII)
NUMBER = re.compile(r"\d{1,18}", re.ASCII)

NOT_SUPPORTED = Reply("522", ("Network protocol not supported, use (1,2)",))


def render(code: str, lines: tuple[str, ...]) -> bytes:
    """A reply as it stands on the wire (RFC 959 §4.2): 'ddd-' opens one of several lines, 'ddd ' is its last."""
    if len(lines) == 1:
        text = f"{code} {lines[0]}\r\n"
    else:
        middle = "".join(f"{'' if line.startswith(' ') else ' '}{line}\r\n" for line in lines[1:-1])
        text = f"{code}-{lines[0]}\r\n{middle}{code} {lines[-1]}\r\n"
    return text.encode("utf-8", "replace")


def without_telnet(line: bytes) -> bytes:
    """A command line without Telnet's own octets (RFC 959 §4.1.3: IP and Synch go before ABOR; RFC 2640 §3.1).

    A Data Mark whose IAC was taken out of the stream as urgent data may stand alone at the beginning. 0xFF doubled
    is an octet of data, and no UTF-8; it stays, and is refused with the rest of what is not text.
    """
    if TELNET_IAC not in line and line[:1] != b"\xf2":
        return line
    found = bytearray()
    index = 1 if line[:1] == b"\xf2" else 0
    while index < len(line):
        octet = line[index]
        following = line[index + 1] if index + 1 < len(line) else -1
        if octet != TELNET_IAC:
            found.append(octet)
            index += 1
        elif following in TELNET_OPTIONS:
            index += 3
        elif following in TELNET_COMMANDS or following < 0:
            index += 2
        else:
            found.append(octet)
            index += 2 if following == TELNET_IAC else 1
    return bytes(found).removeprefix(b"\xf2")


def integer(text: str) -> int:
    """A count of octets. Raises BadArgument."""
    if not NUMBER.fullmatch(text):
        raise BadArgument("That is not a number")
    return int(text)


def host_port(text: str) -> Address:
    """The argument of PORT: six numbers, four of the address and two of the port (RFC 959 §4.1.2)."""
    parts = text.split(",")
    if len(parts) != 6 or not all(re.fullmatch(r"\d{1,3}", part, re.ASCII) and int(part) < 256 for part in parts):
        raise BadArgument("PORT wants h1,h2,h3,h4,p1,p2: six numbers up to 255")
    return Address(".".join(str(int(part)) for part in parts[:4]), int(parts[4]) * 256 + int(parts[5]))


def host_port_text(address: Address) -> str:
    """The same for the reply to PASV."""
    return ",".join((*address.host.split("."), str(address.port >> 8), str(address.port & 255)))


def extended_address(text: str) -> Address:
    """The argument of EPRT: |1|192.0.2.1|5000| or |2|2001:db8::1|5000| (RFC 2428 §2). Any delimiter will do."""
    delimiter = text[:1]
    parts = text.split(delimiter) if delimiter and 33 <= ord(delimiter) <= 126 else []
    if len(parts) != 5 or parts[0] or parts[4]:
        raise BadArgument("EPRT wants |1|IPv4 address|port| or |2|IPv6 address|port|")
    if parts[1] not in ("1", "2"):
        raise BadArgument("no such network protocol", NOT_SUPPORTED)
    try:
        address = ipaddress.ip_address(parts[2])
        right = address.version == (4 if parts[1] == "1" else 6) and "%" not in parts[2]
    except ValueError:
        right = False
    if not right or not re.fullmatch(r"\d{1,5}", parts[3], re.ASCII) or not 0 < int(parts[3]) < 65536:
        raise BadArgument("EPRT wants |1|IPv4 address|port| or |2|IPv6 address|port|")
    return Address(str(address), int(parts[3]))


def time_value(moment: float) -> str:
    """Seconds since the epoch as RFC 3659 §2.3 writes them, in UTC."""
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(moment))


def modification_time(text: str) -> float:
    """The other way round. Raises BadArgument."""
    found = TIME.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        return float(calendar.timegm(time.strptime(found[1], "%Y%m%d%H%M%S")))
    except (ValueError, OverflowError):
        raise BadArgument("A time is YYYYMMDDHHMMSS in UTC") from None


def quoted(path: str) -> str:
    """A path in a 257 reply: in quotes, with a quote in it doubled (RFC 959 Appendix II)."""
    return '"' + path.replace('"', '""') + '"'
