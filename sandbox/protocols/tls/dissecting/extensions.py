"""The extensions of a hello in their parts (RFC 8446 §4.2, RFC 6066, RFC 7301, RFC 8422)."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.net.layers.tls import names
from sandbox.protocols.contract.spans import Cutter

__all__ = ["extensions", "number"]

FORMATS = {0: "uncompressed", 1: "ansiX962_compressed_prime", 2: "ansiX962_compressed_char2"}
PSK_MODES = {0: "psk_ke", 1: "psk_dhe_ke"}
STATUS = {1: "ocsp"}


def number(inner: Cutter, size: int, name: str, kind: str, words: Callable[[int], str]) -> str:
    """A number that stands for something. kind: of its entry in the knowledge. Its word."""
    written = inner.peek(size)
    word = words(int.from_bytes(written, "big"))
    inner.take(size, name, f"{kind}.{word}", word)
    return word


def extensions(inner: Cutter, *, client: bool) -> None:
    """All extensions of a hello, each with what it says."""
    if inner.left < 2:
        return
    size = int.from_bytes(inner.peek(2), "big")
    inner.take(2, "extensions length", "part.list-length", f"{size} octets")
    with inner.within(inner.position + size, "extensions", "part.extensions") as all_:
        while all_.left >= 4:
            kind, length = int.from_bytes(all_.peek(2), "big"), int.from_bytes(all_.peek(4)[2:], "big")
            name = names.extension(kind)
            with all_.within(all_.position + 4 + length, name, f"extension.{name}") as one:
                one.take(2, "extension type", f"extension.{name}", name)
                one.take(2, "extension length", "part.extension-length", f"{length} octets")
                reader = (ASKED if client else CHOSEN).get(kind)
                if reader is not None:
                    reader(one)
                one.to(one.end, "extension data", "part.extension-data")


def length(one: Cutter, size: int) -> int:
    """A length in front of a list."""
    found = int.from_bytes(one.peek(size), "big")
    one.take(size, "list length", "part.list-length", f"{found} octets")
    return found


def many(prefix: int, size: int, name: str, kind: str, words: Callable[[int], str]) -> Callable[[Cutter], None]:
    """A reader of a list of numbers behind its length."""
    def read(one: Cutter) -> None:
        length(one, prefix)
        while one.left >= size:
            number(one, size, name, kind, words)
    return read


def single(size: int, name: str, kind: str, words: Callable[[int], str]) -> Callable[[Cutter], None]:
    """A reader of one number."""
    def read(one: Cutter) -> None:
        if one.left >= size:
            number(one, size, name, kind, words)
    return read


def listed(words: dict[int, str], name: str, key: str) -> Callable[[Cutter], None]:
    """A reader of a list of octets with a few meanings, which share an entry."""
    def read(one: Cutter) -> None:
        length(one, 1)
        while one.left:
            value = one.peek(1)[0]
            one.take(1, name, key, words.get(value, f"0x{value:02X}"))
    return read


def server_name(one: Cutter) -> None:
    """RFC 6066 §3."""
    if not one.left:
        return  # a server only says that it used the name
    length(one, 2)
    while one.left >= 3:
        one.take(1, "name type", "part.entry", "host name" if one.peek(1) == b"\0" else "unknown")
        size = length(one, 2)
        one.take(size, "host name", "part.host-name", one.peek(size).decode("ascii", "backslashreplace"))


def protocols(one: Cutter) -> None:
    """RFC 7301 §3.1."""
    length(one, 2)
    while one.left:
        size = length(one, 1)
        one.take(size, "protocol", "part.protocol-name", one.peek(size).decode("ascii", "backslashreplace"))


def share(one: Cutter) -> None:
    """A group, and a public key in it (RFC 8446 §4.2.8)."""
    first = len(one.spans)
    word = number(one, 2, "group", "group", names.group)
    if one.left >= 2:
        size = length(one, 2)
        one.take(size, "key share", "part.key-exchange")
    one.nest(first, "key share entry", f"group.{word}", word)


def shares(one: Cutter) -> None:
    length(one, 2)
    while one.left >= 4:
        share(one)


def status_request(one: Cutter) -> None:
    """RFC 6066 §8."""
    if one.left:
        kind = one.peek(1)[0]
        one.take(1, "status type", "part.entry", STATUS.get(kind, str(kind)))


VERSION, GROUP, SCHEME = names.version, names.group, names.scheme
ASKED: dict[int, Callable[[Cutter], None]] = {
    0: server_name, 5: status_request, 10: many(2, 2, "group", "group", GROUP),
    11: listed(FORMATS, "point format", "part.point-format"), 13: many(2, 2, "signature scheme", "scheme", SCHEME),
    50: many(2, 2, "signature scheme", "scheme", SCHEME), 16: protocols,
    43: many(1, 2, "version", "version", VERSION), 45: listed(PSK_MODES, "key exchange mode", "part.psk-mode"),
    51: shares,
}
CHOSEN: dict[int, Callable[[Cutter], None]] = {
    0: server_name, 11: ASKED[11], 16: protocols, 43: single(2, "version", "version", VERSION), 51: share,
}
