"""JA3 and JA4: short names for the way a client says hello, alike for every copy of the same program.

A ClientHello is written by the program's TLS library, not by its user: whatever a program calls itself, its lists
of suites and extensions tell which library (and often which version) it was built with. GREASE values are left
out of both, because they differ from one connection to the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sandbox.net.layers.tls.hello import ClientHello
from sandbox.net.layers.tls.names import is_grease

__all__ = ["ja3", "ja3_text", "ja4"]

JA4_VERSIONS = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0002: "s2"}
EMPTY = "000000000000"


def ja3_text(hello: ClientHello) -> str:
    """Version, suites, extensions, groups, point formats: decimal numbers in the client's own order."""
    lists: list[Iterable[int]] = [hello.suites, (one.type for one in hello.extensions), hello.groups,
                                  hello.point_formats]
    parts = ["-".join(str(number) for number in numbers if not is_grease(number)) for numbers in lists]
    return ",".join([str(hello.version), *parts])


def ja3(hello: ClientHello) -> str:
    """MD5 of the JA3 text. A browser that shuffles its extensions has another one each time."""
    return hashlib.md5(ja3_text(hello).encode(), usedforsecurity=False).hexdigest()


def ja4(hello: ClientHello) -> str:
    """Like `t13d1516h2_8daaf6152771_d8a2da3f94cd`: a readable part, then hashes of the sorted suites and of the
    sorted extensions with the signature schemes, so that shuffling changes nothing."""
    suites = [number for number in hello.suites if not is_grease(number)]
    extensions = [one.type for one in hello.extensions if not is_grease(one.type)]
    schemes = [number for number in hello.schemes if not is_grease(number)]
    versions = [number for number in hello.versions if not is_grease(number)]
    version = JA4_VERSIONS.get(max(versions, default=hello.version), "00")
    named = "d" if 0 in extensions else "i"
    readable = f"t{version}{named}{min(len(suites), 99):02}{min(len(extensions), 99):02}{_alpn(hello.alpn)}"
    hashed = _hex(sorted(number for number in extensions if number not in (0, 16)))  # the site, not the program
    if schemes:
        hashed += "_" + _hex(schemes)
    return f"{readable}_{_digest(_hex(sorted(suites)))}_{_digest(hashed if extensions else '')}"


def _alpn(offered: tuple[bytes, ...]) -> str:
    """First and last character of the first protocol; of its hexadecimal form where they are no letters or digits."""
    if not offered or not offered[0]:
        return "00"
    first, last = offered[0][:1], offered[0][-1:]
    if first.isalnum() and last.isalnum():
        return (first + last).decode()
    text = offered[0].hex()
    return text[0] + text[-1]


def _hex(numbers: Iterable[int]) -> str:
    return ",".join(f"{number:04x}" for number in numbers)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else EMPTY
