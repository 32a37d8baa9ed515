"""Modified UTF-7, in which mailbox names are written before UTF-8 is agreed on (RFC 3501 §5.1.3)."""

from __future__ import annotations

import binascii
import re
from base64 import b64encode

__all__ = ["decode_utf7", "encode_utf7"]

SHIFTED = re.compile(r"[^\x20-\x7e]+")
CODED = re.compile(rb"&([A-Za-z0-9+,]*)-")


def encode_utf7(name: str) -> bytes:
    def shift(match: re.Match[str]) -> str:
        octets = match[0].encode("utf-16-be", "surrogatepass")
        return "&" + b64encode(octets).decode().rstrip("=").replace("/", ",") + "-"

    return SHIFTED.sub(shift, name.replace("&", "&-")).encode("ascii")


def decode_utf7(name: bytes) -> str:
    """Raises ValueError for what `encode_utf7` would not have written: one name has one spelling."""
    def unshift(match: re.Match[bytes]) -> bytes:
        coded = match[1].replace(b",", b"/")
        if not coded:
            return b"&"
        return binascii.a2b_base64(coded + b"=" * (-len(coded) % 4)).decode("utf-16-be").encode()

    text = CODED.sub(unshift, name).decode("utf-8")
    if encode_utf7(text) != name:
        raise ValueError(name)
    return text
