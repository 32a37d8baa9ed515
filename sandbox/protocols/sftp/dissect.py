"""The readable start of SSH in its parts (RFC 4253): versions, what algorithms each side offers, the key exchange.

From NEWKEYS on everything is encrypted, and named as that.
"""

from __future__ import annotations

from sandbox.protocols.contract.spans import About, Cutter, Span

__all__ = ["LISTS", "MESSAGES", "PARTS", "dissect"]

PARTS = frozenset({
    "boolean", "cookie", "encrypted", "key-exchange", "line-end", "octets", "packet-length",
    "padding", "padding-length", "reserved", "software", "string-length", "text", "version",
})
"""Every part that has an entry of its own in the knowledge."""

MESSAGES = {1: "DISCONNECT", 2: "IGNORE", 4: "DEBUG", 20: "KEXINIT", 21: "NEWKEYS", 30: "KEX_INIT", 31: "KEX_REPLY",
            32: "KEX_GEX_INIT", 33: "KEX_GEX_REPLY", 34: "KEX_GEX_REQUEST"}
LISTS = ("kex", "host-key", "encryption-client", "encryption-server", "mac-client", "mac-server",
         "compression-client", "compression-server", "languages-client", "languages-server")
"""The lists of a KEXINIT in their order (RFC 4253 §7.1)."""
LARGEST = 262_144
NEWKEYS = 21


def dissect(octets: bytes, about: About) -> tuple[Span, ...]:
    cutter = Cutter(octets)
    if about.start or about.verb not in ("", "handshake", "disconnect", "login"):
        cutter.to(cutter.end, "encrypted octets", "part.encrypted")
        return cutter.done()
    versions(cutter)
    while cutter.left >= 6:
        size = int.from_bytes(cutter.peek(4), "big")
        if not 2 <= size <= LARGEST or cutter.peek(5)[4] >= size:
            break
        if packet(cutter, size) == NEWKEYS:
            break
    cutter.to(cutter.end, "encrypted octets", "part.encrypted")
    return cutter.done()


def versions(cutter: Cutter) -> None:
    """Lines up to the one with the version (RFC 4253 §4.2)."""
    while cutter.left and (stop := cutter.find(b"\n")) >= 0 and stop - cutter.position < 256:
        end = cutter.line()
        if not cutter.octets.startswith(b"SSH-", cutter.position):
            if not cutter.octets[cutter.position:end].isascii():
                return
            cutter.to(end, "text", "part.text")
            cutter.line_end()
            continue
        with cutter.within(stop + 1, "version line", "part.version") as line:
            dash = line.octets.find(b"-", line.position + 4, end)
            line.to(end if dash < 0 else dash, "protocol version", "part.version")
            line.to(end, "software", "part.software", line.octets[line.position + 1:end].decode("ascii", "replace"))
            line.line_end()
        return


def packet(cutter: Cutter, size: int) -> int:
    """One packet in clear (RFC 4253 §6). The number of its message."""
    kind = cutter.peek(6)[5]
    word = MESSAGES.get(kind, "other")
    padding = cutter.peek(5)[4]
    with cutter.within(cutter.position + 4 + size, f"{word} packet", f"message.{word}") as inner:
        inner.take(4, "packet length", "part.packet-length", f"{size} octets")
        inner.take(1, "padding length", "part.padding-length", f"{padding} octets")
        end = min(inner.end, inner.position + size - 1 - padding)
        inner.take(1, "message", f"message.{word}", word)
        if word == "KEXINIT":
            offer(inner)
        else:
            while inner.position + 4 <= end:
                string(inner, end, "key exchange", "part.key-exchange")
        inner.to(end, "key exchange", "part.key-exchange")
        inner.to(inner.end, "padding", "part.padding")
    return kind


def offer(inner: Cutter) -> None:
    """RFC 4253 §7.1."""
    inner.take(16, "cookie", "part.cookie")
    for name in LISTS:
        string(inner, inner.end, name.replace("-", " "), f"algorithms.{name}")
    inner.take(1, "first packet follows", "part.boolean", "yes" if inner.peek(1) == b"\1" else "no")
    inner.take(4, "reserved", "part.reserved")


def string(inner: Cutter, end: int, name: str, key: str) -> None:
    """A length, and so many octets (RFC 4251 §5)."""
    size = int.from_bytes(inner.peek(4), "big")
    inner.take(4, "length", "part.string-length", f"{size} octets")
    inner.to(min(inner.position + size, end), name, key)
