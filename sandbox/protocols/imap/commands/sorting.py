"""SORT and THREAD with their UID forms (RFC 5256)."""

from __future__ import annotations

from typing import NamedTuple

import trio

from sandbox.protocols.imap.commands.search import find, highest, listed
from sandbox.protocols.imap.grammar.cursor import Cursor, GrammarError
from sandbox.protocols.imap.grammar.searching import Criterion, Key, expect_keys, expect_sort
from sandbox.protocols.imap.replies import Tagged, ok
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.sorting import sort_messages
from sandbox.protocols.imap.table import State, command
from sandbox.protocols.imap.threading import thread_messages, write_threads

ALGORITHMS = ("ORDEREDSUBJECT", "REFERENCES")


class Sorting(NamedTuple):
    criteria: tuple[Criterion, ...]
    charset: bytes
    key: Key


def sort_arguments(cursor: Cursor) -> tuple[Sorting]:
    cursor.expect_space()
    criteria = expect_sort(cursor)
    cursor.expect_space()
    charset = cursor.expect_astring()
    cursor.expect_space()
    return (Sorting(criteria, charset, expect_keys(cursor)),)


@command("SORT", states=State.SELECTED, rfc="5256 §3", reads=sort_arguments, expunges=False, uid_rfc="5256 §3")
async def sort(session: Imap, asked: Sorting, *, uid: bool) -> Tagged:
    """Find messages, and put them in order."""
    found, with_modseq = await find(session, asked.key, asked.charset)
    ordered = await trio.to_thread.run_sync(sort_messages, session.mailboxes.library, found, asked.criteria,
                                            abandon_on_cancel=True)
    numbers = [each.item.uid if uid else each.number for each in ordered]
    await session.send(listed("SORT", numbers, highest(found) if with_modseq else 0))
    return ok(f"{len(numbers)} found")


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
