"""Packed fields in their parts (RFC 7541 §6): each representation with the field it stands for."""

from __future__ import annotations

from hpack.exceptions import HPACKError
from hpack.hpack import decode_integer
from hpack.huffman_table import decode_huffman
from hpack.table import HeaderTable

from sandbox.protocols.contract.spans import Cutter
from sandbox.protocols.lines.values import LONGEST_VALUE, base64_text, shown

__all__ = ["Fields", "Table"]

LARGEST_TABLE = 65_536
"""Octets of a table that a size update may ask for."""

Fields = list[tuple[bytes, bytes]]


class Table:
    """One direction's table of fields, which each packed field may refer to. broken: it is not known any more."""

    def __init__(self, *, known: bool = True) -> None:
        self.table = HeaderTable()
        self.broken = not known

    def read(self, cutter: Cutter) -> Fields:
        """All fields up to the end of the block, each as a span."""
        found: Fields = []
        try:
            while cutter.left and not self.broken:
                self._one(cutter, found)
        except (HPACKError, IndexError, ValueError):
            self.broken = True
        cutter.to(cutter.end, "packed fields", "part.field-block")
        return found

    def _one(self, cutter: Cutter, found: Fields) -> None:
        since = len(cutter.spans)
        octet = cutter.peek(1)[0]
        if octet & 0x80:
            number = integer(cutter, 7, "index", "part.indexed")
            name, value = self.table.get_by_index(number)
            how = "from the table"
        elif octet & 0x40:
            name, value = self._literal(cutter, 6)
            self.table.add(name, value)
            how = "new in the table"
        elif octet & 0x20:
            size = integer(cutter, 5, "table size", "part.table-size")
            if size > LARGEST_TABLE:
                raise ValueError(size)
            self.table.maxsize = size
            return
        else:
            name, value = self._literal(cutter, 4)
            how = "never to be in a table" if octet & 0x10 else "not in the table"
        found.append((name, value))
        text = f"{shown(name)}: {shown(value)}"
        if name in (b"authorization", b"proxy-authorization") and value[:6].lower() == b"basic ":
            text += f" ({base64_text(value[6:].strip())})"
        cutter.nest(since, "field", key_of(name), f"{text[:LONGEST_VALUE]} ({how})")

    def _literal(self, cutter: Cutter, prefix: int) -> tuple[bytes, bytes]:
        number = integer(cutter, prefix, "index of the name", "part.indexed")
        name = self.table.get_by_index(number)[0] if number else string(cutter, "field name")
        return name, string(cutter, "field value")


def integer(cutter: Cutter, prefix: int, name: str, key: str) -> int:
    """RFC 7541 §5.1."""
    number, used = decode_integer(cutter.peek(10), prefix)
    if used > cutter.left:
        raise IndexError
    cutter.take(used, name, key, str(number))
    return number


def string(cutter: Cutter, name: str) -> bytes:
    """RFC 7541 §5.2."""
    packed = cutter.peek(1)[0] & 0x80
    size, used = decode_integer(cutter.peek(10), 7)
    if used + size > cutter.left:
        raise IndexError
    octets = cutter.octets[cutter.position + used:cutter.position + used + size]
    plain = decode_huffman(octets) if packed else octets
    how = f"{size} octets in Huffman code" if packed else f"{size} octets"
    cutter.take(used, f"length of the {name}", "part.literal-string", how)
    cutter.take(size, name, "part.literal-string", shown(plain))
    return plain


def key_of(name: bytes) -> str:
    """A field's entry in the knowledge."""
    text = name.decode("latin-1")
    return f"pseudo.{text[1:]}" if text.startswith(":") else f"header.{text}"
