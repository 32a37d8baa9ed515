"""FETCH and UID FETCH: anything about messages, sent as it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

import trio

from sandbox.protocols.contract.facts import MOST
from sandbox.protocols.imap.grammar.cursor import NUMBER_MAX, Cursor, GrammarError
from sandbox.protocols.imap.grammar.fetching import Attribute, expect_attributes
from sandbox.protocols.imap.grammar.searching import Window, expect_window
from sandbox.protocols.imap.grammar.sets import NumberSet, among, compress, expect_set
from sandbox.protocols.imap.render import Piece, Renderer
from sandbox.protocols.imap.replies import REMOVED, Tagged, bad, no, ok
from sandbox.protocols.imap.results import windowed
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.table import State, command
from sandbox.protocols.imap.updates import BATCH, send_items, send_pieces
from sandbox.protocols.imap.view import View
from sandbox.protocols.threads import settled
from sandbox.world.mail import Item, MailStore


class Modifiers(NamedTuple):
    """What narrows FETCH. since: None without CHANGEDSINCE; window: that of PARTIAL among the messages of the set."""

    since: int | None
    vanished: bool
    window: Window | None


def fetch_arguments(cursor: Cursor) -> tuple[NumberSet, list[Attribute], Modifiers]:
    cursor.expect_space()
    numbers = expect_set(cursor)
    cursor.expect_space()
    attributes = expect_attributes(cursor)
    since, vanished, window = None, False, None
    if cursor.try_take(b" "):  # RFC 7162 §3.1.4.1, §3.2.6
        cursor.expect_take(b"(")
        while True:
            word = cursor.try_word("CHANGEDSINCE", "VANISHED", "PARTIAL")
            if word == "CHANGEDSINCE":
                cursor.expect_space()
                # RFC 7162 §7 begins at 1; phones that know nothing yet say 0, and mean everything.
                since = cursor.expect_number(most=NUMBER_MAX)
            elif word == "PARTIAL":  # RFC 9394 §3.3
                cursor.expect_space()
                window = expect_window(cursor)
            elif word == "VANISHED":
                vanished = True
            else:
                raise GrammarError(f"CHANGEDSINCE or PARTIAL was expected at {cursor.near()}")
            if cursor.try_take(b")"):
                break
            cursor.expect_space()
    return numbers, attributes, Modifiers(since, vanished, window)


@command("FETCH", states=State.SELECTED, rfc="9051 §6.4.5", reads=fetch_arguments, expunges=False,
         uid_rfc="9051 §6.4.9")
async def fetch(session: Imap, numbers: NumberSet, attributes: list[Attribute], modifiers: Modifiers, *,
                uid: bool) -> Tagged:
    """Get messages, or parts of them."""
    since = modifiers.since
    if modifiers.window is not None and not uid:
        return bad("PARTIAL belongs to UID FETCH")
    if modifiers.vanished:
        if not uid:
            return bad("VANISHED belongs to UID FETCH")
        if "QRESYNC" not in session.enabled or since is None:
            return bad("VANISHED needs ENABLE QRESYNC and CHANGEDSINCE")
        await tell_vanished(session, numbers, since)
    if uid:
        attributes = [Attribute("UID"), *attributes]
    view = session.selected
    if since is not None or any(attribute.name == "MODSEQ" for attribute in attributes):
        session.enabled |= {"CONDSTORE"}
    if since is not None:
        attributes = [*attributes, Attribute("MODSEQ")]
    renderer = Renderer(session.mailboxes.library, attributes, view, condstore=session.condstore)
    sees = renderer.plan.sees and not view.read_only
    wanted = found = 0
    named: list[int] = []

    def begin(indexes: list[int]) -> tuple[int, list[Item], list[Piece], int]:
        """In a thread: how many there are, those to tell of, the first responses and where the rest begins."""
        items = look_up(session.store, view, indexes)
        chosen = [item for item in items if since is None or item.modseq > since]
        return len(items), chosen, *(([], 0) if sees or not chosen else renderer.render_some(chosen, 0))

    chosen_indexes: Iterable[int] = chain.from_iterable(view.choose(numbers, uid=uid))
    if modifiers.window is not None:
        chosen_indexes = windowed(modifiers.window, list(chosen_indexes))
    for indexes in batches(chosen_indexes):
        count, items, written, start = await trio.to_thread.run_sync(begin, indexes)
        wanted += len(indexes)
        found += count
        named += [item.content for item in items[:MOST - len(named)]]
        if sees:
            items = await mark_seen(session, view, items, renderer)
        await send_pieces(session, written)
        await send_items(session, renderer, items, start)
    session.note_messages(named)
    if renderer.unknown_encoding:
        return no("A part has a transfer encoding that nobody knows", "UNKNOWN-CTE")
    if not uid and (found < wanted or renderer.lost):
        return ok(REMOVED, "EXPUNGEISSUED")
    return ok(f"{found} fetched")


async def tell_vanished(session: Imap, numbers: NumberSet, since: int) -> None:
    view = session.selected
    wanted = numbers.resolve(0xFFFF_FFFF)
    gone = await trio.to_thread.run_sync(session.store.vanished, view.folder, since)
    gone = among(gone, wanted)
    if gone:
        await session.send(b"* VANISHED (EARLIER) " + compress(gone) + b"\r\n")


def batches(chosen: Iterable[int]) -> Iterator[list[int]]:
    """A bounded number of indexes at a time."""
    indexes = iter(chosen)
    while batch := list(islice(indexes, BATCH)):
        yield batch


def look_up(store: MailStore, view: View, indexes: list[int]) -> list[Item]:
    """Those of a batch of a view's messages that are still there. Blocks."""
    uids = [view.uids[index] for index in indexes]
    if indexes[-1] - indexes[0] >= len(indexes) * 2:
        return store.items_of(view.folder, uids)
    items = store.items_between(view.folder, uids[0], uids[-1])
    if len(items) > len(indexes):
        those = set(uids)
        items = [item for item in items if item.uid in those]
    return items


async def mark_seen(session: Imap, view: View, items: list[Item], renderer: Renderer) -> list[Item]:
    """Set \\Seen where it is not set, as reading does (RFC 9051 §6.4.5); the responses show the new flags."""
    unseen = [item.uid for item in items if "\\Seen" not in item.flags.split()]
    if not unseen:
        return items
    done = await settled(session.store.set_flags(view.folder, unseen, lambda flags: flags | {"\\Seen"}))
    if done.modseq:
        view.own.add(done.modseq)
    changed = set(done.changed)
    renderer.changed |= changed
    return [item._replace(flags=" ".join(sorted({*item.flags.split(), "\\Seen"})), modseq=done.modseq)
            if item.uid in changed else item for item in items]
