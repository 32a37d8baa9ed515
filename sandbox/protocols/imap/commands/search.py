"""SEARCH and UID SEARCH (RFC 9051 §6.4.4; charset of RFC 3501; MODSEQ of RFC 7162; $ of RFC 5182)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import trio

from sandbox.message.charsets import charset_known
from sandbox.protocols.imap.grammar.cursor import Cursor
from sandbox.protocols.imap.grammar.searching import Key, expect_keys, expect_return
from sandbox.protocols.imap.grammar.sets import compress
from sandbox.protocols.imap.grammar.writing import string
from sandbox.protocols.imap.matching import Found, Matcher
from sandbox.protocols.imap.replies import CommandRefused, Tagged, no, ok
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.table import State, command

__all__ = ["find", "highest", "listed"]


class Asked(NamedTuple):
    """returns: the options of RETURN, None for the old form; charset: b"" for none."""

    returns: tuple[str, ...] | None
    charset: bytes
    key: Key


def search_arguments(cursor: Cursor) -> tuple[Asked]:
    returns, charset = None, b""
    cursor.expect_space()
    if cursor.try_word("RETURN"):
        cursor.expect_space()
        returns = expect_return(cursor)
        cursor.expect_space()
    if cursor.try_word("CHARSET"):
        cursor.expect_space()
        charset = cursor.expect_astring()
        cursor.expect_space()
    return (Asked(returns, charset, expect_keys(cursor)),)


@command("SEARCH", states=State.SELECTED, rfc="9051 §6.4.4", reads=search_arguments, expunges=False,
         uid_rfc="9051 §6.4.9")
async def search(session: Imap, asked: Asked, *, uid: bool) -> Tagged:
    """Find messages."""
    view, returns = session.selected, asked.returns
    try:
        found, with_modseq = await find(session, asked.key, asked.charset)
    except CommandRefused:
        if returns is not None and "SAVE" in returns:
            view.saved = []  # RFC 5182 §2.1
        raise
    numbers = [each.item.uid if uid else each.number for each in found]
    if returns is None and "IMAP4rev2" in session.enabled:
        returns = ("ALL",)
    if returns is None:
        await session.send(listed("SEARCH", numbers, highest(found) if with_modseq else 0))
        return ok(f"{len(numbers)} found")
    if "SAVE" in returns:
        view.saved = sorted({each.item.uid for each in given(returns, found)})
    if returns != ("SAVE",):
        modseq = highest(given(returns, found)) if with_modseq else 0
        await session.send(extended(session.tag, returns, numbers, modseq, uid=uid))
    return ok(f"{len(numbers)} found")


def given(returns: tuple[str, ...], found: list[Found]) -> list[Found]:
    """The messages that an answer is about, which `$` stands for too, and whose highest mod-sequence is told: all, or
    the first and the last if nothing else was asked (RFC 5182 §2.4, RFC 4731 §3.2)."""
    if not {"ALL", "COUNT"} & set(returns) and {"MIN", "MAX"} & set(returns):
        return [*(found[:1] if "MIN" in returns else []), *(found[-1:] if "MAX" in returns else [])]
    return found


def highest(found: Sequence[Found]) -> int:
    """The highest mod-sequence; 0 for none."""
    return max((each.item.modseq for each in found), default=0)


def extended(tag: str, returns: tuple[str, ...], numbers: Sequence[int], modseq: int, *, uid: bool) -> bytes:
    """The ESEARCH response (RFC 4731 §3.1)."""
    words = [b"* ESEARCH (TAG " + string(tag.encode()) + b")"]
    if uid:
        words.append(b"UID")
    if numbers:
        if "MIN" in returns:
            words.append(b"MIN %d" % numbers[0])
        if "MAX" in returns:
            words.append(b"MAX %d" % numbers[-1])
        if "ALL" in returns:
            words.append(b"ALL " + compress(numbers))
    if "COUNT" in returns:
        words.append(b"COUNT %d" % len(numbers))
    if modseq and numbers:
        words.append(b"MODSEQ %d" % modseq)
    return b" ".join(words) + b"\r\n"


def listed(name: str, numbers: Sequence[int], modseq: int) -> bytes:
    """The response of SEARCH in its old form, and of SORT (RFC 7162 §3.1.5, §3.1.7)."""
    tail = f" (MODSEQ {modseq})" if modseq and numbers else ""
    return f"* {' '.join([name, *map(str, numbers)])}{tail}\r\n".encode()


async def find(session: Imap, key: Key, charset: bytes) -> tuple[list[Found], bool]:
    """The messages that match, in order, and whether the search was about mod-sequences, so that one is told.

    charset: what the key's texts are in, b"" for UTF-8. Raises CommandRefused.
    """
    if charset and not charset_known(charset):
        raise CommandRefused(no("That charset is not known here", "BADCHARSET (US-ASCII UTF-8)"))
    matcher = Matcher(session.mailboxes.library, session.selected, key, charset)
    if matcher.uses_modseq:
        session.enabled |= {"CONDSTORE"}
    found = await trio.to_thread.run_sync(matcher.find, abandon_on_cancel=True)
    return found, matcher.uses_modseq
