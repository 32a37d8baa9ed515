"""SEARCH and UID SEARCH (RFC 9051 §6.4.4; charset of RFC 3501; MODSEQ of RFC 7162; $ of RFC 5182), and how long
results are kept up to date (RFC 5267)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import trio

from sandbox.message.charsets import charset_known
from sandbox.protocols.imap.contexts import MOST as MOST_CONTEXTS
from sandbox.protocols.imap.contexts import Context, Question, fixed
from sandbox.protocols.imap.grammar.cursor import Cursor
from sandbox.protocols.imap.grammar.searching import Key, Returns, expect_keys, expect_return
from sandbox.protocols.imap.grammar.writing import string
from sandbox.protocols.imap.matching import Found, Matcher
from sandbox.protocols.imap.replies import CommandRefused, Tagged, no, ok
from sandbox.protocols.imap.results import given, highest, write_extended, write_listed
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.table import State, command

__all__ = ["Results", "answer", "find"]


class Asked(NamedTuple):
    """returns: the options of RETURN, None for the old form; charset: b"" for none."""

    returns: Returns | None
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
        if returns is not None and "SAVE" in returns.words:
            view.saved = []  # RFC 5182 §2.1
        raise
    if returns is None and "IMAP4rev2" in session.enabled:
        returns = Returns(frozenset({"ALL"}))
    question = Question(asked.key, asked.charset, (), uid)
    return await answer(session, "SEARCH", Results(found, with_modseq), returns, question)


class Results(NamedTuple):
    """Messages in the order of the answer. with_modseq: whether a mod-sequence is told, since it was asked for."""

    found: Sequence[Found]
    with_modseq: bool


async def answer(session: Imap, name: str, results: Results, returns: Returns | None, question: Question) -> Tagged:
    """Tell what was found, in the old form or by the parts that are asked for; save it, keep it up to date."""
    found, uid = results.found, question.uid
    numbers = [each.item.uid if uid else each.number for each in found]
    if returns is None:
        await session.send(write_listed(name, numbers, highest(found) if results.with_modseq else 0))
        return ok(f"{len(numbers)} found")
    if "SAVE" in returns.words:
        session.selected.saved = sorted({each.item.uid for each in given(returns, found)})
    if returns.words != {"SAVE"}:
        modseq = highest(given(returns, found)) if results.with_modseq else 0
        await session.send(write_extended(session.tag, returns, numbers, modseq, uid=uid))
    if "UPDATE" in returns.words:
        keep_context(session, question, found)
    return ok(f"{len(numbers)} found")


def keep_context(session: Imap, question: Question, found: Sequence[Found]) -> None:
    contexts = session.contexts
    if not fixed(question.key) or len(contexts) >= MOST_CONTEXTS:
        session.untagged(b"NO [NOUPDATE " + string(session.tag.encode()) + b"] This result is not kept up to date")
    else:
        contexts[session.tag] = Context(session.tag, question, found)


def context_tags(cursor: Cursor) -> tuple[list[str]]:
    tags: list[str] = []
    while not tags or not cursor.ended:
        cursor.expect_space()
        tags.append(cursor.expect_text())
    return (tags,)


@command("CANCELUPDATE", states=State.SELECTED, rfc="5267 §4.3.5", reads=context_tags)
async def cancel_update(session: Imap, tags: list[str]) -> Tagged:
    """Stop keeping results up to date."""
    contexts = session.contexts
    unknown = [tag for tag in tags if tag not in contexts]
    if unknown:
        return no(f"No result of {unknown[0]} is kept up to date")
    for tag in set(tags):
        del contexts[tag]
    return ok("No more news of it")


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
