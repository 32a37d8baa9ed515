"""STORE and UID STORE: the flags of messages (RFC 9051 §6.4.6, RFC 7162 §3.1.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import trio

from sandbox.protocols.imap.commands.copying import READ_ONLY, chosen_uids
from sandbox.protocols.imap.grammar.cursor import NUMBER_MAX, Cursor, GrammarError
from sandbox.protocols.imap.grammar.fetching import Attribute
from sandbox.protocols.imap.grammar.sets import NumberSet, compress, expect_set
from sandbox.protocols.imap.render import Renderer
from sandbox.protocols.imap.replies import FLAGS, REMOVED, Tagged, no, ok
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.table import State, command
from sandbox.protocols.imap.updates import BATCH, send_items, send_keywords
from sandbox.protocols.imap.view import View
from sandbox.protocols.threads import settled
from sandbox.world.mail import Flagged

__all__ = ["proper_flags"]

MOST = 100
"""Flags of one message, and new ones in one command."""

SYSTEM = {flag.lower(): flag for flag in FLAGS}


class Storing(NamedTuple):
    """What STORE asks for. how: "+", "-" or "" for exactly these; since: UNCHANGEDSINCE, None without."""

    numbers: NumberSet
    how: str
    silent: bool
    flags: list[str]
    since: int | None


def store_arguments(cursor: Cursor) -> tuple[Storing]:
    cursor.expect_space()
    numbers = expect_set(cursor)
    cursor.expect_space()
    since = None
    if cursor.try_take(b"("):
        if cursor.try_word("UNCHANGEDSINCE") is None:
            raise GrammarError(f"UNCHANGEDSINCE was expected at {cursor.near()}")
        cursor.expect_space()
        since = cursor.expect_number(most=NUMBER_MAX)
        cursor.expect_take(b")")
        cursor.expect_space()
    how = "+" if cursor.try_take(b"+") else "-" if cursor.try_take(b"-") else ""
    word = cursor.try_word("FLAGS", "FLAGS.SILENT")
    if word is None:
        raise GrammarError(f"FLAGS was expected at {cursor.near()}")
    cursor.expect_space()
    if cursor.peek() == b"(":
        flags = cursor.expect_list(cursor.expect_flag, empty=True)
    else:
        flags = [cursor.expect_flag()]
        while cursor.try_take(b" "):
            flags.append(cursor.expect_flag())
    return (Storing(numbers, how, word == "FLAGS.SILENT", flags, since),)


def proper_flags(flags: Iterable[str], known: frozenset[str]) -> list[str]:
    """As they are kept: system flags and known keywords in their usual spelling. Raises GrammarError."""
    usual = SYSTEM | {flag.lower(): flag for flag in known}
    found = []
    for flag in flags:
        if flag.startswith("\\") and flag.lower() not in SYSTEM:
            if flag.lower() == "\\recent":
                raise GrammarError("\\Recent is the server's to set")
            raise GrammarError(f"There is no system flag {flag}; a keyword has no backslash")
        found.append(usual.setdefault(flag.lower(), flag))
    return list(dict.fromkeys(found))


def changer(how: str, flags: frozenset[str]) -> Callable[[frozenset[str]], Iterable[str]]:
    if how == "+":
        return lambda before: sorted(before | flags)[:MOST]
    if how == "-":
        return lambda before: before - flags
    return lambda before: flags


@command("STORE", states=State.SELECTED, rfc="9051 §6.4.6", reads=store_arguments, expunges=False,
         uid_rfc="9051 §6.4.9")
async def store(session: Imap, asked: Storing, *, uid: bool) -> Tagged:
    """Change the flags of messages."""
    view = session.selected
    if view.read_only:
        return no(READ_ONLY, "READ-ONLY")
    flags = proper_flags(asked.flags, view.keywords)
    if len(flags) > MOST:
        return no(f"A message may have {MOST} flags", "LIMIT")
    if asked.since is not None:
        session.enabled |= {"CONDSTORE"}
    uids = chosen_uids(session, asked.numbers, uid=uid)
    done = await settled(session.store.set_flags(view.folder, uids, changer(asked.how, frozenset(flags)),
                                                 asked.since))
    if done.modseq:
        view.own.add(done.modseq)
    if done.items is not None:
        session.note_messages(item.content for item in done.items)
    await answer(session, view, uids, done, silent=asked.silent, uid=uid)
    if done.late:
        late = done.late if uid else [view.number(each) for each in done.late]
        return ok("Some were changed by others", f"MODIFIED {compress(late).decode()}")
    if done.there < len(uids) and not uid:
        return ok(REMOVED, "EXPUNGEISSUED")
    return ok(f"{len(done.changed)} changed")


async def answer(session: Imap, view: View, uids: list[int], done: Flagged, *, silent: bool, uid: bool) -> None:
    """The FETCH responses.

    Without .SILENT one for each message that was named, changed or not; with it only the mod-sequences of changed
    ones, if the client wants those (RFC 7162 §3.1.3).
    """
    names = ["UID"] if uid or session.enabled & {"QRESYNC", "IMAP4rev2"} else []
    names += [] if silent else ["FLAGS"]
    names += ["MODSEQ"] if session.condstore else []
    told = done.changed if silent and session.condstore else [] if silent else uids
    renderer = Renderer(session.mailboxes.library, map(Attribute, names), view)
    late = set(done.late)
    known = None if done.items is None else {item.uid: item for item in done.items}
    for start in range(0, len(told), BATCH):
        batch = told[start:start + BATCH]
        if known is None:
            items = await trio.to_thread.run_sync(session.store.items_of, view.folder, batch)
        else:       # what the change itself has seen saves looking again
            items = [known[each] for each in batch if each in known]
        fresh = {flag for text in {item.flags for item in items} for flag in text.split()} - view.keywords
        if fresh and not silent:
            view.keywords |= fresh
            send_keywords(session, view)
        await send_items(session, renderer, [item for item in items if item.uid not in late])


