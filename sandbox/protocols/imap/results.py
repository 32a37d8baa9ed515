"""What SEARCH and SORT answer: numbers in a row, or the parts that RETURN asks for (RFC 4731, RFC 5267, RFC 9394)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sandbox.protocols.imap.grammar.searching import Returns, Window
from sandbox.protocols.imap.grammar.sets import compress
from sandbox.protocols.imap.grammar.writing import string
from sandbox.protocols.imap.matching import Found

__all__ = ["given", "highest", "windowed", "write_extended", "write_listed"]

T = TypeVar("T")


def windowed(window: Window, results: Sequence[T]) -> Sequence[T]:
    """Those between two places, which are counted from the end where they are negative (RFC 9394 §3.1)."""
    low, high = sorted(map(abs, window))
    if window[0] > 0:
        return results[low - 1:high]
    return results[max(0, len(results) - high):max(0, len(results) - low + 1)]


def given(returns: Returns, found: Sequence[Found]) -> Sequence[Found]:
    """The messages that an answer is about, which `$` stands for too, and whose highest mod-sequence is told: all, or
    the first, the last and those of a window if nothing else was asked (RFC 5182 §2.4, RFC 4731 §3.2, RFC 9394)."""
    words = returns.words
    ends = [*(found[:1] if "MIN" in words else []), *(found[-1:] if "MAX" in words else [])]
    if returns.window is not None:
        return [*windowed(returns.window, found), *ends]
    return found if "ALL" in words or "COUNT" in words or not ends else ends


def highest(found: Sequence[Found]) -> int:
    """The highest mod-sequence; 0 for none."""
    return max((each.item.modseq for each in found), default=0)


def write_extended(tag: str, returns: Returns, numbers: Sequence[int], modseq: int, *, uid: bool) -> bytes:
    """The ESEARCH response (RFC 4731 §3.1), with numbers in their order, which of SORT is not the rising one."""
    words = [b"* ESEARCH (TAG " + string(tag.encode()) + b")"]
    if uid:
        words.append(b"UID")
    if numbers:
        if "MIN" in returns.words:
            words.append(b"MIN %d" % numbers[0])
        if "MAX" in returns.words:
            words.append(b"MAX %d" % numbers[-1])
        if "ALL" in returns.words:
            words.append(b"ALL " + compress(numbers))
    if returns.window is not None:
        shown = compress(windowed(returns.window, numbers)) or b"NIL"
        words.append(b"PARTIAL (%d:%d %b)" % (*returns.window, shown))
    if "COUNT" in returns.words:
        words.append(b"COUNT %d" % len(numbers))
    if modseq and numbers:
        words.append(b"MODSEQ %d" % modseq)
    return b" ".join(words) + b"\r\n"


def write_listed(name: str, numbers: Sequence[int], modseq: int) -> bytes:
    """The response of SEARCH in its old form, and of SORT (RFC 7162 §3.1.5, §3.1.7)."""
    tail = f" (MODSEQ {modseq})" if modseq and numbers else ""
    return f"* {' '.join([name, *map(str, numbers)])}{tail}\r\n".encode()
