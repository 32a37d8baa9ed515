"""SORT and THREAD with their UID forms (RFC 5256); SORT with RETURN (RFC 5267)."""

from __future__ import annotations

from typing import NamedTuple

import trio

from sandbox.protocols.imap.commands.search import Results, answer, find
from sandbox.protocols.imap.contexts import Question
from sandbox.protocols.imap.grammar.cursor import Cursor, GrammarError
from sandbox.protocols.imap.grammar.searching import Criterion, Key, Returns, expect_keys, expect_return, expect_sort
from sandbox.protocols.imap.replies import Tagged, ok
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.sorting import sort_messages
from sandbox.protocols.imap.table import State, command
from sandbox.protocols.imap.threading import thread_messages, write_threads

ALGORITHMS = ("ORDEREDSUBJECT", "REFERENCES")


class Sorting(NamedTuple):
    returns: Returns | None
    criteria: tuple[Criterion, ...]
    charset: bytes
    key: Key


def sort_arguments(cursor: Cursor) -> tuple[Sorting]:
    cursor.expect_space()
    returns = None
    if cursor.try_word("RETURN"):  # RFC 5267 §3.1
        cursor.expect_space()
        returns = expect_return(cursor)
        cursor.expect_space()
    criteria = expect_sort(cursor)
    cursor.expect_space()
    charset = cursor.expect_astring()
    cursor.expect_space()
    return (Sorting(returns, criteria, charset, expect_keys(cursor)),)


@command("SORT", states=State.SELECTED, rfc="5256 §3", reads=sort_arguments, expunges=False, uid_rfc="5256 §3")
async def sort(session: Imap, asked: Sorting, *, uid: bool) -> Tagged:
    """Find messages, and put them in order."""
    found, with_modseq = await find(session, asked.key, asked.charset)
    ordered = await trio.to_thread.run_sync(sort_messages, session.mailboxes.library, found, asked.criteria,
                                            abandon_on_cancel=True)
    question = Question(asked.key, asked.charset, asked.criteria, uid)
    return await answer(session, "SORT", Results(ordered, with_modseq), asked.returns, question)


def thread_arguments(cursor: Cursor) -> tuple[str, bytes, Key]:
    cursor.expect_space()
    algorithm = cursor.try_word(*ALGORITHMS)
    if algorithm is None:
        raise GrammarError(f"{' or '.join(ALGORITHMS)} was expected at {cursor.near()}")
    cursor.expect_space()
    charset = cursor.expect_astring()
    cursor.expect_space()
    return algorithm, charset, expect_keys(cursor)


@command("THREAD", states=State.SELECTED, rfc="5256 §3", reads=thread_arguments, expunges=False, uid_rfc="5256 §3")
async def thread(session: Imap, algorithm: str, charset: bytes, key: Key, *, uid: bool) -> Tagged:
    """Find messages, and tell which answers which."""
    found, _ = await find(session, key, charset)
    threads = await trio.to_thread.run_sync(thread_messages, session.mailboxes.library, found, algorithm,
                                            abandon_on_cancel=True)
    written = write_threads(threads, uid=uid)
    await session.send(b"* THREAD" + (b" " + written if written else b"") + b"\r\n")
    return ok(f"{len(threads)} threads")
