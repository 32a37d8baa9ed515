"""What structured header fields are made of: white space, comments, quoted strings (RFC 5322 §3.2)."""

from __future__ import annotations

import re

__all__ = ["comment_end", "quoted_end", "skip", "unquote"]

SPACE = re.compile(rb"[ \t\r\n]*")
BRACKET = re.compile(rb"\\.|[()]", re.DOTALL)
QUOTED = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
ESCAPE = re.compile(rb"\\(.)", re.DOTALL)


def skip(value: bytes, at: int) -> int:
    """Where white space and comments end, which may stand between any two words (RFC 5322 §3.2.2, RFC 2045 §5.1)."""
    while True:
        found = SPACE.match(value, at)
        assert found is not None
        at = found.end()
        if not value.startswith(b"(", at):
            return at
        at = comment_end(value, at + 1)


def comment_end(value: bytes, at: int) -> int:
    """Behind the bracket that closes a comment, which may hold others; the end where none does. at: inside it."""
    depth = 1
    for found in BRACKET.finditer(value, at):
        depth += (found[0] == b"(") - (found[0] == b")")
        if not depth:
            return found.end()
    return len(value)


def quoted_end(value: bytes, at: int) -> int:
    """Where the closing quote is, or the end. at: behind the opening one."""
    found = QUOTED.match(value, at)
    assert found is not None
    return found.end()


def unquote(value: bytes) -> bytes:
    """Quoted pairs undone (RFC 5322 §3.2.1)."""
    return ESCAPE.sub(rb"\1", value)
