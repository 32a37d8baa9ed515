"""Octets as text, in the charset they say they are in, or the one they are in."""

from __future__ import annotations

import codecs
from functools import lru_cache

__all__ = ["charset_known", "decode_charset", "decode_strict"]

ALIASES = {
    "iso-8859-8-i": "iso8859-8", "iso-8859-8-e": "iso8859-8",   # RFC 1556: the order of writing, not other octets
    "iso-8859-6-i": "iso8859-6", "iso-8859-6-e": "iso8859-6",
    "x-sjis": "cp932", "windows-31j": "cp932", "x-ms-cp932": "cp932", "shift-jis": "cp932",
    "x-euc-jp": "euc_jp", "iso-2022-jp-ms": "iso2022_jp_ext", "cp50220": "iso2022_jp_ext",
    "ks_c_5601-1987": "cp949", "ks_c_5601": "cp949", "x-windows-949": "cp949", "windows-949": "cp949",
    "gb2312": "gb18030", "x-gbk": "gb18030", "gbk": "gb18030", "cn-gb": "gb18030", "x-x-big5": "big5hkscs",
    "big5": "big5hkscs", "cn-big5": "big5hkscs",
    "windows-874": "cp874", "x-windows-874": "cp874", "iso-8859-11": "cp874",
    "x-mac-roman": "mac_roman", "macintosh": "mac_roman", "x-mac-cyrillic": "mac_cyrillic",
    "unicode-1-1-utf-7": "utf-7", "x-unicode-2-0-utf-7": "utf-7", "x-utf-8": "utf-8", "utf8mb4": "utf-8",
    "unicode-1-1-utf-8": "utf-8", "x-cp1250": "cp1250", "x-cp1251": "cp1251", "x-cp1252": "cp1252",
}
"""Names that mail uses and Python does not know, or takes for less than they are used for."""

UNWANTED = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"})
"""Python's codecs that are no charsets of mail, or that take more than linear time."""


@lru_cache(maxsize=256)
def find_codec(name: bytes) -> str | None:
    """Python's name of a charset; None for one that is not known."""
    text = name.decode("ascii", "replace").strip(" \t\"'").lower()
    text = text.partition("*")[0]  # RFC 2231 §5: a language after *
    try:
        found = codecs.lookup(ALIASES.get(text, text))
    except (LookupError, ValueError):
        return None
    if not getattr(found, "_is_text_encoding", True) or found.name.replace("_", "-") in UNWANTED:
        return None
    return found.name


def charset_known(name: bytes) -> bool:
    return find_codec(name) is not None


def decode_charset(octets: bytes, charset: bytes) -> str:
    """As text, the octets that are none written as \\xNN; see `decode_strict`."""
    text = decode_strict(octets, charset)
    if text is not None:
        return text
    try:
        return octets.decode(known(charset), "backslashreplace")
    except (UnicodeError, ValueError):
        return octets.decode("ascii", "backslashreplace")


def decode_strict(octets: bytes, charset: bytes) -> str | None:
    """As text, None where some octets are none.

    What says nothing, ASCII, or a charset that nobody knows is read as UTF-8: much mail forgets to say that it is.
    """
    try:
        return octets.decode(known(charset))
    except (UnicodeError, ValueError):
        return None


def known(charset: bytes) -> str:
    codec = find_codec(charset) if charset else None
    return "utf-8" if codec in (None, "ascii") else codec or "utf-8"
