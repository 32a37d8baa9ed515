"""What a session is told of its mailbox's messages: FETCH responses, and what others did."""

from __future__ import annotations

import trio

from sandbox.protocols.contract.conversation import Closed
from sandbox.protocols.imap.grammar.fetching import Attribute
from sandbox.protocols.imap.grammar.sets import compress
from sandbox.protocols.imap.grammar.writing import flag_list
from sandbox.protocols.imap.render import Piece, Renderer, Span
from sandbox.protocols.imap.replies import FLAGS
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.view import View
from sandbox.protocols.threads import Pieces, settled
from sandbox.world.mail import Item

__all__ = ["BATCH", "claim_recent", "send_flags", "send_items", "send_keywords", "send_notices", "send_pieces",
           "send_updates"]

BATCH = 1000
"""Messages looked up at once."""


async def send_updates(session: Imap, *, expunges: bool) -> str:
    """Tell what others did to the selected mailbox; returns it in a few words."""
    view = session.view
    if view is None or not (view.restless or expunges):
        return ""
    news = view.take_news(expunges=expunges)
    words = []
    if news.gone:
        for context in session.contexts.values():
            await session.send(context.remove_gone(news.gone))
        words.append(f"{len(news.gone)} expunged")
        if "QRESYNC" in session.enabled:
            session.untagged(b"VANISHED " + compress(uid for _, uid in news.gone))
        else:
            for number, _ in news.gone:
                session.untagged(f"{number} EXPUNGE")
    if news.added:
        words.append(f"{news.exists} exist")
        await claim_recent(session, view, view.uids[-1] + 1)
        session.untagged(f"{news.exists} EXISTS")
        if "IMAP4rev2" not in session.enabled:
            session.untagged(f"{view.recent_count} RECENT")
        await send_new(session, news.added)
    if news.flagged:
        words.append(f"{len(news.flagged)} changed")
        await send_flags_by_uid(session, news.flagged)
    uids = sorted({*news.added, *news.changed})
    for context in list(session.contexts.values()) if uids else ():
        lines = await trio.to_thread.run_sync(context.look_again, session.mailboxes.library, view, uids)
        await session.send(lines)
    return ", ".join(words)


async def send_new(session: Imap, uids: list[int]) -> None:
    """What the client asked to have of new messages, as if it fetched it, without marking as seen (RFC 5465 §5.2)."""
    view, notifier = session.selected, session.notifier
    if notifier is None or not notifier.attributes:
        return
    renderer = Renderer(session.mailboxes.library, [Attribute("UID"), *notifier.attributes], view)
    for start in range(0, len(uids), BATCH):
        items = await trio.to_thread.run_sync(session.store.items_of, view.folder, uids[start:start + BATCH])
        await send_items(session, renderer, items)


async def send_notices(session: Imap) -> str:
    """Tell of mailboxes that are not open, as far as NOTIFY asks for it; returns it in a few words."""
    notifier = session.notifier
    if notifier is None or not notifier.restless:
        return ""
    opened = session.view.folder if session.view is not None else 0
    lines = await trio.to_thread.run_sync(lambda: notifier.take_lines(
        opened, utf8=session.utf8, modseq=session.condstore))
    for line in lines:
        await session.send(line)
    return f"{len(lines)} about other mailboxes" if lines else ""


async def claim_recent(session: Imap, view: View, uid: int) -> None:
    """Find out which of the messages below `uid` are \\Recent here. A session that only looks tells others nothing of
    it, so they stay recent for the next one (RFC 3501 §6.3.2)."""
    if view.read_only:
        first = await trio.to_thread.run_sync(session.store.first_recent, view.folder)
    else:
        first = await settled(session.store.claim_recent(view.folder, uid))
    view.recent.add(max(first, view.recent.end), uid)


def send_keywords(session: Imap, view: View) -> None:
    """FLAGS and PERMANENTFLAGS, when a flag appears that the client has not heard of (RFC 9051 §7.3.5)."""
    known = [*FLAGS, *sorted(view.keywords - set(FLAGS))]
    session.untagged(b"FLAGS " + flag_list(known))
    permanent = flag_list([] if view.read_only else [*known, "\\*"])
    session.untagged(b"OK [PERMANENTFLAGS " + permanent + b"] Flags that are kept")


async def send_flags(session: Imap, items: list[Item]) -> None:
    """The flags of messages, with UID, and mod-sequence where the client wants it."""
    view = session.selected
    keywords = frozenset(flag for flags in {item.flags for item in items} for flag in flags.split())
    if not keywords <= view.keywords:
        view.keywords |= keywords
        send_keywords(session, view)
    names = ["UID", "FLAGS", *(["MODSEQ"] if session.condstore else [])]
    renderer = Renderer(session.mailboxes.library, map(Attribute, names), view)
    await send_items(session, renderer, [item for item in items if view.number(item.uid)])


async def send_flags_by_uid(session: Imap, uids: list[int]) -> None:
    """Tell that the flags of messages changed."""
    folder = session.selected.folder
    for start in range(0, len(uids), BATCH):
        await send_flags(session, await trio.to_thread.run_sync(
            session.store.items_of, folder, uids[start:start + BATCH]))


async def send_items(session: Imap, renderer: Renderer, items: list[Item], start: int = 0) -> None:
    """Write the FETCH responses for messages from a place on, in pieces."""
    if not renderer.plan.reads:
        await send_pieces(session, renderer.render(items[start:]))
        return
    while start < len(items):
        written, start = await trio.to_thread.run_sync(renderer.render_some, items, start)
        await send_pieces(session, written)


async def send_pieces(session: Imap, written: list[Piece]) -> None:
    for piece in written:
        if isinstance(piece, Span):
            await send_span(session, piece)
        else:
            await session.send(piece)


async def send_span(session: Imap, span: Span) -> None:
    """A large stretch of a message, piece by piece. Raises Closed when it is gone meanwhile: its length has been
    announced, so nothing else can be said any more."""
    try:
        async for piece in Pieces(lambda: session.store.read(span.content, start=span.start, end=span.end)):
            await session.send(piece)
    except KeyError:
        session.conversation.reset()
        raise Closed("a message was removed while it was sent") from None
